"""One stage on Kafka beside a bare loop on the same client library, and the time that a record takes through it.

usage: bench/kafka_bench.py [cpu] [latency] [start] [--records N] [--pairs N] [--epochs MILLIS…] [--rates N…] [--seconds N]
                            [--delivery exactly_once at_least_once]
PENSTOCK_BUILD names the build folder (build/release). Everything runs on this machine: one broker, the programs, no other load wished.

cpu      `preprocessing` (drop and two sets) and kafka_bare_loop read the same filled topic of 100-byte records, in turns A B B A:
         user and system time of the whole process from its start to its end, per record; the median of each pair's ratio.
latency  records at a fixed rate through the stage, from the moment they are made to a reader of committed records.
start    from the start of `run` on a waiting topic to the first record that a reader of committed records sees.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "kafka"))
from broker import Broker  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PENSTOCK_BUILD", HERE.parent / "build" / "release"))
PENSTOCK, BARE, LOAD = BUILD / "src/app/penstock", BUILD / "bench/kafka_bare_loop", BUILD / "bench/kafka_load"
SCHEMA = HERE / "kafka" / "record.avsc"
PARTITIONS = 5
# Of the broker: what a cluster has (the tests' brokers are quicker to be given up), but no waiting for members of a new group.
BROKER = {"group.initial.rebalance.delay.ms": "0", "broker.session.timeout.ms": "", "broker.heartbeat.interval.ms": "", "num.io.threads": "8"}

PIPELINE = """pipeline: {name}
version: 1
schemas: {{sample: record.avsc}}
topics:
  {source}: {{schema: sample, key: id, partitions: {partitions}, replicas: 1, keep: 24h}}
  {name}: {{key: id, partitions: {partitions}, replicas: 1, keep: 24h}}
stages:
  preprocessing:
    from: {source}
    steps:
      - drop: {{when: "id.startsWith('TEST-')"}}
      - set: {{status: "'Done'"}}
      - set: {{doubled: value * 2.0}}
    to: {name}
targets:
  kafka:
    log: {{kafka: "{brokers}"{more}}}
    epoch: {{rows: {rows}, size: 400MiB, every: {epoch}ms}}
"""


def cpu_of(command):
    """Seconds of user and system time of a process from its start to its end, the seconds that it took, and what it printed."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said, complaint = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"FAILED: {command}\n{complaint}")
    return used.ru_utime + used.ru_stime, time.monotonic() - began, said


class Bench:
    def __init__(self, options, broker, folder):
        self.options, self.broker, self.folder, self.number = options, broker, folder, 0

    def pipeline(self, source, epoch, delivery="exactly_once", rows=1_000_000):
        """A new pipeline, so a new group and new topics."""
        self.number += 1
        name = f"bench{self.number}"
        more = ", delivery: at_least_once" if delivery == "at_least_once" else ""
        folder = self.folder / name
        folder.mkdir()
        (folder / "record.avsc").write_text(SCHEMA.read_text())
        (folder / "pipeline.yaml").write_text(PIPELINE.format(name=name, source=source, partitions=PARTITIONS, epoch=epoch, rows=rows,
                                                              brokers=self.broker.bootstrap, more=more))
        subprocess.run([PENSTOCK, "apply", folder], check=True, stdout=subprocess.DEVNULL)
        return folder, name

    def load(self, *words, **more):
        return subprocess.Popen([LOAD, words[0], self.broker.bootstrap, *map(str, words[1:])], stdout=subprocess.PIPE, text=True, **more)

    def fill(self, topic, records):
        if self.load("fill", topic, SCHEMA, records).wait() != 0:
            sys.exit(f"FAILED: {topic} could not be filled")

    # ---- CPU per record

    def stage(self, epoch, delivery):
        folder, name = self.pipeline("filled", epoch, delivery)
        cpu, seconds, _ = cpu_of([PENSTOCK, "run", folder, "--until-idle"])
        self.forget(name)
        return cpu, seconds

    def bare(self, epoch, delivery):
        _, name = self.pipeline("filled", epoch)
        cpu, _, said = cpu_of([BARE, self.broker.bootstrap, delivery, "filled", name, self.options.records, epoch])
        self.forget(name)
        return cpu, json.loads(said)["seconds"]

    def forget(self, topic):
        """What was written is not needed any more: the disk is."""
        if self.load("empty", topic).wait() != 0:
            sys.exit(f"FAILED: {topic} could not be emptied")

    def cpu(self):
        self.pipeline("filled", 100)
        self.fill("filled", self.options.records)
        count = self.options.records
        print(f"CPU per record, {count:,} records of 100 bytes, {self.options.pairs} pairs in turns, {PARTITIONS} partitions, codec none")
        print("| delivery | epoch | stage µs | bare loop µs | ratio (each pair) | stage records/s | bare records/s |\n|---|---|---|---|---|---|---|")
        for delivery in self.options.delivery:
            for epoch in self.options.epochs:
                stage, bare = [], []
                for pair in range(self.options.pairs):
                    for which in (stage, bare) if pair % 2 == 0 else (bare, stage):
                        which.append((self.stage if which is stage else self.bare)(epoch, delivery))
                ratios = [s[0] / b[0] for s, b in zip(stage, bare)]
                micros = [statistics.median(cpu for cpu, _ in some) / count * 1e6 for some in (stage, bare)]
                rates = [count / statistics.median(seconds for _, seconds in some) for some in (stage, bare)]
                each = " ".join(f"{ratio:.2f}" for ratio in ratios)
                print(f"| {delivery.replace('_', ' ')} | {epoch} ms | {micros[0]:.3f} | {micros[1]:.3f} | "
                      f"**{statistics.median(ratios):.2f}** ({each}) | {rates[0]:,.0f} | {rates[1]:,.0f} |", flush=True)

    # ---- latency

    def latency(self):
        print(f"Latency through one stage, {self.options.seconds} s at a fixed rate, the first 3 s not counted\n"
              "| delivery | epoch | records/s | p50 ms | p99 ms | p99.9 ms | largest ms | CPU of the stage |\n|---|---|---|---|---|---|---|---|")
        for delivery in self.options.delivery:
            for rate in self.options.rates:
                self.latency_of(delivery, rate, 100)

    def latency_of(self, delivery, rate, epoch):
        source = f"paced{self.number}"
        folder, name = self.pipeline(source, epoch, delivery, rows=10_000)
        records = rate * self.options.seconds
        kept = records - -(-records // 1000)  # each thousandth is dropped
        watch = self.load("watch", name, kept, 3 * rate)
        stage = subprocess.Popen([PENSTOCK, "run", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            pace = self.load("pace", source, SCHEMA, rate, self.options.seconds)
            told = watch.communicate(timeout=self.options.seconds + 60)[0]
            if pace.wait() != 0 or watch.returncode != 0:
                sys.exit("FAILED: the load did not get through")
        finally:
            stage.terminate()
            _, _, used = os.wait4(stage.pid, 0)
            stage.returncode = 0
            watch.kill()
        seen = json.loads(told)
        share = (used.ru_utime + used.ru_stime) / self.options.seconds
        print(f"| {delivery.replace('_', ' ')} | {epoch} ms | {rate:,} | {seen['p50']} | **{seen['p99']}** | {seen['p999']} | {seen['max']} | "
              f"{share:.1%} of a core |", flush=True)

    # ---- start

    def start(self):
        print("From the start of `run` to the first record seen, ms, five times (the broker delays a new group's first rebalance by 0 ms)")
        self.pipeline("waiting", 100)
        self.fill("waiting", 1_000)
        took = []
        for _ in range(5):
            folder, name = self.pipeline("waiting", 100)
            watch = self.load("watch", name, 999, 0)
            began = time.time()
            stage = subprocess.Popen([PENSTOCK, "run", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seen = json.loads(watch.communicate(timeout=60)[0])
            stage.terminate()
            stage.wait()
            took.append(round(seen["first_seen"] / 1e3 - began * 1e3))
        print(f"{' '.join(map(str, took))}: median **{statistics.median(took)}**, largest {max(took)}", flush=True)


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("parts", nargs="*", choices=["cpu", "latency", "start", []], default=["cpu", "latency", "start"])
    reader.add_argument("--records", type=int, default=3_000_000)
    reader.add_argument("--pairs", type=int, default=2)
    reader.add_argument("--epochs", type=int, nargs="+", default=[50, 100, 250, 1000])
    reader.add_argument("--rates", type=int, nargs="+", default=[10_000, 1_000, 10_000], help="the first one warms the broker up")
    reader.add_argument("--seconds", type=int, default=20)
    reader.add_argument("--delivery", nargs="+", default=["exactly_once"])
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Broker(properties=BROKER, heap="1g") as broker:
        bench = Bench(options, broker, pathlib.Path(temporary))
        for part in options.parts:
            getattr(bench, part)()


if __name__ == "__main__":
    main()
