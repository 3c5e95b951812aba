"""An API server and its etcd, nothing else: for dry runs. Needs no rights, listens on 127.0.0.1, and is gone with the test."""
import contextlib
import http.client
import json
import pathlib
import secrets
import socket
import ssl
import subprocess
import time

import programs_of_tests

PATHS = {  # kind: of which API, and what its objects are called there; False: not in a namespace
    "Namespace": ("api/v1", "namespaces", False), "ConfigMap": ("api/v1", "configmaps", True), "Service": ("api/v1", "services", True),
    "ServiceAccount": ("api/v1", "serviceaccounts", True), "Deployment": ("apis/apps/v1", "deployments", True), "Job": ("apis/batch/v1", "jobs", True),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets", True),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies", True), "ScaledObject": ("apis/keda.sh/v1alpha1", "scaledobjects", True),
    "TriggerAuthentication": ("apis/keda.sh/v1alpha1", "triggerauthentications", True),
    "PodMonitor": ("apis/monitoring.coreos.com/v1", "podmonitors", True),
    "PrometheusRule": ("apis/monitoring.coreos.com/v1", "prometheusrules", True),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False)}


def available() -> bool:
    return all(programs_of_tests.programs.path(name).exists() for name in ("etcd", "kube-apiserver"))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Client:
    """Speaks to the server; may be given to another process."""

    def __init__(self, port: int, token: str):
        self.port = port
        self.token = token

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl._create_unverified_context(), timeout=60)

    def ask(self, method: str, path: str, body: dict | None, connection=None) -> tuple[int, dict, list[str]]:
        connection = connection or self.connection()
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        told = json.loads(text) if "json" in answer.headers.get("Content-Type", "") else {}
        return answer.status, told, answer.headers.get_all("Warning") or []

    def get(self, kind: str, namespace: str, name: str = "") -> dict:
        api, plural, _ = PATHS[kind]
        return self.ask("GET", f"/{api}/namespaces/{namespace}/{plural}/{name}".rstrip("/"), None)[1]

    def create(self, document: dict, query: str = "", connection=None) -> list[str]:
        """What the server says against it."""
        api, plural, in_namespace = PATHS[document["kind"]]
        where = f"/namespaces/{document['metadata']['namespace']}" if in_namespace else ""
        status, told, warnings = self.ask("POST", f"/{api}{where}/{plural}{query}", document, connection)
        name = f"{document['kind']}/{document['metadata']['name']}"
        return [f"{name}: {status} {told.get('message')}"] * (status not in (200, 201)) + [f"{name}: {warning}" for warning in warnings]

    def dry_run(self, documents: list[dict]) -> list[str]:
        """Strictly: a field that the server does not know is an error."""
        connection = self.connection()
        query = "?dryRun=All&fieldValidation=Strict"
        return [problem for one in documents for problem in self.create(one, query, connection)]


class ApiServer(Client, contextlib.AbstractContextManager):
    def __init__(self, folder: pathlib.Path):
        super().__init__(free_port(), secrets.token_hex(16))
        self.folder = folder
        self.running = []

    def client(self) -> Client:
        return Client(self.port, self.token)

    def start(self, name: str, *words) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            command = [programs_of_tests.programs.path(name), *words]
            self.running.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd=self.folder))

    def __enter__(self):
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        (self.folder / "tokens").write_text(f"{self.token},admin,admin,system:masters\n")
        subprocess.run(["openssl", "genrsa", "-out", self.folder / "accounts.key", "2048"], check=True, capture_output=True)
        try:
            self.start("etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync", "--log-level=error", "--listen-client-urls", client,
                       "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                       f"default={peer}")
            self.start("kube-apiserver", f"--etcd-servers={client}", "--bind-address=127.0.0.1", f"--secure-port={self.port}",
                       f"--cert-dir={self.folder}/certificates", f"--token-auth-file={self.folder}/tokens", "--authorization-mode=RBAC",
                       f"--service-account-key-file={self.folder}/accounts.key", f"--service-account-signing-key-file={self.folder}/accounts.key",
                       "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/24",
                       "--disable-admission-plugins=ServiceAccount")
            self.wait("it is ready", lambda: self.ask("GET", "/readyz", None)[0] == 200)
        except BaseException:
            self.stop()
            raise
        return self

    def kubeconfig(self) -> pathlib.Path:
        """For helm and kubectl."""
        path = self.folder / "kubeconfig.json"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "it", "contexts": [{"name": "it", "context": {"cluster": "it", "user": "admin"}}],
            "clusters": [{"name": "it", "cluster": {"server": f"https://127.0.0.1:{self.port}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "admin", "user": {"token": self.token}}]}))
        return path

    def wait(self, what: str, condition) -> None:
        until = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if condition():
                    return
            if time.monotonic() > until or any(process.poll() is not None for process in self.running):
                raise AssertionError(f"the API server does not come so far that {what}:\n{(self.folder / 'kube-apiserver.log').read_text()[-3000:]}")
            time.sleep(0.1)  # poll: the condition above

    def stop(self) -> None:
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()

    def __exit__(self, *_):
        self.stop()

    def define(self, definitions: list[dict], namespace: str) -> None:
        """Custom kinds, and a namespace where only restricted pods may be, and everything else is warned of."""
        levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        first = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": levels}}
        problems = [problem for one in [first, *definitions] for problem in self.create(one)]
        if problems:
            raise AssertionError(problems)
        for one in definitions:
            spec = one["spec"]
            path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
            self.wait(f"{path} is there", lambda path=path: self.ask("GET", path, None)[0] == 200)
