"""Meters that send once a second, through every stage, to rows that another connection of the store sees.

usage: bench/latency_bench.py [--seconds N] [--meters N] [--limit MILLIS]
PENSTOCK_BUILD names the build folder (build/release). `make bench-latency` runs it for 30 s; the figure in docs/performance.md is of
600 s and 5,000 meters.

One broker and the real programs: `produce`, and `run --stage` for preprocessing (with unique), processing (with join) and writer (two
SQLite stores), each a process of its own, the file that of examples/meters with two fields more.

What is measured, for every row of the store `warehouse`, from the first to the last:
  from    the timestamp of the record in `ingest` (a step of preprocessing keeps it as a field, the store holds it as a column)
  until   a second connection of the SQLite file, which asks every 20 ms for rows that it has not seen, has got the row
and, beside it, from the moment when the meter's reading was due by the clock (the n-th is due n / meters seconds after the first).
The rows have to be exactly the readings, each once, and `verify` has to hold; else the run fails.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("PENSTOCK_BUILD", HERE.parent / "build" / "release"))
os.environ["PENSTOCK_BINARY"] = str(BUILD / "src/app/penstock")
sys.path.insert(0, str(HERE.parent / "tests" / "kafka"))
from broker import Broker  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402

EVENT_START = 1_767_225_600_000  # 2026-01-01, where simulated meters begin
EVENT_STEP = 900_000  # event time between two readings of a meter
ASK_SECONDS = 0.02
QUIET_SECONDS = 5
STAGES = ("preprocessing", "processing", "writer")
# What a cluster has; the tests' brokers are quicker to be given up.
BROKER = {"broker.session.timeout.ms": "", "broker.heartbeat.interval.ms": ""}


def millis_of(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Millis(dict):
    """Times of the store's text form, each read once."""

    def __missing__(self, text):
        if len(self) > 100_000:
            self.clear()
        self[text] = millis_of(text)
        return self[text]


def pipeline_of(folder, meters, bootstrap):
    subprocess.run([os.environ["PENSTOCK_BINARY"], "init", "meters", folder], check=True, stdout=subprocess.DEVNULL)
    tenants = ("alpine", "baltic", "nordic")
    lines = [f"m{n:05d},{tenants[n % 3]},site-{n % 97},{'G0' if n % 10 == 0 else 'H0'},{2 + n % 9}.0\n" for n in range(meters)]
    (folder / "data" / "meters.csv").write_text("meter_id,tenant,site,tariff,rated_kw\n" + "".join(lines))
    file = folder / "pipeline.yaml"
    text = file.read_text()
    target = f'targets:\n  kafka:\n    log: {{kafka: "{bootstrap}"}}\n    topics: {{replicas: 1}}\n    stores: {{latest: sqlite, warehouse: sqlite}}\n    epoch: {{every: 100ms}}\n'
    kept = "- set:    {preprocessing_status: \"'Done'\", sent: timestamp}"
    changed = text.replace("targets:\n", target, 1).replace("- set:    {preprocessing_status: \"'Done'\"}", kept)
    if changed.count("sent: timestamp") != 1:
        sys.exit("FAILED: the example is not as this script knows it")
    file.write_text(changed)


class Rows:
    """Asks a second connection for rows that it has not seen, and keeps how old each was."""

    def __init__(self, path, meters):
        self.path, self.meters, self.connection = path, meters, None
        self.last, self.seen = 0, 0
        self.ages, self.behind = collections.Counter(), collections.Counter()  # ms -> rows
        self.first_due = None
        self.next_of, self.disorder = [0] * meters, []
        self.times = Millis()

    def ask(self):
        if self.connection is None:
            if not self.path.exists():
                return 0
            self.connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        try:
            found = self.connection.execute("SELECT rowid, meter_id, at, sent FROM readings WHERE rowid > ? ORDER BY rowid",
                                            (self.last,)).fetchall()
        except sqlite3.OperationalError:
            return 0  # the table is not made yet
        now = time.time() * 1000
        for _, meter, at, sent in found:
            self.count(now, int(meter[1:]), self.times[at], self.times[sent])
        if found:
            self.last = found[-1][0]
        self.seen += len(found)
        return len(found)

    def count(self, now, meter, at, sent):
        turn = (at - EVENT_START) // EVENT_STEP
        if turn != self.next_of[meter]:
            self.disorder.append((meter, turn, self.next_of[meter]))
        self.next_of[meter] = turn + 1
        self.ages[round(now - sent)] += 1
        due = turn * 1000 + meter * 1000 / self.meters
        self.behind[round(now - due)] += 1
        if self.first_due is None or sent - due < self.first_due:
            self.first_due = sent - due

    def until_quiet(self):
        """Until no row has come for a while: those that are late are counted as late."""
        latest = time.monotonic()
        while time.monotonic() < latest + QUIET_SECONDS:
            if self.ask():
                latest = time.monotonic()
            time.sleep(ASK_SECONDS)  # poll: the store tells nobody


def tell(what, counts, base=0):
    total, passed, marks = sum(counts.values()), 0, {}
    for millis in sorted(counts):
        passed += counts[millis]
        for share in (0.5, 0.9, 0.99, 0.999, 1):
            if share not in marks and passed >= share * total:
                marks[share] = millis - base
    print(f"| {what} | {total:,} | " + " | ".join(f"{marks[share]:,.0f}" for share in (0.5, 0.9, 0.99, 0.999, 1)) + " |", flush=True)
    return marks[0.99]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def broker_cpu(broker):
    return cpu_seconds(int((pathlib.Path(broker.facts["dir"]) / "1" / "pid").read_text()))


def run(options, folder, broker):
    words = ["-t", "kafka", "--data"]
    subprocess.run([os.environ["PENSTOCK_BINARY"], "apply", folder, *words, folder / "data-apply"], check=True, stdout=subprocess.DEVNULL)
    stages = [Process(folder, stage, ["run", folder, *words, folder / "stores", "--stage", stage], {}) for stage in STAGES]
    producer = None
    try:
        for stage in stages:
            if not wait_until(lambda stage=stage: stage.metric("worker_ready") >= 1, 90):
                sys.exit(f"FAILED: {stage.name} does not become ready:\n{stage.output()}")
        rows = Rows(folder / "stores" / "stores" / "warehouse.sqlite", options.meters)
        producer = Process(folder, "produce", ["produce", folder, *words, folder / "data-produce"], {})
        began, broker_before = time.monotonic(), broker_cpu(broker)
        while time.monotonic() - began < options.seconds:
            rows.ask()
            time.sleep(ASK_SECONDS)  # poll: the store tells nobody
        used = {process.name: cpu_seconds(process.process.pid) for process in [*stages, producer]}
        used["broker"] = broker_cpu(broker) - broker_before
        producer.signal(signal.SIGTERM)
        if producer.wait(60) != 0:
            sys.exit(f"FAILED: produce did not drain:\n{producer.output()}")
        rows.until_quiet()
        left = json.loads(subprocess.run([os.environ["PENSTOCK_BINARY"], "lag", folder, *words, folder / "stores", "-o", "json"],
                                         capture_output=True, text=True, check=True).stdout)["lag"]
        if left != 0:
            said = "\n".join(f"{process.name}: {process.output()}" for process in [*stages, producer])
            sys.exit(f"FAILED: {left} records were not read when no rows came any more, {rows.seen} had come\n{said}")
        for stage in stages:
            stage.signal(signal.SIGTERM)
            if stage.wait(60) != 0:
                sys.exit(f"FAILED: {stage.name} did not drain:\n{stage.output()}")
        rows.ask()
        return rows, used, time.monotonic() - began
    finally:
        for process in [*stages, *([producer] if producer else [])]:
            process.signal(signal.SIGKILL)


def check(rows, folder):
    """The rows are a prefix of the readings, each meter's in order; nothing was set aside on the way."""
    turns = rows.next_of
    if rows.disorder or rows.seen != sum(turns) or max(turns) - min(turns) > 1 or turns != sorted(turns, reverse=True):
        sys.exit(f"FAILED: {rows.seen} rows are not the readings, each once and in order: {rows.disorder[:5]}")
    verified = subprocess.run([os.environ["PENSTOCK_BINARY"], "verify", folder, "-t", "kafka", "--data", folder / "stores", "-o", "json"],
                              capture_output=True, text=True, check=False)
    told = json.loads(verified.stdout)
    if not told["holds"]:
        sys.exit(f"FAILED: verify does not hold:\n{verified.stdout}")


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--seconds", type=int, default=30)
    reader.add_argument("--meters", type=int, default=5_000)
    reader.add_argument("--limit", type=int, help="fail when the p99 is above")
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Broker(properties=BROKER, heap="1g") as broker:
        folder = pathlib.Path(temporary) / "p"
        pipeline_of(folder, options.meters, broker.bootstrap)
        rows, used, took = run(options, folder, broker)
        check(rows, folder)
        print(f"{options.meters:,} meters, {options.seconds} s, one broker, load {os.getloadavg()[0]:.1f} at the end")
        print("| from … until a second connection sees the row | rows | p50 ms | p90 ms | p99 ms | p99.9 ms | largest ms |\n|---|---|---|---|---|---|---|")
        worst = tell("the record's timestamp", rows.ages)
        tell("the moment when the reading was due", rows.behind, rows.first_due)
        print("CPU, of one core: " + ", ".join(f"{name} {seconds / options.seconds:.0%}" for name, seconds in used.items()))
        if options.limit and worst > options.limit:
            sys.exit(f"FAILED: the p99 is {worst:.0f} ms, above {options.limit}")


if __name__ == "__main__":
    main()
