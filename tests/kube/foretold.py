"""Does `penstock simulate` foretell what the cluster does? The article's two log stages, workers kept slow, a load that comes and goes.

The load that was really sent is replayed, with the autoscaler's usual 15 s between two looks. The replicas have to take the same steps,
each within one poll of the time that was foretold.

usage: foretold.py [--seconds N] [--table FILE.csv]
"""
import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from agrees import SYNC, recorded_steps
from article import Article
from cluster import ADDRESS, ROOT, Kube, check
from record import COLUMNS, Record
from two_needed import SLOW_EPOCHS

sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from broker import Broker  # noqa: E402

CLIENTS, RATE = 100, 22  # records a second: of the producer, at most of a worker
POLL, COOLDOWN = 5, 10  # seconds; each step within one poll, although samples are a second apart
POD_START = "500ms"  # what kube_first_pod measures here: the image is small and on the node
LEAD = SYNC  # seconds that the simulation is at rest before the load begins, so that every phase has begun
PATIENCE = 300


def load(record, began):
    """What really came, from one sample to the next, after LEAD: a busy machine's producer is not steady."""
    lines = ["seconds,records_per_second", "0,0"]
    for (at, before), (then, after) in zip(record.ends, record.ends[1:]):
        if at >= began:
            lines.append(f"{LEAD + at - began:.1f},{(after - before) / (then - at):.1f}")
    return "\n".join(lines) + "\n"


def foretold(article, trace, phases):
    """The same of a simulation, from the moment when the load begins. phases: stage -> at which second KEDA and the autoscaler look first."""
    keda, hpa = (",".join(f"{stage}={each[i]}" for stage, each in phases.items()) for i in (0, 1))
    done = subprocess.run([os.environ["PENSTOCK_BINARY"], "simulate", article.folder, "-t", "cluster", "--load", trace, "--speed", str(RATE),
                           "--scaling", "lag", "--pod-start", POD_START, "--down-stabilization", "30s", "--keda-phase", keda, "--hpa-phase", hpa,
                           "-o", "json"],
                          capture_output=True, text=True, check=False, env=article.environment())
    if done.returncode != 0:
        raise RuntimeError(f"penstock simulate: {done.stderr}")
    return {stage["stage"]: [(round(each["seconds"] - LEAD, 1), each["replicas"]) for each in stage["steps"] if each["seconds"] > 0]
            for stage in json.loads(done.stdout)["outcomes"][0]["stages"]}


def apart(real, told):
    """Seconds between the steps that are furthest apart; None when they are not the same steps."""
    if [replicas for _, replicas in real] != [replicas for _, replicas in told]:
        return None
    return max(abs(at - then) for (at, _), (then, _) in zip(real, told))


def compare(article, record, began, trace):
    """Nobody says when KEDA and the autoscaler look: each stage has one of the moments within their 5 and 15 s."""
    trace.write_text(load(record, began))
    phases = dict.fromkeys(article.stages, (0, 0))
    for stage in article.stages:  # in flow order: what the one before it did is known by then
        steps = recorded_steps([dict(zip(COLUMNS, row)) for row in record.rows], stage)
        real = [(round(at - began, 1), replicas) for at, replicas in steps[1:]]  # the first is what was before the load
        simulations = {(keda, hpa): foretold(article, trace, phases | {stage: (keda, hpa)})[stage]
                       for keda, hpa in itertools.product(range(POLL), range(SYNC))}
        same = [(far, when, told) for when, told in simulations.items() if (far := apart(real, told)) is not None]
        far, phases[stage], told = min(same, default=(PATIENCE, (0, 0), simulations[0, 0]))
        print(f"     {stage}: {real}\n     foretold: {told}", flush=True)
        check(same, f"{stage} took the steps that were foretold")
        check(far <= POLL, f"each {far:.1f} s from its time at most, of {POLL} s")


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--seconds", type=int, default=60)
    reader.add_argument("--table", type=pathlib.Path, default=ROOT / "build" / "kube" / "foretold.csv")
    options = reader.parse_args()
    with Kube(sync=SYNC) as kube, Broker(also=ADDRESS) as broker, tempfile.TemporaryDirectory() as temporary:
        article = Article(kube, broker, pathlib.Path(temporary), SLOW_EPOCHS, clients=CLIENTS, rate=RATE, poll=POLL, cooldown=COOLDOWN)
        article.make_namespace()
        article.install("lag", producers=1)
        article.produce(0)

        def at_zero():
            return all(each == (0, 0) for each in article.deployments().values())
        kube.until("at rest there is no pod", at_zero, PATIENCE)
        with Record(article, options.table) as record:
            article.produce(1)
            record.clients = CLIENTS
            kube.until("the producer runs", lambda: any(row[4] > 0 for row in record.rows), PATIENCE)
            began = max(at for at, end in record.ends if end == record.ends[0][1])  # the last sample before anything came
            kube.until("the stretch is over", lambda: record.now() > began + options.seconds, options.seconds + PATIENCE)
            article.produce(0)
            record.clients = 0
            kube.until("every stage is at zero again, and that was recorded",
                       lambda: all(row[2] == row[3] == 0 for row in record.rows[-len(article.stages):]), PATIENCE)
        compare(article, record, began, options.table.with_name("foretold-load.csv"))


if __name__ == "__main__":
    main()
