"""examples/article on the cluster: from nothing to five pods a stage and back to none, again and again, and every record once.

In turns: a cycle that is only scaled in, one in which pods are killed, one with a rolling update. The lag is exactly 0 at the end of each,
and `penstock verify` adds up what became of every record. The replicas of every second are written to a table.

usage: scale.py [--scaling lag|need] [--cycles N] [--table FILE.csv]
"""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from article import KEY, SPACE, Article, pods_may_come, stores_of
from cluster import ADDRESS, ROOT, Kube, check, processes
from record import Record

sys.path[:0] = [str(ROOT / "tests" / "kafka"), str(ROOT / "tests" / "stores")]
from broker import Broker  # noqa: E402
from dynamodb_side import Tables  # noqa: E402

TOOL = ROOT / "tools" / "with_dynamodb"
SERVER = "PENSTOCK_TEST_DYNAMODB"
PODS = 5
CLIENTS, MORE, RATE = 40, 60, 22  # records a second: of the producer, of the load beside it, and at most of a worker
PATIENCE = 300


class Trial:
    def __init__(self, article, record, scaling, postgres, dynamodb):
        self.article, self.kube, self.record, self.scaling = article, article.kube, record, scaling
        self.postgres, self.dynamodb = postgres, dynamodb
        self.more = None

    def produce(self, on, more=False):
        """The pipeline's own producer, and as much again and half of it beside it."""
        self.article.produce(1 if on else 0)
        if self.more and not more:
            self.more.terminate()
            self.more.wait()
        self.more = self.article.send(MORE, 100_000) if more and not self.more else self.more if more else None
        self.record.clients = CLIENTS * on + MORE * more

    def all_at(self, count, since):
        """Has each stage wanted that many, and had them ready?"""
        reached = {row[1] for row in self.record.since(since) if row[2] == row[3] == count}
        return reached == set(self.article.stages)

    def up(self):
        began = self.record.now()
        self.produce(True, more=True)
        self.kube.until(f"every stage has {PODS} pods under load", lambda: self.all_at(PODS, began), PATIENCE)
        print(f"     {PODS} pods in each stage after {self.record.now() - began:.0f} s", flush=True)
        check(max(self.record.most(began).values()) == PODS, f"no stage is given more pods than it has partitions ({PODS})")

    def down(self):
        began = self.record.now()
        self.produce(False)
        self.kube.until("every stage is at zero after the producer is gone", self.at_zero, PATIENCE)
        print(f"     no pod {self.record.now() - began:.0f} s after the producer was gone", flush=True)
        # By the groups' offsets, as KEDA and everybody else sees it. A store's own position stays before a commit marker, which is no record.
        behind = [each for each in self.article.lag()["partitions"] if each["end"] != each["group_position"]]
        check(not behind, f"every offset is at its log's end: the lag is exactly 0 {behind or ''}")
        self.adds_up()

    def at_zero(self):
        return all(each == (0, 0) for each in self.article.deployments().values()) and not self.kube.pods(SPACE, "app.kubernetes.io/component+notin+(apply,scaler)")

    def adds_up(self):
        told = json.loads(self.article.penstock("verify", "-o", "json", may_end_with=(0, 1)))
        wrong = [each for each in told["sums"] if not each["holds"]]
        written = next(each["equation"] for each in told["sums"] if each["what"] == "store messages")
        check(told["holds"] and not wrong, f"verify: every record once ({written}) {wrong}")
        ids = {row[0] for row in self.postgres.ask("select distinct id from messages")}
        items = {item["id"]["N"] for item in self.dynamodb.items("items")}
        check(ids == items, f"both stores know the same {len(ids)} ids")

    # ---- what befalls it under load

    def scaled_in(self):
        began = self.record.now()
        self.produce(True)
        self.kube.until("with less load there are fewer pods", lambda: any(0 < row[2] < PODS for row in self.record.since(began)), PATIENCE)

    def killed(self):
        """In each stage one process at once, and one pod with no time to drain."""
        for stage in self.article.stages:
            pods = self.kube.until(f"{stage} has pods", lambda each=stage: self.article.pods(each), 60)
            for pid in processes(pods[0]):
                os.kill(pid, signal.SIGKILL)
            self.kube.kubectl("--namespace", SPACE, "delete", "pod", pods[-1]["metadata"]["name"], "--grace-period=0", "--force")
        print(f"     killed in each of {len(self.article.stages)} stages: a process, and a pod", flush=True)

    def replaced(self):
        """By an upgrade, while records come in; the autoscaler's figures stay."""
        old = {pod["metadata"]["uid"] for stage in self.article.stages for pod in self.article.pods(stage)}
        before = {stage: wanted for stage, (wanted, _) in self.article.deployments().items()}
        self.article.install(self.scaling, producers=1, note="second")
        after = {stage: wanted for stage, (wanted, _) in self.article.deployments().items()}
        check(min(after.values()) > 0, f"an upgrade leaves the replicas to the autoscaler: {before} before, {after} after")
        self.kube.until("every pod is a new one", lambda: not old & {
            pod["metadata"]["uid"] for stage in self.article.stages for pod in self.article.pods(stage)}, PATIENCE)

    def cycle(self, number):
        event = (self.scaled_in, self.killed, self.replaced)[number % 3]
        print(f"cycle {number + 1}: {event.__name__}", flush=True)
        self.up()
        event()
        self.down()


def beside_dynamodb():
    """Its port; this script begins again under a DynamoDB Local."""
    if SERVER not in os.environ:
        os.execv(TOOL, [str(TOOL), sys.executable, "-B", *sys.argv])
    return int(os.environ[SERVER].rsplit(":", 1)[1])


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--scaling", default="lag", choices=["lag", "need"])
    reader.add_argument("--cycles", type=int, default=3)
    reader.add_argument("--table", default=str(ROOT / "build" / "kube" / "replicas.csv"))
    options = reader.parse_args()
    port = beside_dynamodb()
    with Kube() as kube, Broker(also=ADDRESS) as broker, tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o755)  # PostgreSQL is another user
        with pods_may_come(folder / "pg", ["fsync = off"]) as postgres:
            article = Article(kube, broker, folder, stores_of(port, postgres), clients=CLIENTS, rate=RATE, poll=2, cooldown=10)
            article.make_namespace()
            article.install(options.scaling, producers=1)
            article.produce(0)
            record = Record(article, options.table)
            trial = Trial(article, record, options.scaling, postgres, Tables(port, KEY))
            kube.until("at rest there is no pod", trial.at_zero, PATIENCE)
            with record:
                for number in range(options.cycles):
                    trial.cycle(number)
            print(f"     {record.pod_seconds():.0f} pod-seconds in {record.now():.0f} s; samples missed: {record.error or 'none'}")


if __name__ == "__main__":
    main()
