#!/usr/bin/env python3
"""What a pipeline on Kafka meets in the long run: probes and metrics that others read, offsets that expired, a schema that changed.

One broker; every record is accounted for at the end, by clients that are not ours.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios")]
import chaos  # noqa: E402  (it enters the tests' own Python first)
import proxy as wire  # noqa: E402
from accountant import INPUT, Account  # noqa: E402
from broker import Broker  # noqa: E402
from penstock_process import wait_until  # noqa: E402
from pipeline_fixture import check  # noqa: E402
from proxy import Rule  # noqa: E402

PROMTOOL = HERE.parents[1] / "tools" / "promtool"
STAGES = ("first", "second", "keeper")
KEYS, PATIENCE = 20, 60


class Trial(chaos.Chaos):
    def call(self, verb, *words, folder=None):
        return subprocess.run([os.environ["PENSTOCK_BINARY"], verb, folder or self.folder, "-t", "kafka", "--data", self.folder / "data", *words],
                              check=True, capture_output=True, text=True, env=os.environ | {"BROKERS": self.broker.bootstrap}).stdout

    def send(self, first, end, folder=None, **more):
        file = self.folder / f"{first}.jsonl"
        with open(file, "w") as out:
            for n in range(first, end):
                for key in range(KEYS):
                    record = {"id": f"k{key}", "n": n, "copy": 0, "at": f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z", "pad": "x"}
                    out.write(json.dumps(record | more) + "\n")
        self.call("send", "--to", "ingest", file, folder=folder)

    def all_read(self):
        return wait_until(lambda: self.lag() == 0, PATIENCE)

    def end(self):
        for worker in list(self.workers):
            check(self.stop(worker, signal.SIGTERM) == 0, f"{worker.name} drains")


def probes_and_metrics(trial):
    worker = trial.start("first", Rule(wire.JOIN_GROUP, "delay", seconds=3))
    check(wait_until(lambda: worker.proxy.seen_of(wire.JOIN_GROUP) > 0, PATIENCE), "a worker asks to join its group")
    check(worker.get("/livez")[0] == 200 and worker.get("/readyz")[0] == 503 and worker.metric("partitions_owned") == 0,
          "while it has no partition it is alive, and not ready")
    check(wait_until(lambda: worker.get("/readyz")[0] == 200, PATIENCE) and worker.metric("partitions_owned") == chaos.PARTITIONS,
          "with its first assignment it is ready")
    for stage in STAGES[1:]:
        trial.start(stage)
    trial.send(0, 200)
    check(trial.all_read(), "every record is read")
    for worker in trial.workers:
        text = worker.get("/metrics")[1]
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False, text=True)
        check(text.count("\n") > 50 and done.returncode == 0 and not done.stderr + done.stdout,
              f"promtool finds nothing to mend in the metrics of {worker.name} {done.stderr}{done.stdout}")
    trial.end()


def expired_offsets(trial):
    """As the broker does it after offsets.retention.minutes without a member."""
    trial.broker.tool("ConsumerGroupCommand", "--delete-offsets", "--group", "trial.first", "--topic", "ingest")
    for group in ("trial.second", "trial.keeper.rows"):
        trial.broker.tool("ConsumerGroupCommand", "--delete", "--group", group)
    check("trial.second" not in trial.broker.tool("ConsumerGroupCommand", "--list"), "one group is gone, another has lost its offsets")
    for stage in STAGES:
        trial.start(stage)
    trial.send(200, 400)
    check(trial.all_read(), "from their own copy of the positions they go on")
    check(all(worker.metric("records_read_total") > 0 for worker in trial.workers), "each of them reads")
    read = {worker.stage: worker.metric("records_read_total") for worker in trial.workers}
    check(read["first"] == 200 * KEYS, f"and reads only what is new: {read}")


def changed_schema(trial):
    """Another version of the file writes a field more; the stages run on."""
    newer = trial.folder.parent / "newer"
    shutil.copytree(trial.folder, newer, ignore=shutil.ignore_patterns("data", "*.err", "*.jsonl"))
    (newer / "event.avsc").write_text(json.dumps(INPUT | {"fields": [{"name": "site", "type": "string", "default": ""}, *INPUT["fields"]]}))
    trial.send(400, 600, folder=newer, site="north")
    check(trial.all_read(), "records of the newer schema are read to the end")
    check(all(worker.running() for worker in trial.workers), "by the processes that began with the older one")
    trial.end()


def main():
    options = argparse.Namespace(nodes=1, every="100ms", planted=None, seed=1)
    with tempfile.TemporaryDirectory() as temporary, Broker() as broker:
        folder = pathlib.Path(temporary) / "p"
        chaos.new_pipeline(folder, options, broker)
        trial = Trial(options, broker, folder)
        probes_and_metrics(trial)
        expired_offsets(trial)
        changed_schema(trial)
        account = Account(broker.bootstrap, folder / "data" / "stores" / "rows.sqlite")
    check(not account.problems and account.counts["produced"] == 600 * KEYS, f"every record once: {account.counts} {account.problems[:5]}")


if __name__ == "__main__":
    main()
