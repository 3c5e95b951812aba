"""A real Kubernetes with KEDA for a Python test, Penstock's image in it: starts with the `with`, stops however the test ends.

    with Kube(image=True) as kube:
        kube.apply(objects)
        kube.until("the pod is ready", lambda: kube.ready("here", "web"), 60)
"""
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "kube"
IMAGE = "registry.example/penstock:test"
ADDRESS = "10.244.0.1"  # this machine, as pods see it


def check(holds, what):
    print(("ok   " if holds else "FAIL ") + what, flush=True)
    if not holds:
        sys.exit(1)


class Kube:
    """`facts` is what tools/kube up printed: dir, kubeconfig, bin, address."""

    def __init__(self, image=True, sync=5, node=True):
        self.image, self.sync, self.node = image, sync, node
        self.facts: dict[str, str] = {}
        self.image_bytes = 0

    def __enter__(self):
        if os.geteuid() != 0:
            print("a cluster needs root")
            sys.exit(77)
        with tempfile.TemporaryDirectory() as work:
            words = ["up", "--with", str(os.getpid()), "--sync", str(self.sync), "--wait", "600"]
            words += [] if self.node else ["--no-node"]
            if self.image:
                archive = pathlib.Path(work, "penstock.tar")
                run(ROOT / "tools" / "image", os.environ["PENSTOCK_BINARY"], archive, "--name", IMAGE)
                self.image_bytes = archive.stat().st_size
                words += ["--image", str(archive)]
            self.facts = dict(line.split("=", 1) for line in run(TOOL, *words).splitlines())
        keys = pathlib.Path(self.facts["dir"], "keys")
        self.tls = ssl.create_default_context(cafile=keys / "ca.crt")
        self.tls.load_cert_chain(keys / "admin.crt", keys / "admin.key")
        return self

    def __exit__(self, *_):
        run(TOOL, "down", self.facts["dir"])

    # ---- speaking to it

    def ask(self, path, method="GET", body=None, kind="application/json"):
        """What the API server answers, as JSON or text; None where there is no such thing."""
        request = urllib.request.Request(f"https://{ADDRESS}:6443{path}", method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                text = answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text.startswith("{") else text

    def kubectl(self, *words, given=None):
        return run(f"{self.facts['bin']}/kubectl", f"--kubeconfig={self.facts['kubeconfig']}", *words, given=given)

    def apply(self, objects):
        """Strictly, on the server: a field that does not exist is an error."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", given=text)

    def helm(self, *words):
        return run(f"{self.facts['bin']}/helm", f"--kubeconfig={self.facts['kubeconfig']}", *words)

    # ---- looking

    def pods(self, namespace, labels=""):
        return self.ask(f"/api/v1/namespaces/{namespace}/pods?labelSelector={labels}")["items"]

    def pod(self, namespace, name):
        return self.ask(f"/api/v1/namespaces/{namespace}/pods/{name}")

    def logs(self, namespace, name):
        return self.ask(f"/api/v1/namespaces/{namespace}/pods/{name}/log") or ""

    def until(self, what, condition, seconds):
        """Waits for a condition and comes back with its value."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                self.tell()
                check(False, f"{what} (not within {seconds} s)")
            time.sleep(0.2)  # poll: for the condition
        return value

    def tell(self):
        """For a failed test: what the cluster knows."""
        for words in (("get", "pods,deployments,scaledobjects,hpa,jobs", "-A", "-o", "wide"), ("get", "events", "-A", "--sort-by=.lastTimestamp")):
            try:
                print("\n".join(self.kubectl(*words).splitlines()[-40:]), flush=True)
            except RuntimeError as error:
                print(error)
        for pod in (self.ask("/api/v1/pods") or {}).get("items", [])[:12]:
            namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            try:
                print(f"--- {name}\n" + "\n".join(self.logs(namespace, name).splitlines()[-10:]), flush=True)
            except RuntimeError as error:
                print(error)


def ready(pod):
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def run(*command, given=None):
    done = subprocess.run(list(map(str, command)), input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}{done.stdout}")
    return done.stdout


def processes(pod):
    """The processes of a pod's containers on this machine, without the one that holds its namespaces."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if pod["metadata"]["uid"] in (entry / "cgroup").read_text() and not (entry / "cmdline").read_bytes().startswith(b"/bin/pause"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
