"""examples/article on the cluster: its log on Kafka, its stores DynamoDB Local and PostgreSQL, installed by the chart from its bundle.

The stages and their fields are the example's own. Other is what a trial of minutes needs: the target, the store that is not built yet
(PostgreSQL for Redshift), quick polling, more clients, and workers that are kept slow, so that one is not enough.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from cluster import ADDRESS, IMAGE, ROOT, check, run

sys.path[:0] = [str(ROOT / "tests" / "kafka"), str(ROOT / "tests" / "stores")]
from postgres_side import Server  # noqa: E402

CHART = ROOT / "deploy" / "helm" / "penstock"
SPACE = "article"
KEY = "penstock"  # DynamoDB Local keeps tables by access key
PASSWORD = "penstock"
TARGETS = """targets:
  cluster:
    log: {{kafka: "${{env:BROKERS}}"}}
    topics: {{replicas: 1}}
    stores:
      items: {{endpoint: "http://{address}:{dynamodb}", region: eu-north-1, create: true}}
      messages: {{host: {address}, port: {postgres}, database: penstock, user: penstock, password: "${{secret:warehouse}}",
                 tls: off, create: true}}

"""


def pods_may_come(folder, setting):
    """PostgreSQL for the pods' addresses too."""
    server = Server(folder, f"listen_addresses = '127.0.0.1,{ADDRESS}'", *setting)
    with open(folder / "data" / "pg_hba.conf", "a", encoding="utf-8") as out:
        out.write("host all all 10.244.0.0/24 scram-sha-256\n")
    server.change("select pg_reload_conf()")
    return server


def stores_of(dynamodb_port, postgres):
    """What to write instead of the example's targets and its Redshift."""
    targets = TARGETS.format(address=ADDRESS, dynamodb=dynamodb_port, postgres=postgres.port)
    return {r"^targets:\n.*?(?=^tests:)": targets, r"\{redshift: messages\}": "{postgres: messages}"}


class Article:
    """changes: pattern -> text, each found once in the example's file. rate: at most so many records a second in each pod."""

    def __init__(self, kube, broker, folder, changes, *, clients, rate, poll, cooldown):
        self.kube, self.broker, self.folder = kube, broker, folder / "article"
        self.rate, self.sent = rate, 0
        self.brokers = broker.facts["also"]
        shutil.copytree(ROOT / "examples" / "article", self.folder)
        file = self.folder / "pipeline.yaml"
        text = file.read_text()
        quick = {r"poll: 30s, cooldown: 300s": f"poll: {poll}s, cooldown: {cooldown}s", r"clients: 10\b": f"clients: {clients}"}
        for what, instead in (changes | quick).items():
            text, count = re.subn(what, lambda _, new=instead: new, text, flags=re.M | re.S)
            if count != 1:
                check(False, f"the example has {what!r} once")
        file.write_text(text)
        self.bundle = self.folder / "bundle.json"
        self.bundle.write_text(self.penstock("bundle"))
        self.stages = {each["id"]: each for each in json.loads(self.bundle.read_text())["deploy"]["stages"]}

    def environment(self):
        return os.environ | {"BROKERS": self.broker.bootstrap, "PENSTOCK_SECRET_WAREHOUSE": PASSWORD, "AWS_ACCESS_KEY_ID": KEY,
                             "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-north-1"}

    def penstock(self, verb, *words, may_end_with=(0,)):
        """From this machine, beside the cluster."""
        done = subprocess.run([os.environ["PENSTOCK_BINARY"], verb, self.folder, "-t", "cluster", *words], capture_output=True, text=True,
                              check=False, env=self.environment())
        if done.returncode not in may_end_with:
            raise RuntimeError(f"penstock {verb}: {done.stderr}{done.stdout}")
        return done.stdout

    # ---- installing

    def values(self, scaling, producers, note):
        return {
            "image": {"repository": IMAGE.rsplit(":", 1)[0], "tag": IMAGE.rsplit(":", 1)[1], "pullPolicy": "Never"},
            "environment": {"BROKERS": self.brokers}, "secrets": {"existing": "penstock"}, "scaling": scaling,
            "extraEnvironment": {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": "secret"},
            "stages": {each["name"]: {"extraArgs": ["--rate", str(self.rate)]} for each in self.stages.values()} if self.rate else {},
            "producers": {"enabled": producers > 0, "replicas": producers}, "podAnnotations": {"note": note},
            "keda": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 30}} if scaling == "lag" else {}},
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}},
            "scaler": {"resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}}}, "dataSize": "256Mi"}

    def make_namespace(self):
        self.kube.apply([
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "penstock", "namespace": SPACE}, "stringData": {"warehouse": PASSWORD}}])

    def install(self, scaling, producers=0, note="first"):
        values = self.folder / "values.json"
        values.write_text(json.dumps(self.values(scaling, producers, note)))
        return self.kube.helm("upgrade", "--install", "article", str(CHART), "--namespace", SPACE, "--values", str(values),
                              "--set-file", f"bundle={self.bundle}", "--timeout", "3m")

    def produce(self, replicas):
        self.kube.ask(f"/apis/apps/v1/namespaces/{SPACE}/deployments/article-produce", "PATCH", {"spec": {"replicas": replicas}},
                      "application/merge-patch+json")

    def send(self, rate, count):
        """A file of its own, slowly, from this machine; ends when it is told to."""
        self.sent += 1
        rows = self.folder / f"more{self.sent}.jsonl"
        with open(rows, "w", encoding="utf-8") as out:
            for n in range(count):
                out.write(json.dumps({"id": (self.sent * 7919 + n) % 1000, "name": "Grace", "favorite_number": n, "favorite_color": "blue"}) + "\n")
        return subprocess.Popen([os.environ["PENSTOCK_BINARY"], "send", self.folder, "-t", "cluster", "--data", self.folder / f"data{self.sent}",
                                 "--to", "ingest", "--rate", str(rate), rows], env=self.environment(), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    # ---- looking

    def deployments(self):
        """Of the stages: stage -> (replicas that are wanted, pods that are ready)."""
        found = {each["metadata"]["name"]: each for each in self.kube.ask(f"/apis/apps/v1/namespaces/{SPACE}/deployments")["items"]}
        return {stage: (found[f"article-{facts['name']}"]["spec"]["replicas"],
                        found[f"article-{facts['name']}"]["status"].get("readyReplicas", 0)) for stage, facts in self.stages.items()}

    def pods(self, stage):
        """Those that are not on their way out."""
        mark = self.kube.ask(f"/apis/apps/v1/namespaces/{SPACE}/deployments/article-{self.stages[stage]['name']}")["spec"]["selector"]["matchLabels"]
        return [each for each in self.kube.pods(SPACE, ",".join(f"{name}%3D{value}" for name, value in mark.items()))
                if "deletionTimestamp" not in each["metadata"]]

    def lag(self):
        return json.loads(self.penstock("lag", "-o", "json"))
