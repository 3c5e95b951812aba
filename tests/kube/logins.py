"""What the chart tells KEDA is what KEDA understands: a real operator looks at a real broker by each login, and sees the lag of two topics
summed. No node: it is about the figure that a Deployment is given, not about its pods.

A stage whose topic is empty is taken to zero. One with twelve partitions is given the last pod, though that is a step of less than the ten per
cent that an autoscaler tolerates.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from cluster import ROOT, Kube, check

sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from broker import Broker  # noqa: E402

CHART = ROOT / "deploy" / "helm" / "penstock"
PASSWORD = "secret"
SENT = {"in.a": 500, "in.b": 130, "wide": 1080}
# 1,080 and the ends of their transactions are eleven pods' work; with so many more it is twelve's, and there are no more partitions.
MORE, ELEVEN, TWELVE = 400, 11, 12
# The lag of a topic counts as far as its partitions can use workers: 3 × 100 of the 500, and 130, and the ends of the transactions by which
# those were sent, which take up an offset in each partition.
SUM, ENDS, WANTED = 430, 12, 5
SCHEMA = {"type": "record", "name": "Reading", "fields": [{"name": "id", "type": "string"}, {"name": "tenant", "type": "string"}]}
PIPELINE = """pipeline: logins
version: 1
schemas: {{reading: reading.avsc}}
topics:
  in.<tenant>: {{schema: reading, key: id, partitions: 3}}
  between: {{key: id, partitions: 2}}
  out: {{key: id, partitions: 1}}
  wide: {{schema: reading, key: id, partitions: 12}}
  all: {{key: id, partitions: 1}}
tenants: [a, b]
stages:
  gather: {{from: in.*, to: between}}
  tidy: {{from: between, to: out}}
  broad: {{from: wide, to: all}}
scale: {{min: 0, max: partitions, lag_threshold: 100, poll: 2s, cooldown: 2s}}
targets:
{targets}
"""


def logins(facts):
    """Target to its log: as the file has it."""
    word, user = "password: \"${secret:word}\"", "user: app"
    return {"none": f'{{kafka: "{facts["bootstrap"]}"}}',
            "tls": f'{{kafka: "{facts["tls"]}", auth: tls, ca: ca.pem}}',
            "mtls": f'{{kafka: "{facts["mtls"]}", auth: mtls, ca: "${{secret:ca.pem}}", certificate: "${{secret:client.crt}}", key: "${{secret:client.key}}"}}',
            "plain": f'{{kafka: "{facts["sasl"]}", auth: plain, {user}, {word}, ca: ca.pem}}',
            "scram": f'{{kafka: "{facts["sasl"]}", auth: scram, {user}, {word}, ca: ca.pem}}'}


class Trial:
    def __init__(self, kube, folder, facts):
        self.kube, self.folder = kube, folder
        self.logins = logins(facts)
        self.secrets = {"word": PASSWORD, "ca.pem": pathlib.Path(facts["ca"]).read_text(),
                        "client.crt": pathlib.Path(facts["certificate"]).read_text(), "client.key": pathlib.Path(facts["key"]).read_text()}
        (folder / "reading.avsc").write_text(json.dumps(SCHEMA))
        (folder / "ca.pem").write_text(self.secrets["ca.pem"])
        (folder / "secrets").mkdir()
        for name, text in self.secrets.items():
            (folder / "secrets" / name).write_text(text)
        targets = "\n".join(f"  {name}: {{log: {log}}}" for name, log in self.logins.items())
        (folder / "pipeline.yaml").write_text(PIPELINE.format(targets=targets))

    def penstock(self, verb, target, *words):
        done = subprocess.run([os.environ["PENSTOCK_BINARY"], verb, self.folder, "-t", target, *words], capture_output=True, text=True, check=False,
                              env=os.environ | {"PENSTOCK_SECRETS": str(self.folder / "secrets")})
        if done.returncode != 0:
            raise RuntimeError(f"penstock {verb}: {done.stderr}{done.stdout}")
        return done.stdout

    def fill(self):
        self.penstock("apply", "none")
        for topic, count in SENT.items():
            self.send(topic, range(count))

    def send(self, topic, numbers):
        rows = self.folder / f"{topic}.{len(numbers)}.jsonl"
        rows.write_text("".join(json.dumps({"id": f"m{n}", "tenant": topic[-1]}) + "\n" for n in numbers))
        self.penstock("send", "none", "--to", topic, rows)

    def install(self, target):
        bundle = self.folder / f"{target}.json"
        bundle.write_text(self.penstock("bundle", target))
        values = self.folder / f"{target}.values.json"
        values.write_text(json.dumps({"secrets": {"existing": "penstock"}}))
        self.kube.kubectl("create", "namespace", target)
        self.kube.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "penstock", "namespace": target}, "stringData": self.secrets}])
        self.kube.helm("install", "logins", CHART, "--namespace", target, "--values", values, "--set-file", f"bundle={bundle}", "--no-hooks")

    def replicas(self, target, stage):
        return self.kube.ask(f"/apis/apps/v1/namespaces/{target}/deployments/logins-{stage}")["spec"]["replicas"]

    def seen(self, target):
        """What KEDA tells the autoscaler."""
        answer = self.kube.ask(f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{target}/composite-metric"
                               "?labelSelector=scaledobject.keda.sh%2Fname%3Dlogins-gather")
        return [each["value"] for each in answer["items"]]

    def look(self, target):
        def is_ready():
            scaled = self.kube.ask(f"/apis/keda.sh/v1alpha1/namespaces/{target}/scaledobjects")["items"]
            states = [each["status"] for one in scaled for each in one.get("status", {}).get("conditions", []) if each["type"] == "Ready"]
            return states == ["True"] * 3

        self.kube.until(f"{target}: KEDA can look", is_ready, 90)
        self.kube.until(f"{target}: {WANTED} pods for {SUM} records", lambda: self.replicas(target, "gather") == WANTED, 120)
        seen = self.seen(target)
        check(len(seen) == 1 and SUM <= int(seen[0]) <= SUM + ENDS, f"{target}: KEDA sees {seen}, and {SUM} wait")
        self.kube.until(f"{target}: none for an empty topic", lambda: self.replicas(target, "tidy") == 0, 120)
        print(f"ok   {target}: {WANTED} pods for {SUM} records of two topics, none for an empty one", flush=True)

    def last_pod(self, target):
        self.kube.until(f"{target}: {ELEVEN} pods", lambda: self.replicas(target, "broad") == ELEVEN, 180)
        self.send("wide", range(MORE))
        self.kube.until(f"{target}: the last pod of {TWELVE}", lambda: self.replicas(target, "broad") == TWELVE, 180)
        print(f"ok   {target}: {ELEVEN} pods, and with more waiting {TWELVE}", flush=True)


def main():
    with Broker(tls=True, sasl=True) as broker, tempfile.TemporaryDirectory() as folder, Kube(image=False, node=False) as kube:
        trial = Trial(kube, pathlib.Path(folder), broker.facts)
        trial.fill()
        for target in trial.logins:
            trial.install(target)
        for target in trial.logins:
            trial.look(target)
        trial.last_pod("none")


if __name__ == "__main__":
    main()
