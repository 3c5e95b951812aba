"""Full load for minutes: the whole meters pipeline with two SQLite stores; how much memory stays resident?

usage: bench/soak.py [SECONDS] [--meters N] [--limit-mb N]     300 seconds and 1,000 meters by default; PENSTOCK_BINARY names the binary
One process runs every stage and takes in file after file, as fast as it goes, so that the stages always have work. Every half
minute a line; at the end the peak, a drain, and `verify`. Exit 1 when the peak is above the limit (300 MB), or a record is missing.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
BINARY = os.environ.get("PENSTOCK_BINARY", str(REPOSITORY / "build" / "penstock"))
ROWS_PER_FILE = 250_000
QUARTER_HOUR = 900
MOST_LAG = 2_000_000  # above this the sender waits: the disk is to last
LOOK_EVERY = 0.25


def write_meters(path, meters):
    with open(path, "w") as file:
        file.write("meter_id,tenant,site,tariff,rated_kw\n")
        for meter in range(meters):
            file.write(f"m{meter:05d},{('alpine', 'baltic', 'nordic')[meter % 3]},s{meter % 50},H0,2.0\n")


def write_readings(path, meters, first_quarter):
    """Whole quarter hours, the meters of each in random order; every row once in all files. The first quarter of the next file."""
    quarter, rows = first_quarter, 0
    order = list(range(meters))
    with open(path, "w") as file:
        file.write("meter_id,at,kwh,kvarh\n")
        while rows < ROWS_PER_FILE:
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_767_225_600 + quarter * QUARTER_HOUR))
            random.shuffle(order)
            file.writelines(f"m{meter:05d},{at},0.{(quarter + meter) % 997:03d},0.0{meter % 89:02d}\n" for meter in order)
            quarter, rows = quarter + 1, rows + meters
    return quarter, rows


def memory_of(pid):
    """Resident now and at its peak, in MB."""
    with open(f"/proc/{pid}/status") as file:
        found = {name: int(value.split()[0]) * 1024 / 1e6
                 for name, value in (line.split(":", 1) for line in file) if name in ("VmRSS", "VmHWM")}
    return found["VmRSS"], found["VmHWM"]


def ask(verb, folder):
    return json.loads(subprocess.run([BINARY, verb, folder, "-o", "json"], capture_output=True, text=True, check=True).stdout)


class Feeder(threading.Thread):
    """Sends file after file until told to stop."""

    def __init__(self, folder, meters):
        super().__init__(daemon=True)
        self.folder, self.meters = folder, meters
        self.rows, self.lag, self.over = 0, 0, threading.Event()

    def run(self):
        quarter = number = 0
        while not self.over.is_set():
            path = self.folder / f"readings-{number}.csv"
            quarter, rows = write_readings(path, self.meters, quarter)
            subprocess.run([BINARY, "send", self.folder, "--to", "ingest", path], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            path.unlink()
            self.rows += rows
            number += 1
            self.lag = ask("lag", self.folder)["lag"]
            while self.lag > MOST_LAG and not self.over.wait(1):
                self.lag = ask("lag", self.folder)["lag"]


def watch(process, feeder, seconds):
    began, told, peak = time.monotonic(), 0, 0
    while (passed := time.monotonic() - began) < seconds:
        if process.poll() is not None or not feeder.is_alive():
            sys.exit("FAILED: penstock ended by itself, or refused a file")
        resident, peak = memory_of(process.pid)
        if passed >= told:
            print(f"{passed:5.0f} s  {feeder.rows:>12,} rows in  lag {feeder.lag:>9,}  resident {resident:4.0f} MB  peak {peak:4.0f} MB",
                  flush=True)
            told += 30
        time.sleep(LOOK_EVERY)
    return peak


def main():
    options = argparse.ArgumentParser()
    options.add_argument("seconds", type=float, nargs="?", default=300)
    options.add_argument("--meters", type=int, default=1000)
    options.add_argument("--limit-mb", type=float, default=300)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "p"
        subprocess.run([BINARY, "init", "meters", folder], check=True, stdout=subprocess.DEVNULL)
        write_meters(folder / "data" / "meters.csv", options.meters)
        process = subprocess.Popen([BINARY, "run", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            feeder = Feeder(folder, options.meters)
            feeder.start()
            peak = watch(process, feeder, options.seconds)
            feeder.over.set()
            feeder.join()
            process.send_signal(signal.SIGTERM)
            process.wait()
        finally:
            process.kill()
        subprocess.run([BINARY, "run", folder, "--until-idle"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        holds = ask("verify", folder)["holds"]
    print(f"peak resident memory {peak:.0f} MB in {options.seconds:.0f} s; {feeder.rows:,} rows; verify "
          f"{'adds up' if holds else 'does NOT add up'}")
    if peak > options.limit_mb or not holds:
        sys.exit(1)


if __name__ == "__main__":
    main()
