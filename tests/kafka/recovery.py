#!/usr/bin/env python3
"""How soon are a dead worker's partitions read again? By point of the epoch at which it was killed, and for a SIGTERM.

usage: recovery.py [--rounds N]     the broker's own settings for rebalances and for the scan of dead transactions

Two workers share the partitions of one stage; readings come in all the time. Measured: from the signal until the stage's output has,
in each partition, a committed record whose input was written after the signal. Fails when a kill took longer than 30 s, a SIGTERM
longer than 5 s. The last lines are the table of docs/kafka.md.
"""
import argparse
import pathlib
import signal
import statistics
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import chaos  # noqa: E402  (it enters the tests' own Python first)
import outside  # noqa: E402
import proxy as wire  # noqa: E402
from broker import Broker  # noqa: E402
from confluent_kafka import TopicPartition  # noqa: E402
from penstock_process import wait_until  # noqa: E402
from proxy import Rule  # noqa: E402

KILL_SECONDS, TERM_SECONDS = 30, 5
OWN_SETTINGS = {"group.initial.rebalance.delay.ms": "", "transaction.abort.timed.out.transaction.cleanup.interval.ms": ""}


class Watcher(threading.Thread):
    """The producer's time of the newest input whose record is committed in the output, for each partition of the output."""

    def __init__(self, bootstrap, topic):
        super().__init__(daemon=True)
        self.consumer = outside.reader(bootstrap, "watcher")
        self.consumer.assign([TopicPartition(topic, partition, 0) for partition in range(chaos.PARTITIONS)])
        self.newest = dict.fromkeys(range(chaos.PARTITIONS), 0.0)
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            for message in self.consumer.consume(1000, 0.05):
                if message.error() is None:
                    # a record keeps its input's timestamp, and its key's partition: the topics have as many
                    self.newest[message.partition()] = max(self.newest[message.partition()], message.timestamp()[1] / 1000)
        self.consumer.close()

    def caught_up(self, since):
        return min(self.newest.values()) > since


def seconds_until_all_flow(watcher, since, most):
    began = time.monotonic()
    done = wait_until(lambda: watcher.caught_up(since), most)
    return time.monotonic() - began if done else None


def balanced(trial):
    return wait_until(lambda: len(trial.workers) == 2 and all(w.metric("partitions_owned") == chaos.PARTITIONS / 2 for w in trial.workers), 90)


def kill_at(trial, watcher, api, when):
    """Seconds, or None when that request never came."""
    first = api in (wire.INIT_PRODUCER_ID, wire.JOIN_GROUP)
    struck = []

    def strike():
        struck.append(time.time())
        victim.signal(signal.SIGKILL)

    if first:  # requests of a worker's begin
        trial.stop(trial.workers[-1], signal.SIGTERM)
        victim = trial.start("first", Rule(api, when, action=strike))
    else:
        victim = trial.workers[-1]
        victim.proxy.add(Rule(api, when, action=strike))
    if not wait_until(lambda: struck, 60):
        return None
    seconds = seconds_until_all_flow(watcher, struck[0], 120)
    trial.stop(victim, signal.SIGKILL)
    trial.start("first")
    return seconds


def terminate(trial, watcher):
    victim = trial.workers[-1]
    struck = time.time()
    victim.signal(signal.SIGTERM)
    seconds = seconds_until_all_flow(watcher, struck, 60)
    if trial.stop(victim, signal.SIGTERM) != 0:
        sys.exit(f"FAILED: SIGTERM: {victim.told()}")
    trial.start("first")
    return seconds


def rounds_of(trial, watcher, rounds):
    """(what, seconds of each round, most), one for each point."""
    points = [(f"kill -9, {chaos.NAMES[api]} {when}", (api, when), KILL_SECONDS) for api, when in chaos.POINTS]
    for what, point, most in [*points, ("SIGTERM", None, TERM_SECONDS)]:
        taken = []
        for _ in range(rounds if point else max(3, rounds)):
            if not balanced(trial):
                sys.exit("FAILED: the two workers never shared the partitions\n" + "\n".join(w.told() for w in trial.workers))
            seconds = kill_at(trial, watcher, *point) if point else terminate(trial, watcher)
            if seconds is None:
                sys.exit(f"FAILED: {what}: it never came, or nothing flowed again")
            taken.append(seconds)
        print(f"{what}: {', '.join(f'{seconds:.1f}' for seconds in taken)} s", flush=True)
        yield what, taken, most


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=1)
    options = argparse.Namespace(**vars(options.parse_args()), nodes=1, every="100ms", planted=None, records=10**9, rate=500, seed=1)
    with tempfile.TemporaryDirectory() as temporary, Broker(properties=OWN_SETTINGS) as broker:
        folder = pathlib.Path(temporary) / "p"
        producer = chaos.Producer(broker.bootstrap, options.records, options.rate, chaos.new_pipeline(folder, options, broker))
        watcher = Watcher(broker.bootstrap, "middle")
        producer.start()
        watcher.start()
        trial = chaos.Chaos(options, broker, folder)
        trial.start("first")
        trial.start("first")
        figures = list(rounds_of(trial, watcher, options.rounds))
        for worker in list(trial.workers):
            trial.stop(worker, signal.SIGTERM)
        producer.records = 0
        producer.stopped.set()
        producer.join()
        watcher.ended.set()
        watcher.join()
    for what, taken, most in figures:
        print(f"| {what} | {statistics.median(taken):.1f} | {max(taken):.1f} |")
    late = [f"{what}: {max(taken):.1f} s, at most {most}" for what, taken, most in figures if max(taken) > most]
    sys.exit("FAILED: " + "; ".join(late) if late else 0)


if __name__ == "__main__":
    main()
