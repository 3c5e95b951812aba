#!/usr/bin/env python3
"""A pipeline of three stages on real brokers while everything around it fails; then every record is accounted for.

usage: chaos.py [--nodes 1|3] [--records N] [--faults N] [--seed S] [--rate N] [--planted BUG] [--only FAULT[,FAULT…]]

Each worker speaks through a proxy of its own, so a fault hits one request of one worker. Goes on until N faults bit: evidence is
the signal at that very request, or counters that moved (aborted, unknown, fenced, dropped, lost, retired). The last line is the
figures. --planted runs the test binary with a guarantee taken out: the account must then NOT balance (exit 0 when it does not).
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
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import confluent_kafka  # noqa: E402
import proxy as wire  # noqa: E402
from accountant import INPUT, OUTPUTS, TRIAL, Account, framed  # noqa: E402
from broker import Broker  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402
from proxy import Proxy, Rule  # noqa: E402
from transactions import torn  # noqa: E402

PARTITIONS = 4
KEYS = 40
COPIES = ((0, 0), (2, 1), (5, 2))  # so many later in its key comes this copy of a record
TROUBLE = ("commit_aborts_total", "commit_unknowns_total", "commit_fenced_total", "commit_retries_total", "epochs_dropped_total",
           "losses_total")
# Where in an epoch's life a worker is killed: at which request, and when.
POINTS = [(wire.INIT_PRODUCER_ID, "answered"), (wire.ADD_PARTITIONS, "before"), (wire.ADD_PARTITIONS, "answered"), (wire.PRODUCE, "before"),
          (wire.PRODUCE, "delivered"), (wire.PRODUCE, "answered"), (wire.ADD_OFFSETS, "answered"), (wire.TXN_OFFSET_COMMIT, "before"),
          (wire.TXN_OFFSET_COMMIT, "delivered"), (wire.TXN_OFFSET_COMMIT, "answered"), (wire.END_TXN, "before"), (wire.END_TXN, "delivered"),
          (wire.END_TXN, "answered"), (wire.JOIN_GROUP, "answered")]
NAMES = {number: name for name, number in vars(wire).items() if isinstance(number, int)}


class Producer(threading.Thread):
    """Writes each record three times, in key order, each time exactly once (idempotent), past all faults."""

    def __init__(self, bootstrap, records, rate, marker):
        super().__init__(daemon=True)
        self.client = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                                                "message.timeout.ms": 300_000, "partitioner": "murmur2_random"})
        self.records, self.rate, self.marker = records, rate, marker
        self.sent, self.failed = 0, []
        self.stopped = threading.Event()

    def run(self):
        began = time.monotonic()
        n = 0
        while not (self.stopped.is_set() and self.sent >= self.records):
            for key in range(KEYS):
                for later, copy in COPIES:
                    if n >= later:
                        self.send(f"k{key}", n - later, copy)
            n += 1
            self.client.poll(0)
            ahead = self.sent / self.rate - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)  # poll: keeps the pace
        self.client.flush(300)

    def send(self, key, n, copy):
        value = self.marker + framed(INPUT, {"id": key, "n": n, "copy": copy, "at": 1_767_225_600_000 + 100 * n, "pad": "x" * 40})
        while True:
            try:
                self.client.produce("ingest", key=key, value=value, on_delivery=self.delivered)
                break
            except BufferError:
                self.client.poll(0.1)
        self.sent += 1

    def delivered(self, error, _):
        if error is not None:
            self.failed.append(str(error))


class Chaos:
    def __init__(self, options, broker, folder):
        self.options, self.broker, self.folder = options, broker, folder
        self.random = random.Random(options.seed)
        self.workers, self.number = [], 0
        self.bit, self.missed = {}, {}
        self.points = []
        self.ended = 0  # workers that ended by themselves and were started again

    # ---- workers

    def start(self, stage, *rules):
        self.number += 1
        proxy = Proxy(self.broker.ports)
        proxy.__enter__()
        for rule in rules:
            proxy.add(rule)
        environment = {"BROKERS": proxy.bootstrap, "PENSTOCK_PLANTED": self.options.planted or ""}
        worker = Process(self.folder, f"{stage}-{self.number}",
                         ["run", self.folder, "-t", "kafka", "--data", self.folder / "data", "--stage", stage], environment)
        worker.stage, worker.proxy = stage, proxy
        self.workers.append(worker)
        return worker

    def stop(self, worker, number):
        worker.signal(number)
        code = worker.wait(60)
        worker.proxy.__exit__()
        self.workers.remove(worker)
        return code

    def peers(self, worker):
        return [other for other in self.workers if other.stage == worker.stage and other is not worker]

    def busy(self, stages=("first", "second")):
        """A worker that reads records just now."""
        chosen = self.random.sample(self.workers, len(self.workers))
        before = {worker: worker.metric("records_read_total") for worker in chosen}

        def moved():
            return next((w for w in chosen if w.stage in stages and w.metric("records_read_total") > before[w] > -1), None)
        return wait_until(moved, 20)

    def troubles(self):
        return sum(worker.metrics().get(name, 0) for worker in self.workers for name in TROUBLE)

    def renewals(self, worker):
        return worker.proxy.seen_of(wire.INIT_PRODUCER_ID)

    # ---- faults; each returns whether it bit

    def kill_worker(self):
        """SIGKILL at one request of an epoch."""
        if not self.points:
            self.points = self.random.sample(POINTS, len(POINTS))
        api, when = self.points.pop()
        first = api in (wire.INIT_PRODUCER_ID, wire.JOIN_GROUP)
        worker = self.start(self.random.choice(["first", "second"])) if first else self.busy()
        if worker is None:
            return False
        worker.proxy.add(Rule(api, when, action=lambda: worker.signal(signal.SIGKILL)))
        killed = wait_until(lambda: not worker.running(), 60)
        self.stop(worker, signal.SIGKILL)
        if not first:
            self.start(worker.stage)
        if killed:
            self.killed_at = getattr(self, "killed_at", set()) | {f"{NAMES[api]} {when}"}
        return bool(killed)

    def kill_keeper(self):
        """The one that writes to the store."""
        worker = self.busy(("keeper",))
        if worker is None:
            return False
        wait_until(lambda: worker.metric("records_open") > 0, 5)
        open_records = worker.metric("records_open")
        self.stop(worker, signal.SIGKILL)
        self.start("keeper")
        return open_records > 0

    def pause_worker(self):
        """SIGSTOP with an open epoch, until others have its partitions; then it goes on where it was."""
        worker = self.busy()
        if worker is None:
            return False
        if self.random.random() < 0.5:
            # between two transactions, when the next epoch's records are read and nothing of it was sent
            ended = threading.Event()
            worker.proxy.add(Rule(wire.END_TXN, "answered", action=ended.set))
            if not ended.wait(20) or not wait_until(lambda: worker.metric("records_open") > 0, 10):
                return False
            worker.signal(signal.SIGSTOP)
        else:
            api = self.random.choice([wire.PRODUCE, wire.TXN_OFFSET_COMMIT, wire.END_TXN])
            stopped = threading.Event()
            worker.proxy.add(Rule(api, "delivered", action=lambda: (worker.signal(signal.SIGSTOP), stopped.set())))
            if not stopped.wait(20):
                return False
        replacement = self.start(worker.stage)
        others = self.peers(worker)
        replaced = wait_until(lambda: sum(p.metric("partitions_owned") for p in others) == PARTITIONS, 90)
        read = sum(p.metric("records_committed_total") for p in others)
        wait_until(lambda: sum(p.metric("records_committed_total") for p in others) > read, 30)
        worker.signal(signal.SIGCONT)
        noticed = wait_until(lambda: not worker.running() or worker.metric("losses_total") > 0 or worker.metric("epochs_dropped_total") > 0, 60)
        wait_until(lambda: not worker.running() or worker.metric("partitions_owned") > 0, 30)
        self.stop(replacement, signal.SIGTERM)
        return bool(replaced and noticed)

    def rebalance(self):
        stage = self.random.choice(["first", "second"])
        peers = [w for w in self.workers if w.stage == stage]
        # those that were killed before have left the group, or the guest gets their partitions
        wait_until(lambda: all(0 < p.metric("partitions_owned") < PARTITIONS for p in peers), 60)
        before = sum(p.metric("revocations_total") for p in peers)
        guest = self.start(stage)
        joined = wait_until(lambda: guest.metric("records_committed_total") > 0, 60)
        self.stop(guest, signal.SIGTERM if self.random.random() < 0.5 else signal.SIGKILL)
        return bool(joined and sum(p.metric("revocations_total") for p in peers) > before)

    def fail_broker(self):
        """Any of them: a leader of partitions, and coordinator of groups or of transactions."""
        if self.busy() is None:
            return False
        before = self.troubles(), sum(self.renewals(worker) for worker in self.workers)
        node = self.random.randrange(1, self.options.nodes + 1)
        if self.options.nodes > 1:
            self.broker.kill(node)
        else:
            self.stop_the_only_one(node)
        hurt = wait_until(lambda: self.troubles() > before[0] or sum(self.renewals(w) for w in self.workers) > before[1], 15)
        self.start_again(node)
        for worker in self.workers:
            worker.proxy.come_back()
        return bool(hurt or wait_until(lambda: self.troubles() > before[0] or sum(self.renewals(w) for w in self.workers) > before[1], 60))

    def stop_the_only_one(self, node):
        """Where a node is the only replica, its partitions have no leader while it stops and while it starts. Kafka takes them for deleted
        ones then, and counts a transaction that ends meanwhile as ended without having written there that it is (docs/kafka.md). So
        it loses its clients first, and is stopped when no transaction is ending; open ones stay open."""
        for worker in self.workers:
            worker.proxy.go_away()
        if not wait_until(lambda: "Prepare" not in self.broker.tool("TransactionsCommand", "list"), 60):
            sys.exit("FAILED: a transaction does not end")
        self.broker.stop(node)

    def start_again(self, node):
        """A node gives up by itself when its controllers were too slow for it, as on a machine that is busy; it has a supervisor too."""
        for last in (False, False, True):
            try:
                return self.broker.start(node)
            except RuntimeError:
                if last:
                    raise

    def cut(self):
        """All connections of a worker, inside a transaction."""
        worker = self.busy()
        if worker is None:
            return False
        before = self.renewals(worker)
        inside = threading.Event()
        worker.proxy.add(Rule(wire.TXN_OFFSET_COMMIT, "delivered", action=inside.set))
        if not inside.wait(20):
            return False
        worker.proxy.cut_all()
        return bool(wait_until(lambda: self.renewals(worker) > before, 30))

    def late_end(self):
        """The end of a transaction is delivered inside the next one, and then the worker dies (librdkafka asked again by itself)."""
        worker = self.busy()
        if worker is None:
            return False
        proxy, late, done = worker.proxy, [], threading.Event()

        async def strike():
            late.append(await proxy.deliver())
            worker.signal(signal.SIGKILL)
            done.set()

        proxy.add(Rule(wire.END_TXN, "hold"))
        if not wait_until(lambda: proxy.held, 20):
            return False
        ends = proxy.seen_of(wire.END_TXN)
        if not wait_until(lambda: proxy.seen_of(wire.END_TXN) > ends, 30):  # the client's own repeat
            return False
        proxy.add(Rule(wire.PRODUCE, "answered", action=strike))
        struck = done.wait(60)
        self.stop(worker, signal.SIGKILL)
        self.start(worker.stage)
        return bool(struck and late == [1])

    def lost_answer(self):
        """A request is done, and its answer never comes."""
        worker = self.busy()
        if worker is None:
            return False
        before = self.renewals(worker)
        worker.proxy.add(Rule(self.random.choice([wire.END_TXN, wire.TXN_OFFSET_COMMIT, wire.ADD_OFFSETS, wire.PRODUCE]), "cut_after"))
        return bool(wait_until(lambda: worker.proxy.pending() == 0, 20) and wait_until(lambda: self.renewals(worker) > before, 30))

    def repeated_request(self):
        worker = self.busy()
        if worker is None:
            return False
        worker.proxy.add(Rule(self.random.choice([wire.PRODUCE, wire.END_TXN, wire.TXN_OFFSET_COMMIT, wire.ADD_PARTITIONS]), "repeat"))
        return bool(wait_until(lambda: worker.proxy.pending() == 0, 20))

    def delayed_request(self):
        """Longer than the broker lets a transaction live, sometimes."""
        worker = self.busy()
        if worker is None:
            return False
        before = self.troubles(), self.renewals(worker)
        worker.proxy.add(Rule(self.random.choice([wire.END_TXN, wire.TXN_OFFSET_COMMIT, wire.PRODUCE]), "delay", seconds=self.random.uniform(5, 14)))
        return bool(wait_until(lambda: worker.proxy.pending() == 0, 20) and
                    wait_until(lambda: self.troubles() > before[0] or self.renewals(worker) > before[1], 25))

    FAULTS = (kill_worker, pause_worker, late_end, kill_worker, rebalance, fail_broker, kill_worker, cut, lost_answer, kill_keeper, late_end,
              kill_worker, repeated_request, delayed_request)

    def run(self):
        for stage in ("first", "first", "second", "second", "keeper"):
            self.start(stage)
        for worker in self.workers:
            if not wait_until(lambda worker=worker: worker.metric("claims_total") > 0, 90):
                sys.exit(f"FAILED: it does not begin\n{worker.told()}")
        faults = [fault for fault in self.FAULTS if not self.options.only or fault.__name__ in self.options.only.split(",")]
        attempts = 0
        while sum(self.bit.values()) < self.options.faults and attempts < self.options.faults * 3 and not self.refusals():
            fault = faults[attempts % len(faults)]
            attempts += 1
            began = time.monotonic()
            bit = fault(self)
            counts = self.bit if bit else self.missed
            counts[fault.__name__] = counts.get(fault.__name__, 0) + 1
            print(f"{fault.__name__}: {'bit' if bit else 'missed'} after {time.monotonic() - began:.1f} s", flush=True)
            for worker in list(self.workers):
                if not worker.running():  # crash-only: its supervisor starts it again
                    print(f"ended by itself: {worker.told()}", flush=True)
                    self.ended += 1
                    self.stop(worker, signal.SIGKILL)
                    self.start(worker.stage)

    # ---- the end

    def settle(self):
        """Until nothing lags, then a drain."""
        settled = wait_until(lambda: self.refusals() or self.lag() == 0, 240) and not self.refusals()
        problems = [] if settled else [f"lag {self.lag()} remains"] + [worker.told() for worker in self.workers]
        for worker in list(self.workers):
            if (code := self.stop(worker, signal.SIGTERM)) != 0:
                problems.append(f"SIGTERM: {worker.name} ended with {code}")
        return problems

    def refusals(self):
        """Workers that found a state which does not belong to its position: a transaction was torn."""
        return [path.stem for path in self.folder.glob("*.err") if "E004" in path.read_text(errors="replace")]

    def lag(self):
        done = subprocess.run([os.environ["PENSTOCK_BINARY"], "lag", self.folder, "-t", "kafka", "-o", "json"], capture_output=True, text=True,
                              env=os.environ | {"BROKERS": self.broker.bootstrap})
        return json.loads(done.stdout)["lag"] if done.returncode == 0 else -1


def new_pipeline(folder, options, broker):
    """The marker and fingerprint that stand before each value."""
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(TRIAL.format(partitions=PARTITIONS, replicas=options.nodes, epoch_rows=500, epoch_every=options.every))
    (folder / "event.avsc").write_text(json.dumps(INPUT))
    environment = os.environ | {"BROKERS": broker.bootstrap}
    subprocess.run([os.environ["PENSTOCK_BINARY"], "apply", folder, "-t", "kafka", "--data", folder / "data"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    record = json.dumps({"id": "", "n": 0, "copy": 0, "at": 0, "pad": ""})
    encoded = subprocess.run([os.environ["PENSTOCK_BINARY"], "avro", "encode", "--schema", folder / "event.avsc", "--framing", "single-object", "-"],
                             input=record.encode(), capture_output=True, check=True)
    return encoded.stdout[:10]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    options.add_argument("--records", type=int, default=60_000)
    options.add_argument("--faults", type=int, default=10)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rate", type=int, default=1000)
    options.add_argument("--every", default="100ms")  # an epoch
    options.add_argument("--planted")
    options.add_argument("--only")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Broker(nodes=options.nodes) as broker:
        folder = pathlib.Path(temporary) / "p"
        producer = Producer(broker.bootstrap, options.records, options.rate, new_pipeline(folder, options, broker))
        producer.start()
        chaos = Chaos(options, broker, folder)
        began = time.monotonic()
        chaos.run()
        producer.stopped.set()
        producer.join()
        problems = [f"the trial's own producer failed: {producer.failed[:3]}"] if producer.failed else []
        problems += chaos.settle()
        producer.client = None  # it would tell of the brokers' end
        account = Account(broker.bootstrap, folder / "data" / "stores" / "rows.sqlite")
        torn_ones, transactions = torn(broker.facts["dir"], "trial", OUTPUTS, account.origin)
    refused = [f"torn: {name} was refused its state" for name in chaos.refusals()]
    problems += account.problems + torn_ones + refused
    for problem in problems[:20]:
        print(problem)
    print(f"killed at: {', '.join(sorted(getattr(chaos, 'killed_at', [])))}")
    figures = {"seed": options.seed, "nodes": options.nodes, "seconds": round(time.monotonic() - began), **account.counts,
               "torn": len(torn_ones), **transactions, "faults that bit": sum(chaos.bit.values()), **chaos.bit,
               "missed": sum(chaos.missed.values()), "ended by themselves": chaos.ended}
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
    if options.planted:
        sys.exit(0 if torn_ones or refused or account.counts["repeated"] else f"FAILED: {options.planted} was taken out and nobody noticed")
    enough = sum(chaos.bit.values()) >= options.faults
    sys.exit(0 if not problems and enough else "FAILED" if problems else "FAILED: too few faults bit")


if __name__ == "__main__":
    main()
