"""kill -9 at seeded random moments, again and again, and at the end every record is accounted for.

Campaigns on fresh folders: a week of real readings, each sent up to three times, plus 500 seeded bad records go through the
meters pipeline in epochs of 50 rows, sent at 2,000 rows a second. `run` and `send` are killed at random moments and started
again. At the end of each campaign: the rows and sums of expected.csv, fates that add up, as many absorbed as were sent again,
and in every topic exactly the records that must be there, byte for byte (whole_records.py), the dead letters among them.

usage: kills.py [--kills N] [--seed S] [--raw-records PROGRAM]
Goes on until 3/4 of N kills left lag and 1/10 of N left a store ahead of its group, and fails when that took more than 2 N kills:
then the kills do not bite.
"""
import argparse
import csv
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenarios"))
import whole_records  # noqa: E402
from pipeline_fixture import BINARY, READINGS, REPOSITORY, differences_to_expected, init_meters, look, penstock, rows  # noqa: E402

BAD = 500
HEADER = ["meter_id", "at", "kwh", "kvarh"]
RATES = (2000, 8)  # rows a second: readings, broken bytes
AGAIN_WITHIN = 1000  # rows: ten hours of event time


def write_inputs(folder, seed):
    """mixed.csv: the readings, again and bad ones in between; raw.jsonl: broken bytes. Returns what must become of them."""
    randomness = random.Random(seed)
    with open(READINGS / "readings.csv", newline="") as file:
        good = [[r[name] for name in HEADER] for r in csv.DictReader(file)]
    mixed = [(place, row, "row") for place, row in enumerate(good)]
    for place, row in enumerate(good):
        mixed += [(place + randomness.uniform(0.5, AGAIN_WITHIN), row, "again") for _ in range(randomness.randrange(3))]
    expected = whole_records.Expected(READINGS / "meters.csv")
    broken = []
    for number in range(BAD):
        kind = ("implausible", "join.no_match", "dropped", "broken")[number % 4]
        place = randomness.uniform(0, len(good))
        meter, at = good[int(place)][:2]
        if kind == "broken":
            value = (b"" if randomness.random() < 0.5 else b"\xc3\x01") + randomness.randbytes(randomness.randrange(0, 40))
            broken.append({"key": meter, "value_hex": value.hex()})
            expected.sent_broken(meter, value)
            continue
        row = {
            "implausible": [meter, at, f"-{randomness.random() + 0.001:.6f}", "0.0"],
            "join.no_match": [f"unknown-{number}", at, "0.5", "0.0"],
            "dropped": [f"TEST-{number}", at, "0.5", "0.0"],
        }[kind]
        mixed.append((place, row, kind))
    mixed.sort(key=lambda one: one[0])
    for _, row, becomes in mixed:
        expected.sent(row, becomes)
    with open(folder / "mixed.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(row for _, row, _ in mixed)
    (folder / "raw.jsonl").write_text("".join(json.dumps(line) + "\n" for line in broken))
    return expected


def remember_a_day(folder):
    """So that much of the week is forgotten on the way."""
    file = folder / "pipeline.yaml"
    text = file.read_text()
    if "within: 8d" not in text:
        sys.exit("FAILED: the example's unique is not as this test knows it")
    file.write_text(text.replace("within: 8d", "within: 1d"))


class Campaign:
    def __init__(self, folder, seed):
        self.folder, self.randomness = folder, random.Random(seed)
        self.seed = seed
        self.kills = self.lagging = self.ahead = 0

    def start(self, *arguments):
        return subprocess.Popen([BINARY, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sends(self, per_second=()):
        """`per_second`: so many rows of each; the broken ones alone would be a flood of dead letters, which stops a stage."""
        files = [["--to", "ingest", self.folder / "mixed.csv"], ["--to", "ingest", "--raw", self.folder / "raw.jsonl"]]
        rates = [["--rate", rate] for rate in per_second] or [[], []]
        return [["send", self.folder, *rate, *file] for rate, file in zip(rates, files)]

    def one_round(self):
        """Mostly run and sends together; else the sends alone and then run alone, which meets what they left."""
        if self.randomness.random() < 0.6:
            run = self.start("run", self.folder)
            sends = [self.start(*arguments) for arguments in self.sends(RATES)]
            victims = [run, sends[0]]
            self.randomness.shuffle(victims)
            self.kill_somewhere(victims, [run, *sends], sends, 0.05, 0.5)
        else:
            sends = [self.start(*arguments) for arguments in self.sends(RATES)]
            self.kill_somewhere([sends[0]], sends, sends, 0.2, 0.5)
            run = self.start("run", self.folder)
            self.kill_somewhere([run], [run], None, 0.0, 0.15)

    def wait_for_owner(self, processes):
        """Until somebody owns the folder and answers there: starts take as long as the machine lets them."""
        path = str(self.folder / ".penstock" / "control.sock")
        while any(process.poll() is None for process in processes):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(path) == 0:
                    return
            time.sleep(0.002)  # poll: for the owner's socket

    def kill_somewhere(self, victims, processes, until_ended, earliest, latest):
        """Kills all, the victims first, so many seconds after the folder's owner is up."""
        self.wait_for_owner(processes)
        moment = time.monotonic() + self.randomness.uniform(earliest, latest)
        while time.monotonic() < moment:
            if until_ended and all(process.poll() is not None for process in until_ended):
                break
            time.sleep(0.002)  # poll: for the moment that the seed chose
        for process in [*victims, *processes]:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.wait()
        self.kills += 1
        self.count_what_is_left()

    def count_what_is_left(self):
        lag = look("lag", self.folder)
        self.lagging += lag["lag"] > 0
        self.ahead += any(p["position"] > p["group_position"] for p in lag["partitions"])

    def finish(self, expected, raw_records):
        for arguments in self.sends():  # as fast as it goes
            subprocess.run([BINARY, *map(str, arguments)], capture_output=True)
        penstock("run", self.folder, "--until-idle")
        problems = differences_to_expected(self.folder)
        count = rows(self.folder, "select count(*) from readings")[0][0]
        if count != 16128:
            problems.append(f"{count} rows")
        verified = look("verify", self.folder)
        problems += [f"{s['what']}: {s['equation']}" for s in verified["sums"] if not s["holds"]]
        fates = [s["fates"] for s in look("status", self.folder)["stages"]]
        for name, count in (("dropped", sum(sum(f["dropped"].values()) for f in fates)),
                            ("absorbed", sum(f["absorbed"] for f in fates))):
            if count != expected.counts[name]:
                problems.append(f"{name} {count}, expected {expected.counts[name]}")
        letters = look("dead", self.folder, "-n", "1")["topics"]
        if sum(topic["distinct"] for topic in letters) != expected.letters.total():
            problems.append(f"dead tells of {letters}, expected {expected.letters.total()}")
        return problems + whole_records.problems(raw_records, self.folder / ".penstock", expected)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--raw-records", default=REPOSITORY / "build" / "release" / "tests" / "campaign" / "raw_records")
    options = options.parse_args()
    kills = lagging = ahead = campaigns = 0
    wanted_lagging, wanted_ahead = options.kills * 3 // 4, options.kills // 10
    while kills < options.kills or lagging < wanted_lagging or ahead < wanted_ahead:
        if kills >= 2 * options.kills:
            sys.exit(f"FAILED: {kills} kills, {lagging} left lag, {ahead} left a store ahead: too few bit")
        seed = options.seed * 1000 + campaigns
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary) / "p"
            init_meters(folder, epoch_rows=50)
            remember_a_day(folder)
            campaign = Campaign(folder, seed)
            expected = write_inputs(folder, seed)
            while campaign.kills < min(25, 2 * options.kills - kills):
                campaign.one_round()
            problems = campaign.finish(expected, options.raw_records)
        campaigns += 1
        kills, lagging, ahead = kills + campaign.kills, lagging + campaign.lagging, ahead + campaign.ahead
        print(f"campaign {campaigns} (seed {seed}): {campaign.kills} kills, {campaign.lagging} left lag, "
              f"{campaign.ahead} left a store ahead of its group; {'ok' if not problems else 'WRONG'}", flush=True)
        for problem in problems[:20]:
            print(f"  {problem}")
        if problems:
            sys.exit(1)
    print(f"{kills} kills in {campaigns} campaigns: {lagging} left lag, {ahead} left a store ahead of its group")


if __name__ == "__main__":
    main()
