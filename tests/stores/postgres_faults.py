"""The meters pipeline into PostgreSQL, while everything between them fails: every row once, sums right.

A week of real readings, in as many parts as there are faults, goes through the embedded log into an appending table (a repeated
row would show) and a table of the newest row per meter, in small epochs. While a part is on its way: kill -9 of the binary, connections cut before and after COMMIT was done
(and before the merge, in the COPY, at BEGIN), the server killed and started again, its processes terminated, rows locked by
somebody else, answers slow, the server away.

usage: postgres_faults.py [--faults N] [--seed S] [--outage SECONDS]
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
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios"), str(HERE.parent / "kafka")]
from penstock_process import Process, wait_until  # noqa: E402
from pg_proxy import Proxy  # noqa: E402
from pipeline_fixture import BINARY, READINGS, check, init_meters, penstock  # noqa: E402

POSTGRES = HERE.parents[1] / "tools" / "postgres"
PASSWORD = {"PENSTOCK_SECRET_WAREHOUSE": "penstock"}
ROWS = 16128
TARGET = """  pg:
    log: embedded
    epoch: {{rows: 100}}
    stores:
      latest: &server {{host: 127.0.0.1, port: {port}, database: penstock, user: penstock, tls: off, create: true,
                       password: "${{secret:warehouse}}"}}
      warehouse: *server
"""


class Server:
    def __init__(self, folder):
        facts = self.tool("up", folder, "fsync = off")
        self.folder, self.port = folder, int(dict(line.split("=", 1) for line in facts.split())["port"])

    def tool(self, verb, *arguments):
        return subprocess.run([POSTGRES, verb, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def arguments(self):
        return ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "penstock", "-d", "penstock", "-AtqX"]

    def ask(self, sql):
        """Lines of cells; empty while the server is away or has no such table."""
        done = subprocess.run([*self.arguments(), "-c", sql], capture_output=True, text=True)
        return [line.split("|") for line in done.stdout.splitlines()]

    def count(self):
        found = self.ask("select count(*) from readings")
        return int(found[0][0]) if found else 0

    def restart(self):
        self.tool("kill", self.folder)
        self.tool("start", self.folder)

    def terminate(self):
        self.ask("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'penstock'")

    def lock(self, seconds):
        self.ask(f"begin; lock table penstock_positions in exclusive mode; select pg_sleep({seconds}); commit")


class Campaign:
    def __init__(self, folder, server, proxy, seed):
        self.folder, self.server, self.proxy = folder, server, proxy
        self.randomness = random.Random(seed)
        self.run = None
        self.starts = 0
        self.bitten = {}

    def start(self):
        self.starts += 1
        self.run = Process(self.folder, f"run{self.starts}", ["run", self.folder, "-t", "pg"], PASSWORD)
        if not wait_until(lambda: (self.folder / ".penstock" / "control.sock").exists() or not self.run.running(), 60):
            sys.exit("FAILED: run did not start\n" + self.run.told())

    def kill(self):
        self.run.signal(9)
        self.run.process.wait()
        self.start()

    def cut(self, kind, when):
        self.proxy.cut(kind, when)
        bites = wait_until(lambda: not self.proxy.cuts, 20)
        self.proxy.cuts.clear()
        return bites

    def slow(self):
        self.proxy.delay = 0.05
        before = self.server.count()
        wait_until(lambda: self.server.count() > before + 200, 10)
        self.proxy.delay = 0.0

    def away(self):
        self.proxy.refuse()
        moment = time.monotonic() + 2.0
        wait_until(lambda: time.monotonic() > moment, 10)
        self.proxy.allow()

    def faults(self, count, outage):
        kinds = {"kill -9": self.kill, "server killed": self.server.restart, "terminated": self.server.terminate,
                 "locked": lambda: self.server.lock(2), "slow": self.slow, "away": self.away}
        kinds |= {f"cut {when} {kind}": (lambda kind=kind, when=when: self.cut(kind, when))
                  for kind in ("begin", "copy", "merge", "commit") for when in ("before", "after")}
        # COMMIT is where it matters most.
        names = [*kinds, "cut before commit", "cut after commit", "cut before commit", "cut after commit"]
        names = (names * (count // len(names) + 1))[:count]
        self.randomness.shuffle(names)
        if outage:
            kinds["long outage"] = lambda: self.outage(outage)
            names[count // 2] = "long outage"
        for place, (name, part) in enumerate(zip(names, self.parts(count), strict=True)):
            before = self.server.count()
            sending = threading.Thread(target=self.send, args=(part,))
            sending.start()
            if not wait_until(lambda: self.server.count() > before, 120):
                sys.exit(f"FAILED: {before} rows before {name}, no more come\n" + self.run.told())
            bites = kinds[name]() is not False
            self.bitten[name] = self.bitten.get(name, 0) + bites
            print(f"  {place + 1:2} {name} at {self.server.count()} rows{'' if bites else ': too late'}", flush=True)
            sending.join()

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
            done = subprocess.run([BINARY, "send", self.folder, "-t", "pg", "--to", "ingest", file, "--rate", "1000"],
                                  capture_output=True, text=True, env=os.environ | PASSWORD)
            if done.returncode == 0 or "U006" in done.stderr:
                return
            wait_until(self.run.running, 20)
        sys.exit("FAILED: send\n" + done.stderr)

    def outage(self, seconds):
        self.proxy.refuse()
        moment = time.monotonic() + seconds
        print(f"  the server is away for {seconds} s", flush=True)
        wait_until(lambda: time.monotonic() > moment or not self.run.running(), seconds + 10)
        check(self.run.running(), "the run is still there")
        self.proxy.allow()


def differences(server):
    found = {(meter, day): (float(kwh), float(peak), int(count)) for meter, day, kwh, peak, count in server.ask(
        "select meter_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD'), sum(kwh), max(kwh), count(*) from readings group by 1, 2")}
    problems = []
    with open(READINGS / "expected.csv", newline="") as file:
        for row in csv.DictReader(file):
            got = found.pop((row["meter_id"], row["day"]), (0.0, 0.0, 0))
            if abs(got[0] - float(row["kwh"])) > 1e-6 or abs(got[1] - float(row["peak_kwh"])) > 1e-6 or got[2] != int(row["readings"]):
                problems.append(f"{got}, expected {row}")
    return problems + [f"{key}: not expected" for key in found]


def newest_is_right(server):
    """Of each meter its last reading."""
    last = {}
    with open(READINGS / "readings.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["at"] >= last.get(row["meter_id"], ("", 0))[0]:
                last[row["meter_id"]] = (row["at"], float(row["kwh"]))
    found = {meter: float(kwh) for meter, kwh in server.ask("select meter_id, kwh from meter_latest")}
    return found == {meter: kwh for meter, (_, kwh) in last.items()}


def prepare(folder, port):
    init_meters(folder)
    file = folder / "pipeline.yaml"
    text = file.read_text()
    text = text.replace("{dynamodb: meter_latest,", "{postgres: meter_latest,", 1)
    text = text.replace("{redshift: readings, upsert_on: [meter_id, at]}", "{postgres: readings}", 1)
    # The production target names settings that these stores do not have.
    before, prod = text.split("  prod:\n", 1)
    tests = prod.split("\ntests:\n", 1)[1]
    file.write_text(before + TARGET.format(port=port) + "\ntests:\n" + tests)


def one(options, temporary):
    server = Server(pathlib.Path(temporary) / "pg")
    try:
        proxy = Proxy(server.port)
        folder = pathlib.Path(temporary) / "p"
        prepare(folder, proxy.port)
        campaign = Campaign(folder, server, proxy, options.seed)
        campaign.start()
        os.environ.update(PASSWORD)
        campaign.faults(options.faults, options.outage)
        wait_until(lambda: server.count() >= ROWS or not campaign.run.running(), 180)
        campaign.run.signal(15)
        check(campaign.run.wait(60) == 0, "the run ends well")
        penstock("run", folder, "-t", "pg", "--until-idle")
        bitten = sum(campaign.bitten.values())
        check(bitten >= options.faults * 4 // 5, f"{bitten} of {options.faults} faults came in time: {campaign.bitten}")
        check(server.count() == ROWS, f"{server.count()} rows of {ROWS}: every row once")
        problems = differences(server)
        check(not problems, f"sums, peaks and counts per meter and day {problems[:3]}")
        check(newest_is_right(server), "the newest row of each meter")
        letters = penstock("dead", folder, "-t", "pg", "-n", "-1", "-o", "json")
        check('"store.' not in letters and '"letters": []' in letters.replace("[\n  ]", "[]") or '"letters":[]' in letters,
              "no dead letter")
        penstock("verify", folder, "-t", "pg")
        check(True, "verify: what became of every record adds up")
    finally:
        server.tool("down", server.folder)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--faults", type=int, default=24)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--outage", type=int, default=0)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.chmod(temporary, 0o755)
        one(options, temporary)


if __name__ == "__main__":
    main()
