"""Penstock in pods by hand, no chart: what may a pod do, how soon does it work, how does it end?

The namespace enforces the strictest of Kubernetes' pod security standards. The broker stands beside the cluster.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

from cluster import ADDRESS, IMAGE, ROOT, Kube, check, processes, ready

sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from broker import Broker  # noqa: E402

IMAGE_LIMIT = 60_000_000
RECORDS = 3000
USER = "65532"
SEEN = "penstock.test/seen"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {
    "name": "here", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
PIPELINE = """pipeline: first
version: 1
schemas: {message: schemas/message.avsc}
topics:
  ingest: {schema: message, key: id, partitions: 3, replicas: 1}
  done: {key: id, partitions: 3, replicas: 1}
stages:
  signing:
    from: ingest
    steps: [{set: {status: "'Done'"}}]
    to: done
targets:
  cluster:
    log: {kafka: "${env:BROKERS}"}
"""
SCHEMA = ROOT / "examples/article/schemas/message.avsc"


def pod(name, arguments, brokers="", keep=False, **more):
    """keep: what is left of it when it ended stays until forget(), so that its exit code can be read."""
    container = {
        "name": "penstock", "image": IMAGE, "imagePullPolicy": "Never", "args": arguments,
        "env": [{"name": "BROKERS", "value": brokers}],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                            "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumeMounts": [{"name": "file", "mountPath": "/file"}, {"name": "data", "mountPath": "/data"}]}
    if "run" in arguments:
        container["readinessProbe"] = {"httpGet": {"path": "/readyz", "port": 9090}, "periodSeconds": 1}
    spec = {"automountServiceAccountToken": False, "restartPolicy": "Never", "terminationGracePeriodSeconds": 30, "containers": [container],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "file", "configMap": {"name": "file", "items": [
                {"key": "pipeline", "path": "pipeline.yaml"}, {"key": "schema", "path": "schemas/message.avsc"}]}}]}
    metadata = {"name": name, "namespace": "here"} | ({"finalizers": [SEEN]} if keep else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec | more}


def ended(kube, name):
    """(exit code, log) of a pod once it is over; None before."""
    states = kube.pod("here", name)["status"].get("containerStatuses") or [{}]
    over = states[0].get("state", {}).get("terminated")
    return (over["exitCode"], kube.logs("here", name)) if over else None


def forget(kube, name):
    kube.ask(f"/api/v1/namespaces/here/pods/{name}", "PATCH", {"metadata": {"finalizers": None}}, "application/merge-patch+json")


def status_of(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def what_a_pod_may(kube):
    kube.apply([NAMESPACE, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "file", "namespace": "here"},
                            "data": {"pipeline": PIPELINE, "schema": SCHEMA.read_text()}}])
    kube.apply([pod("version", ["version"])])
    code, log = kube.until("penstock version ends", lambda: ended(kube, "version"), 60)
    check(code == 0 and log.startswith("penstock "), f"penstock version runs in a pod: {log.splitlines()[0]}")
    try:
        kube.apply([pod("more", ["version"], hostNetwork=True)])
        refused = ""
    except RuntimeError as error:
        refused = str(error)
    check("violates PodSecurity" in refused, "a pod that asks for more than the strictest standard gives is refused")


def is_confined(kube, name):
    running = processes(kube.pod("here", name))
    check(len(running) == 1, "one process runs in a pod, and no other")
    status = status_of(running[0])
    check(status["Uid"].split() == [USER] * 4 and status["Gid"].split() == [USER] * 4, f"it is user {USER}")
    check(all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")), "it has no capability and can get none")
    check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "it can gain no privilege, and its system calls are filtered")
    root = next(line.split() for line in pathlib.Path(f"/proc/{running[0]}/mountinfo").read_text().splitlines() if line.split()[4] == "/")
    check("ro" in root[5].split(","), "its root is read-only")
    check(os.listdir(pathlib.Path("/proc", str(running[0]), "root", "bin")) == ["penstock"], "the image has no shell: penstock alone is in /bin")


def start_of(pid):
    """In seconds since the machine's start, to a hundredth."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")


def answers(address):
    try:
        with urllib.request.urlopen(f"http://{address}:9090/readyz", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def measure_start(kube, name):
    """From the start of the process to its first assignment: then it polls."""
    started = kube.until("the pod's process runs", lambda: processes(kube.pod("here", name)), 60)[0]
    address = kube.until("it has an address", lambda: kube.pod("here", name)["status"].get("podIP"), 60)
    until = time.monotonic() + 60
    while not answers(address) and time.monotonic() < until:
        time.sleep(0.01)  # poll: until it is ready
    print(f"     process to first poll: {time.clock_gettime(time.CLOCK_BOOTTIME) - start_of(started):.2f} s", flush=True)


def look(verb, folder, broker):
    done = subprocess.run([os.environ["PENSTOCK_BINARY"], verb, folder, "-t", "cluster", "-o", "json"], capture_output=True, text=True,
                          check=False, env=os.environ | {"BROKERS": broker.bootstrap})
    return done.returncode, json.loads(done.stdout or "{}")


def send(folder, broker):
    with open(folder / "records.jsonl", "w", encoding="utf-8") as out:
        for n in range(RECORDS):
            out.write(json.dumps({"id": n, "name": "Ada", "favorite_number": n, "favorite_color": "red"}) + "\n")
    subprocess.run([os.environ["PENSTOCK_BINARY"], "send", folder, "-t", "cluster", "--data", folder / "data", "--to", "ingest",
                    folder / "records.jsonl"], check=True, env=os.environ | {"BROKERS": broker.bootstrap})


def a_stage_in_pods(kube, broker, folder):
    brokers = broker.facts["also"]
    kube.apply([pod("apply", ["apply", "/file", "-t", "cluster", "--data", "/data"], brokers)])
    code, log = kube.until("penstock apply ends", lambda: ended(kube, "apply"), 60)
    check(code == 0, f"penstock apply makes the topics from a pod {log if code else ''}")
    send(folder, broker)
    names = ["one", "two"]
    for name in names:
        kube.apply([pod(name, ["run", "/file", "-t", "cluster", "--stage", "signing", "--data", "/data", "--listen", "0.0.0.0:9090"],
                        brokers, keep=True)])
        if name == "one":
            measure_start(kube, name)
        kube.until(f"pod {name} is ready", lambda each=name: ready(kube.pod("here", each)), 60)
        is_confined(kube, name)
    kube.until("nothing lags", lambda: look("lag", folder, broker)[1].get("lag") == 0, 60)
    for name in names:
        kube.ask(f"/api/v1/namespaces/here/pods/{name}", "DELETE")
    for name in names:
        code, log = kube.until(f"pod {name} ends", lambda each=name: ended(kube, each), 40)
        check(code == 0, f"pod {name} drains when it is told to end, and exits with 0 {log if code else ''}")
        forget(kube, name)
    check(look("lag", folder, broker)[1]["lag"] == 0, "the lag is exactly 0")
    code, told = look("verify", folder, broker)
    check(code == 0, f"verify: every record once {told if code else ''}")


def main():
    with Kube() as kube, Broker(also=ADDRESS) as broker, tempfile.TemporaryDirectory() as temporary:
        check(0 < kube.image_bytes <= IMAGE_LIMIT, f"the image has {kube.image_bytes / 1e6:.1f} MB of {IMAGE_LIMIT / 1e6:.0f}")
        folder = pathlib.Path(temporary)
        (folder / "pipeline.yaml").write_text(PIPELINE)
        (folder / "schemas").mkdir()
        (folder / "schemas" / "message.avsc").write_text(SCHEMA.read_text())
        what_a_pod_may(kube)
        a_stage_in_pods(kube, broker, folder)


if __name__ == "__main__":
    main()
