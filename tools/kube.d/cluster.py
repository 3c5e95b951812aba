"""A cluster's folder, what runs for it, and how it is spoken to.

The folder holds cluster.json, keys/, etc/ (configuration), log/ and pid/ (one file per process), and what the processes keep.
"""
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import programs

BRIDGE = "penstock-kube"
ADDRESS = "10.244.0.1"  # of this machine on the bridge; all servers but etcd listen here
PODS = "10.244.0.0/24"
SERVICES = "10.245.0.0/16"
FIRST_SERVICE = "10.245.0.1"
START_SECONDS = 120


class Failed(Exception):
    """A part does not start; says which and shows the end of its log."""


def wait(condition, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


class Cluster:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.keys = folder / "keys"
        self.etc = folder / "etc"
        self.etcd = f"http://127.0.0.1:{free_port()}"

    def make_folders(self) -> None:
        for name in ("etc", "log", "pid"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "cluster.json").write_text(json.dumps({"bridge": BRIDGE, "address": ADDRESS, "pods": PODS}))

    # ---- processes

    def start(self, name: str, *command, environment: dict[str, str] | None = None) -> None:
        with open(self.folder / "log" / name, "wb") as log:
            process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                                       start_new_session=True, env={**os.environ, **(environment or {})})
        (self.folder / "pid" / name).write_text(str(process.pid))

    def pid(self, name: str) -> int | None:
        """The process, if it is alive and really ours: each one's command line names the folder."""
        try:
            pid = int((self.folder / "pid" / name).read_text())
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return None
        except (OSError, ValueError):
            return None
        # Empty: on its way from one program to the next.
        return pid if not command or str(self.folder).encode() in command else None

    def stop(self, name: str, seconds: float = 10) -> None:
        pid = self.pid(name)
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait(lambda: self.pid(name) is None, seconds):
            os.kill(pid, signal.SIGKILL)
            wait(lambda: self.pid(name) is None, seconds)

    def wait_for(self, what: str, name: str, condition) -> None:
        """Until the condition holds; the process `name` is the one to blame."""
        until = time.monotonic() + START_SECONDS
        while not condition():
            alive = self.pid(name) is not None
            if not alive or time.monotonic() > until:
                tail = (self.folder / "log" / name).read_text(errors="replace")[-3000:]
                raise Failed(f"not so: {what}; {f'not within {START_SECONDS} s' if alive else f'{name} ended'}", tail)
            time.sleep(0.1)

    # ---- the API server

    def kubeconfig(self, name: str, user: str) -> pathlib.Path:
        """For one who shows a certificate (user: its lines in YAML, or the certificate's name)."""
        shown = user if ":" in user else f"{{client-certificate: {self.keys}/{user}.crt, client-key: {self.keys}/{user}.key}}"
        path = self.etc / f"{name}.conf"
        path.write_text(f"""apiVersion: v1
kind: Config
clusters: [{{name: here, cluster: {{server: "https://{ADDRESS}:6443", certificate-authority: {self.keys}/ca.crt}}}}]
users: [{{name: user, user: {shown}}}]
contexts: [{{name: here, context: {{cluster: here, user: user}}}}]
current-context: here
""")
        path.chmod(0o600)
        return path

    def get(self, path: str):
        """What the API server says at a path, or None where there is nothing or nobody (yet)."""
        context = ssl.create_default_context(cafile=f"{self.keys}/ca.crt")
        context.load_cert_chain(f"{self.keys}/admin.crt", f"{self.keys}/admin.key")
        try:
            with urllib.request.urlopen(f"https://{ADDRESS}:6443{path}", timeout=10, context=context) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None
        return json.loads(text) if text.startswith("{") else text

    def condition(self, path: str, kind: str) -> bool:
        told = self.get(path) or {}
        return any(each["type"] == kind and each["status"] == "True" for each in told.get("status", {}).get("conditions", []))

    def kubectl(self, *words: str, given: str | None = None) -> str:
        done = subprocess.run([programs.path("kubectl"), f"--kubeconfig={self.etc}/admin.conf", f"--cache-dir={self.folder}/kubectl", *words],
                              input=given, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"kubectl {' '.join(words)}", done.stderr)
        return done.stdout


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
