"""A week of real readings through the meters pipeline into stores that fail on the way, and the account of what has to be there.

The readings are sent in as many parts as there are faults. While a part is on its way one thing fails; the order is the seed's.
What a store is, and how it fails, its own script says (postgres_faults.py, dynamodb_faults.py, both_faults.py) by a Side.
"""
import argparse
import csv
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scenarios"), str(HERE.parent / "kafka")]
from penstock_process import Process, wait_until  # noqa: E402
from pipeline_fixture import BINARY, READINGS, check, init_meters, penstock  # noqa: E402

ROWS = 16128
PATIENCE = 120


class Side:
    """One store's server and the proxy before it."""

    faults = {}  # name -> what makes it fail; False when it came too late
    kill = None  # kill -9 of the run, and a new one; the campaign's
    often = ()  # names that come more than once
    surely = ["kill -9"]  # in short campaigns too

    def count(self):
        """Rows that arrived so far: grows while the pipeline goes on."""
        raise NotImplementedError

    def complete(self):
        return self.count() >= ROWS

    def refuse(self):
        """Away, until allow()."""

    def allow(self):
        """Back again."""


class Campaign:
    def __init__(self, folder, target, sides, environment, seed):
        self.folder, self.target, self.sides, self.environment = folder, target, sides, environment
        self.randomness = random.Random(seed)
        self.run, self.starts, self.bitten = None, 0, {}
        os.environ.update(environment)
        for side in sides:
            side.kill = self.kill

    def start(self):
        """As a supervisor does: again, while a send that began without a run has the folder (L002)."""
        until = time.monotonic() + 60
        while True:
            self.cut_otherwise()
            self.starts += 1
            self.run = Process(self.folder, f"run{self.starts}", ["run", self.folder, "-t", self.target], {})
            if wait_until(lambda: self.run.metric("worker_ready") > 0 or not self.run.running(), 60) and self.run.running():
                return
            if "L002" not in self.run.output() or time.monotonic() > until:
                sys.exit("FAILED: run did not start\n" + self.run.told())

    def cut_otherwise(self):
        """Small epochs, and others than before: what is read again is not the same epoch again."""
        file = self.folder / "pipeline.yaml"
        text, epoch = file.read_text(), "epoch: {rows: %d}"
        file.write_text(text.replace(epoch % 100, epoch % 30) if epoch % 100 in text else text.replace(epoch % 30, epoch % 100))

    def kill(self, then=lambda: None):
        self.run.signal(9)
        self.run.process.wait()
        then()
        self.start()

    def away(self, side):
        side.refuse()
        moment = time.monotonic() + 2.0
        wait_until(lambda: time.monotonic() > moment, 10)
        side.allow()

    def outage(self, seconds):
        for side in self.sides:
            side.refuse()
        moment = time.monotonic() + seconds
        print(f"  everything is away for {seconds} s", flush=True)
        wait_until(lambda: time.monotonic() > moment or not self.run.running(), seconds + 10)
        check(self.run.running(), "the run is still there")
        for side in self.sides:
            side.allow()

    def plan(self, count, outage):
        """(name, fault, side) for each part; of each side as many as of the others."""
        chosen = []
        for number, side in enumerate(self.sides):
            kinds = {"kill -9": self.kill, "away": lambda side=side: self.away(side)} | side.faults
            names = [*kinds, *side.often]
            self.randomness.shuffle(names)
            names = [*side.surely, *names]
            size = count // len(self.sides) + (number < count % len(self.sides))
            chosen += [(name, kinds[name], side) for name in (names * (size // len(names) + 1))[:size]]
        self.randomness.shuffle(chosen)
        if outage:
            chosen[count // 2] = ("long outage", lambda: self.outage(outage), self.sides[0])
        return chosen

    def go(self, count, outage):
        chosen = self.plan(count, outage)
        for place, ((name, fault, side), part) in enumerate(zip(chosen, self.parts(count), strict=True)):
            before = side.count()
            sending = threading.Thread(target=self.send, args=(part,))
            sending.start()
            if not wait_until(lambda: side.count() > before, PATIENCE):
                sys.exit(f"FAILED: {before} rows before {name}, no more come\n" + self.run.told())
            bites = fault() is not False
            self.bitten[name] = self.bitten.get(name, 0) + bites
            print(f"  {place + 1:2} {name} at {side.count()} rows{'' if bites else ': too late'}", flush=True)
            sending.join()
        bitten = sum(self.bitten.values())
        check(bitten >= count * 4 // 5, f"{bitten} of {count} faults came in time: {self.bitten}")

    def parts(self, count):
        """The readings in so many files."""
        head, *lines = (READINGS / "readings.csv").read_text().splitlines()
        size = len(lines) // count + 1
        for number in range(count):
            file = self.folder / f"part{number}.csv"
            file.write_text("\n".join([head, *lines[number * size:(number + 1) * size]]) + "\n")
            yield file

    def send(self, file):
        """Once, however often it has to be begun: the run that takes it may be killed."""
        for _ in range(100):
            done = subprocess.run([BINARY, "send", self.folder, "-t", self.target, "--to", "ingest", file, "--rate", "1000"],
                                  capture_output=True, text=True)
            if done.returncode == 0 or "U006" in done.stderr:
                return
            wait_until(self.run.running, 20)
        sys.exit("FAILED: send\n" + done.stderr)

    def end(self):
        """All is written, and the run ends."""
        if not wait_until(lambda: all(side.complete() for side in self.sides) or not self.run.running(), PATIENCE):
            print(self.run.told())
        self.run.signal(15)
        check(self.run.wait(60) == 0, "the run ends well")
        penstock("run", self.folder, "-t", self.target, "--until-idle")
        letters = penstock("dead", self.folder, "-t", self.target, "-n", "-1", "-o", "json")
        check('"letters":[]' in "".join(letters.split()), "no dead letter")

    def verify(self):
        penstock("verify", self.folder, "-t", self.target)
        check(True, "verify: what became of every record adds up")


def check_sums(where, found):
    """`found`: (meter, day) -> (kwh, peak, count)."""
    problems = []
    with open(READINGS / "expected.csv", newline="") as file:
        for row in csv.DictReader(file):
            got = found.pop((row["meter_id"], row["day"]), (0.0, 0.0, 0))
            if abs(got[0] - float(row["kwh"])) > 1e-6 or abs(got[1] - float(row["peak_kwh"])) > 1e-6 or got[2] != int(row["readings"]):
                problems.append(f"{got}, expected {row}")
    problems += [f"{key}: not expected" for key in found]
    check(not problems, f"{where}: sums, peaks and counts per meter and day {problems[:3]}")


def check_newest(where, found):
    """`found`: meter -> kwh of its last reading."""
    last = {}
    with open(READINGS / "readings.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["at"] >= last.get(row["meter_id"], ("", 0))[0]:
                last[row["meter_id"]] = (row["at"], float(row["kwh"]))
    check(found == {meter: kwh for meter, (_, kwh) in last.items()}, f"{where}: the newest row of each meter")


def prepare(folder, target, stores):
    """The meters pipeline with this target; `stores` are lines of its section stores."""
    init_meters(folder)
    file = folder / "pipeline.yaml"
    before, prod = file.read_text().split("  prod:\n", 1)  # whose settings these stores do not have
    tests = prod.split("\ntests:\n", 1)[1]
    head, rest = before.split("\nstores:\n", 1)
    rest = rest.split("\n\n", 1)[1]
    file.write_text(f"{head}\nstores:\n{stores}\n\n{rest}{target}\ntests:\n{tests}")


def main(one):
    """`one(options, folder)` is the whole test."""
    options = argparse.ArgumentParser()
    options.add_argument("--faults", type=int, default=24)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--outage", type=int, default=0)
    options.add_argument("--planted")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.chmod(temporary, 0o755)
        try:
            one(options, pathlib.Path(temporary))
        except SystemExit as end:
            if options.planted is None or not str(end).startswith("FAILED: DynamoDB: "):
                raise
            print(f"ok: {options.planted} was found: {str(end)[:300]}")
            return
    if options.planted is not None:
        sys.exit(f"FAILED: {options.planted} was not found")
