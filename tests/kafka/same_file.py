#!/usr/bin/env python3
"""The examples from one file on the embedded log and on Kafka: the same rows; and what Kafka itself says of the groups.

usage: same_file.py [--nodes 1|3]
"""
import argparse
import json
import os
import pathlib
import re
import sqlite3
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import outside  # noqa: E402
from broker import Broker  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402
from pipeline_fixture import READINGS, check, differences_to_expected, init_meters, penstock  # noqa: E402

PATIENCE = 60  # seconds, for what comes much sooner on a machine that has nothing else to do
TARGET = """targets:
  kafka:
    log: {kafka: "${env:BROKERS}"}
    topics: {replicas: REPLICAS}
    stores: STORES
"""


class Trial:
    """One pipeline folder with a target `kafka` beside `local`, a data folder for each."""

    def __init__(self, temporary, name, nodes):
        self.name, self.folder = name, temporary / name
        if name == "meters":
            init_meters(self.folder)
        else:
            penstock("init", name, self.folder)
        file = self.folder / "pipeline.yaml"
        text = file.read_text()
        stores = re.search(r"log: embedded\n\s+stores: (.*)", text)[1]
        target = TARGET.replace("REPLICAS", str(nodes)).replace("STORES", stores)
        file.write_text(text.replace("targets:\n", target, 1).replace("stop_above: 20%", "stop_above: 100%"))

    def data(self, target):
        return self.folder / ".penstock" / target

    def call(self, verb, target, *words, **more):
        return penstock(verb, self.folder, *words, "-t", target, "--data", self.data(target), **more)

    def look(self, verb, target, *words):
        return json.loads(self.call(verb, target, *words, "-o", "json"))

    def table(self, target, store):
        with sqlite3.connect(self.data(target) / "stores" / f"{store}.sqlite") as database:
            names = [name for name, in database.execute("select name from sqlite_master where type='table' and name not like '%penstock%'")]
            return {name: sorted(map(repr, database.execute(f'select * from "{name}"'))) for name in names}

    def groups(self):
        """group -> its topics"""
        found = {}
        for row in self.look("lag", "kafka")["partitions"]:
            found.setdefault(row["group"], set()).add(row["topic"])
        return found

    def start(self):
        return Process(self.folder, f"run-{time.monotonic_ns()}", ["run", self.folder, "-t", "kafka", "--data", self.data("kafka")], {})


def lag_goes(broker, trial, what):
    """The log's end is where every group stands, never written partitions too; promised is: after 5 s of idleness."""
    groups = trial.groups()
    began = time.monotonic()
    with outside.Lags(broker.bootstrap, groups) as lags:
        wait_until(lambda: lags.standing() == {}, PATIENCE)
        took, left = time.monotonic() - began, lags.standing()
    check(left == {}, f"{trial.name}: LAG 0 {what}, seen by another client after {took:.2f} s {left or ''}")


def kafkas_own_tool(broker, trial):
    """LAG of kafka-consumer-groups, for every partition that it has ever heard of."""
    lines = [line.split() for line in broker.tool("ConsumerGroupCommand", "--describe", "--all-groups").splitlines()]
    lag = {(words[0], words[1]): words[5] for words in lines if len(words) > 5 and words[2].isdigit() and words[0].startswith(trial.name)}
    count = sum(words[0].startswith(trial.name) for words in lines if len(words) > 5)
    wanted = {(group, topic) for group, topics in trial.groups().items() for topic in topics}
    check(set(lag) == wanted, f"{trial.name}: kafka-consumer-groups knows its {len(wanted)} groups and topics")
    check(set(lag.values()) == {"0"}, f"{trial.name}: and shows LAG 0 for each of {count} partitions")


def idle(worker):
    """Everything was read: no record is open, and all workers have partitions."""
    metrics = worker.metrics()
    return metrics.get("worker_ready", 0) > 0 and metrics.get("records_open") == 0


def read_by_all(trial, counts):
    fates = {stage["stage"]: stage["fates"]["in"] for stage in trial.look("status", "kafka")["stages"]}
    return all(fates.get(stage) == count for stage, count in counts.items())


def same_looks(trial, topics, key, stages):
    """Other terminals while it runs: the same answers as on the embedded log."""
    def fates(target):
        return {stage["stage"]: stage["fates"] for stage in trial.look("status", target)["stages"]}

    def tail(target, topic):
        found = trial.call("tail", target, topic, "-n", "1000000").splitlines()
        return sorted(line[line.index("{"):] for line in found if "{" in line)

    def trace(target):  # without offsets and times, which a dead letter has inside
        return sorted(re.sub(r"@\d+ \S+", "", re.sub(r"(?<=^dead)(\S+)@.*", r"\1", line)) for line in trial.call("trace", target, key, "-n", "1000000").splitlines())

    def letters(target):
        return sorted((letter["stage"], letter["topic"], letter["partition"], letter["step"], letter["reason"], letter["value_hex"])
                      for letter in json.loads(trial.call("dead", target, "-n", "100000", "-o", "json"))["letters"])

    check(fates("local") == fates("kafka"), f"{trial.name}: status tells the same fates")
    check(set(fates("kafka")) == stages, f"{trial.name}: of every stage")
    check(trial.look("lag", "kafka")["lag"] == 0, f"{trial.name}: lag tells 0")
    for topic in topics:
        check(tail("local", topic) == tail("kafka", topic), f"{trial.name}: tail shows the same {len(tail('kafka', topic))} records of {topic}")
    here, there = trace("local"), trace("kafka")
    check(here == there and len(there) > 3, f"{trial.name}: trace follows {key} through the same places {sorted(set(here) ^ set(there))[:4]}")
    check(trial.look("verify", "kafka")["holds"], f"{trial.name}: verify adds up while it runs")
    check(letters("local") == letters("kafka"), f"{trial.name}: dead shows the same {len(letters('kafka'))} letters")


def run_both(broker, trial, lines, topic, counts, looks):
    os.environ["BROKERS"] = broker.bootstrap
    trial.call("send", "local", "--to", topic, "-", stdin=lines)
    trial.call("run", "local", "--until-idle")
    trial.call("apply", "kafka")
    worker = trial.start()
    if not wait_until(lambda: idle(worker), PATIENCE):
        sys.exit(f"FAILED: {trial.name} does not come to rest\n{worker.told()}")
    lag_goes(broker, trial, "before anything was written")
    trial.call("send", "kafka", "--to", topic, "-", stdin=lines)
    if not wait_until(lambda: read_by_all(trial, counts), PATIENCE):
        sys.exit(f"FAILED: {trial.name}: stages have not read {counts}: {trial.look('status', 'kafka')}\n{worker.told()}")
    print(f"ok: {trial.name}: every stage has read what it has to")
    lag_goes(broker, trial, "after a drain")
    kafkas_own_tool(broker, trial)
    outside.write_and_abort(broker.bootstrap, topic, [b"never to be seen"] * 3)
    lag_goes(broker, trial, "after an aborted transaction of another program")
    same_looks(trial, *looks)
    worker.signal(15)
    check(worker.wait(20) == 0, f"{trial.name}: SIGTERM drains")
    check(trial.look("verify", "kafka")["holds"], f"{trial.name}: verify adds up")
    for store in {store["store"] for store in trial.look("status", "kafka")["stores"]}:
        rows = trial.table("kafka", store)
        check(rows and rows == trial.table("local", store), f"{trial.name}: the same {sum(map(len, rows.values()))} rows in {store}")


WINDOW = """
  hourly:
    from: preprocessed
    steps:
      - window: {every: 1h, at: at, late: 5m, by: [meter_id], take: {kwh: sum(kwh)}}
    to: hours

stores:
  hours: {sqlite: hours}
"""


def a_stage_that_cannot_run_stops_no_other(trial):
    """A window is known and not built: who runs it is told so, who runs another stage on the same log is not."""
    file = trial.folder / "pipeline.yaml"
    file.write_text(file.read_text().replace("\nstores:\n", WINDOW, 1))
    trial.call("run", "kafka", "--until-idle", expect=64)
    trial.call("run", "kafka", "--stage", "hourly", "--until-idle", expect=64)
    trial.call("run", "kafka", "--stage", "preprocessing", "--until-idle")
    print(f"ok: {trial.name}: of a stage that is not built U004, the others run")


def article(broker, temporary, nodes):
    trial = Trial(temporary, "article", nodes)
    colors = ["red", "green", "blue"]
    lines = "".join(json.dumps({"id": n * 7919 % 500, "name": f"name {n}", "favorite_number": n, "favorite_color": colors[n % 3]}) + "\n"
                    for n in range(3000))
    stages = {"preprocessing", "processing", "writer.items", "writer.messages"}
    run_both(broker, trial, lines, "ingest", dict.fromkeys(stages, 3000), (["ingest", "preprocessed", "processed"], "42", stages))


def meters(broker, temporary, nodes):
    """The real readings, twice, with readings that become dead letters between them."""
    trial = Trial(temporary, "meters", nodes)
    header, *rows = (READINGS / "readings.csv").read_text().splitlines()
    names = header.split(",")

    def line(row):
        meter, at, *numbers = row.split(",")
        return json.dumps(dict(zip(names, [meter, at, *map(float, numbers)])))

    good = [line(row) for row in rows]
    bad = [json.dumps({"meter_id": meter, "at": "2016-01-12T00:00:00Z", "kwh": kwh, "kvarh": 0.0})
           for meter, kwh in [("TEST-1", 1.0), ("LV2.105-Load-15", -1.0), ("nobody knows", 1.0), ("LV2.117-Load-77", 101.0)]]
    lines = "\n".join(good + bad + good) + "\n"
    stages = {"preprocessing", "processing", "writer.latest", "writer.warehouse"}
    counts = {"preprocessing": 2 * len(good) + len(bad), "processing": len(good) + 1, "writer.latest": len(good), "writer.warehouse": len(good)}
    run_both(broker, trial, lines, "ingest", counts, (["preprocessed", "usage.nordic"], "LV2.105-Load-15", stages))
    expected = differences_to_expected(trial.folder, trial.data("kafka"))
    check(expected == [], f"meters: sums, peaks and counts per meter and day are those of expected.csv {expected[:2] or ''}")
    a_stage_that_cannot_run_stops_no_other(trial)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    nodes = options.parse_args().nodes
    for example in (article, meters):  # a cluster for each: they call their topics alike
        with tempfile.TemporaryDirectory() as temporary, Broker(nodes=nodes) as broker:
            example(broker, pathlib.Path(temporary), nodes)


if __name__ == "__main__":
    main()
