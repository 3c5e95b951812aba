#!/usr/bin/env python3
"""A pipeline of two stages on real brokers while everything around it fails; then every record is accounted for.

usage: chaos.py [--nodes 1|3] [--records N] [--faults N] [--seed S] [--rate N] [--planted BUG] [--only FAULT] [--venv DIR]

Goes on until N faults provably bit: an epoch was open, dropped, unknown or fenced because of it. The last line is the figures.
--planted runs the test binary with a guarantee taken out: the account must then NOT balance (exit 0 when it does not).
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

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "avro"))
sys.path.insert(0, str(HERE.parent / "scenarios"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import confluent_kafka  # noqa: E402
from accountant import INPUT, TRIAL, Account, framed  # noqa: E402
from broker import Broker  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402
from proxy import ADD_OFFSETS, ADD_PARTITIONS, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, Proxy, Rule  # noqa: E402

PARTITIONS = 4
KEYS = 40
TROUBLE = ("aborts", "unknowns", "fenced", "retries")


class Producer(threading.Thread):
    """Writes records in key order, each exactly once (idempotent), past all faults."""

    def __init__(self, bootstrap, records, rate):
        super().__init__(daemon=True)
        self.client = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                                                "message.timeout.ms": 300_000, "partitioner": "murmur2_random"})
        self.records, self.rate = records, rate
        self.produced, self.failed = {}, []
        self.stopped = threading.Event()
        self.schema_marker = None

    def run(self):
        began = time.monotonic()
        for number in range(10**9):
            if self.stopped.is_set() and number >= self.records:
                break
            key = f"k{number % KEYS}"
            n = self.produced.get(key, 0)
            value = self.schema_marker + framed(INPUT, {"id": key, "n": n, "pad": "x" * 60})
            while True:
                try:
                    self.client.produce("ingest", key=key, value=value, on_delivery=self.delivered)
                    break
                except BufferError:
                    self.client.poll(0.1)
            self.produced[key] = n + 1
            if number % 100 == 0:
                self.client.poll(0)
                ahead = number / self.rate - (time.monotonic() - began)
                if ahead > 0:
                    self.stopped.wait(ahead) if number < self.records else time.sleep(ahead)  # poll: keeps the pace
        self.client.flush(300)

    def delivered(self, error, _):
        if error is not None:
            self.failed.append(str(error))


class Chaos:
    def __init__(self, options, broker, proxy, folder):
        self.options, self.broker, self.proxy, self.folder = options, broker, proxy, folder
        self.random = random.Random(options.seed)
        self.workers, self.number = [], 0
        self.bit, self.missed = {}, {}

    def start(self, stage):
        self.number += 1
        environment = {"BROKERS": self.proxy.bootstrap}
        if self.options.planted:
            environment["PENSTOCK_PLANTED"] = self.options.planted
        worker = Process(self.folder, f"{stage}-{self.number}", ["run", self.folder, "-t", "kafka", "--stage", stage], environment)
        worker.stage = stage
        self.workers.append(worker)
        return worker

    def stop(self, worker, number):
        worker.signal(number)
        code = worker.wait(60)
        self.workers.remove(worker)
        return code

    def with_open_epoch(self):
        """A worker that holds records which are not durable."""
        chosen = self.random.sample(self.workers, len(self.workers))
        return wait_until(lambda: next((w for w in chosen if w.metric("records_open") > 0), None), 5)

    def troubles(self):
        return sum(worker.metric(f"commit_{name}_total") for worker in self.workers for name in TROUBLE) + sum(
            worker.metric("epochs_dropped_total") for worker in self.workers)

    # ---- faults; each returns whether it bit

    def kill_worker(self):
        worker = self.with_open_epoch()
        if worker is None:
            return False
        self.stop(worker, signal.SIGKILL)
        self.start(worker.stage)
        return True

    def pause_worker(self):
        """SIGSTOP with an open epoch, until others have its partitions; then it goes on where it was."""
        worker = self.with_open_epoch()
        if worker is None:
            return False
        worker.signal(signal.SIGSTOP)
        replacement = self.start(worker.stage)
        peers = [w for w in self.workers if w.stage == worker.stage and w is not worker]
        replaced = wait_until(lambda: sum(p.metric("partitions_owned") for p in peers) == PARTITIONS, 60)
        worker.signal(signal.SIGCONT)
        noticed = wait_until(lambda: worker.metric("losses_total") > 0 or worker.metric("epochs_dropped_total") > 0, 30)
        self.stop(replacement, signal.SIGTERM)
        return bool(replaced and noticed)

    def rebalance(self):
        stage = self.random.choice(["first", "second"])
        peers = [w for w in self.workers if w.stage == stage]
        before = sum(p.metric("revocations_total") for p in peers)
        guest = self.start(stage)
        joined = wait_until(lambda: guest.metric("partitions_owned") > 0, 60)
        self.stop(guest, signal.SIGTERM if self.random.random() < 0.5 else signal.SIGKILL)
        return bool(joined and sum(p.metric("revocations_total") for p in peers) > before)

    def kill_broker(self):
        if self.with_open_epoch() is None:
            return False
        before = self.troubles()
        node = self.random.randrange(1, self.options.nodes + 1)
        self.broker.kill(node)
        wait_until(lambda: self.troubles() > before, 10)
        self.broker.start(node)
        return bool(wait_until(lambda: self.troubles() > before, 30))

    def cut(self):
        if self.with_open_epoch() is None:
            return False
        before = self.troubles()
        self.proxy.cut_all()
        return bool(wait_until(lambda: self.troubles() > before, 5))

    def late_end(self):
        """The end of one transaction is delivered after the next has begun (librdkafka asks again by itself)."""
        self.proxy.add(Rule(END_TXN, "hold"))
        if not wait_until(lambda: self.proxy.held, 20):
            return False
        ends, begun = self.proxy.seen_of(END_TXN), self.proxy.seen_of(ADD_PARTITIONS)
        went_on = wait_until(lambda: self.proxy.seen_of(END_TXN) > ends or self.proxy.seen_of(ADD_PARTITIONS) > begun + 2, 30)
        produced = self.proxy.seen_of(PRODUCE)
        wait_until(lambda: self.proxy.seen_of(PRODUCE) > produced, 5)
        return self.proxy.release() > 0 and bool(went_on)

    def lost_answer(self):
        api = self.random.choice([END_TXN, END_TXN, TXN_OFFSET_COMMIT, ADD_OFFSETS, PRODUCE])
        before = self.troubles()
        self.proxy.add(Rule(api, "cut_after"))
        if not wait_until(lambda: self.proxy.pending() == 0, 20):
            return False
        return bool(wait_until(lambda: self.troubles() > before, 5)) or api == END_TXN

    def repeated_request(self):
        self.proxy.add(Rule(self.random.choice([PRODUCE, END_TXN, TXN_OFFSET_COMMIT, ADD_PARTITIONS]), "repeat"))
        return bool(wait_until(lambda: self.proxy.pending() == 0, 20))

    def delayed_request(self):
        before = self.troubles()
        self.proxy.add(Rule(self.random.choice([END_TXN, TXN_OFFSET_COMMIT, PRODUCE]), "delay", seconds=self.random.uniform(1, 12)))
        wait_until(lambda: self.proxy.pending() == 0, 20)
        return bool(wait_until(lambda: self.troubles() > before, 15))

    FAULTS = (kill_worker, kill_worker, pause_worker, rebalance, kill_broker, cut, late_end, late_end, lost_answer, repeated_request,
              delayed_request)

    def run(self):
        for stage in ("first", "first", "second", "second"):
            self.start(stage)
        for worker in self.workers:
            if not wait_until(lambda worker=worker: worker.metric("worker_ready") == 1, 90):
                sys.exit(f"FAILED: {worker.name} does not become ready:\n{worker.output()}")
        faults = [f for f in self.FAULTS if not self.options.only or f.__name__ == self.options.only]
        attempts = 0
        while sum(self.bit.values()) < self.options.faults and attempts < self.options.faults * 4:
            attempts += 1
            fault = faults[attempts % len(faults)] if attempts <= len(faults) else self.random.choice(faults)
            counts = self.bit if fault(self) else self.missed
            counts[fault.__name__] = counts.get(fault.__name__, 0) + 1
            for worker in list(self.workers):
                if not worker.running():  # crash-only: its supervisor starts it again
                    self.workers.remove(worker)
                    self.start(worker.stage)
                    self.bit["exit"] = self.bit.get("exit", 0)

    def settle(self):
        """Until nothing lags, then a drain; what is left over for people to read when it does not end."""
        settled = wait_until(lambda: self.lag() == 0, 180)
        codes = {worker.name: self.stop(worker, signal.SIGTERM) for worker in list(self.workers)}
        problems = [f"{name} ended with {code}" for name, code in codes.items() if code != 0]
        return problems + ([] if settled else [f"lag {self.lag()} remains"])

    def lag(self):
        done = subprocess.run([os.environ["PENSTOCK_BINARY"], "lag", self.folder, "-t", "kafka", "-o", "json"], capture_output=True, text=True,
                              env=os.environ | {"BROKERS": self.broker.bootstrap})
        return json.loads(done.stdout)["lag"] if done.returncode == 0 else -1


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    options.add_argument("--records", type=int, default=60_000)
    options.add_argument("--faults", type=int, default=10)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rate", type=int, default=2000)
    options.add_argument("--planted")
    options.add_argument("--only")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Broker(nodes=options.nodes) as broker, Proxy(broker.ports) as proxy:
        folder = pathlib.Path(temporary) / "p"
        folder.mkdir()
        (folder / "pipeline.yaml").write_text(TRIAL.format(name="trial", partitions=PARTITIONS, replicas=options.nodes, epoch_rows=500,
                                                           epoch_every="100ms", more=""))
        (folder / "event.avsc").write_text(json.dumps(INPUT))
        environment = os.environ | {"BROKERS": broker.bootstrap}
        subprocess.run([os.environ["PENSTOCK_BINARY"], "apply", folder, "-t", "kafka"], check=True, env=environment)
        producer = Producer(broker.bootstrap, options.records, options.rate)
        marker = subprocess.run([os.environ["PENSTOCK_BINARY"], "avro", "encode", "--schema", folder / "event.avsc", "--framing", "single-object"],
                                input=json.dumps({"id": "", "n": 0, "pad": ""}).encode(), capture_output=True, check=True).stdout
        producer.schema_marker = marker[:10]
        producer.start()
        chaos = Chaos(options, broker, proxy, folder)
        began = time.monotonic()
        try:
            chaos.run()
            producer.stopped.set()
            producer.join()
            problems = [f"the trial's own producer failed: {producer.failed[:3]}"] if producer.failed else []
            problems += chaos.settle()
        finally:
            for worker in chaos.workers:
                worker.signal(signal.SIGKILL)
        account = Account(producer.produced)
        problems += account.differences(broker.bootstrap, "trial")
    for problem in problems:
        print(problem)
    figures = {"seed": options.seed, "nodes": options.nodes, "seconds": round(time.monotonic() - began), **account.counts,
               "faults that bit": sum(chaos.bit.values()), **chaos.bit, "missed": sum(chaos.missed.values())}
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
    if options.planted:
        sys.exit(0 if problems else f"FAILED: {options.planted} was taken out and nobody noticed")
    enough = sum(chaos.bit.values()) >= options.faults
    sys.exit(0 if not problems and enough else "FAILED" if problems else "FAILED: too few faults bit")


if __name__ == "__main__":
    main()
