"""Does `penstock simulate` foretell what the cluster does? The article's two log stages, workers kept slow, a load that comes and goes.

The load that was really sent is replayed, with the autoscaler's usual 15 s between two looks. The replicas have to take the same steps,
each at the time that was foretold, give or take a look of the one who decides: KEDA's poll, or the autoscaler's.

usage: agree.py [--seconds N] [--table FILE.csv]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from article import Article
from cluster import ADDRESS, ROOT, Kube, check
from record import Record
from two_needed import LOG_STAGES

sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from broker import Broker  # noqa: E402

CLIENTS, RATE = 100, 22  # records a second: of the producer, at most of a worker
POLL, COOLDOWN, SYNC = 2, 10, 15
PATIENCE = 300
# A transaction leaves a marker in each partition, which counts as lag: with one epoch a second they are few beside the records.
SLOW_EPOCHS = {where: what.replace("topics:", "epoch: {every: 1s}\n    topics:") for where, what in LOG_STAGES.items()}


def steps_of(record, stage):
    """[(seconds, replicas)]: when the figure that is wanted changed."""
    steps = []
    for row in record.rows:
        if row[1] == stage and (row[2] != steps[-1][1] if steps else row[2] != 0):
            steps.append((row[0], row[2]))
    return steps


def foretold(article, began, ended):
    """The same of a simulation, on the recording's clock."""
    trace = article.folder / "load.csv"
    trace.write_text(f"seconds,records_per_second\n0,{CLIENTS}\n{ended - began:.1f},0\n")
    done = subprocess.run([os.environ["PENSTOCK_BINARY"], "simulate", article.folder, "-t", "cluster", "--load", trace, "--speed", str(RATE),
                           "--scaling", "lag", "--pod-start", "2s", "--down-stabilization", "30s", "-o", "json"],
                          capture_output=True, text=True, check=False, env=article.environment())
    if done.returncode != 0:
        raise RuntimeError(f"penstock simulate: {done.stderr}")
    return {stage["stage"]: [(round(began + each["seconds"], 1), each["replicas"]) for each in stage["steps"] if each["seconds"] > 0]
            for stage in json.loads(done.stdout)["outcomes"][0]["stages"]}


def close(real, told):
    """Up from and down to nothing are KEDA's; what lies between is the autoscaler's."""
    if [replicas for _, replicas in real] != [replicas for _, replicas in told]:
        return False
    before = 0
    for (at, replicas), (then, _) in zip(real, told):
        if abs(at - then) > (POLL if 0 in (before, replicas) else 0) + SYNC:
            return False
        before = replicas
    return True


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--seconds", type=int, default=60)
    reader.add_argument("--table", type=pathlib.Path, default=ROOT / "build" / "kube" / "agree.csv")
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
            kube.until("the producer runs", lambda: any(row[4] > 0 for row in record.rows), PATIENCE)
            began = next(row[0] for row in record.rows if row[4] > 0) - 1.0
            kube.until("the stretch is over", lambda: record.now() > began + options.seconds, options.seconds + PATIENCE)
            article.produce(0)
            ended = record.now()
            kube.until("every stage is at zero again", at_zero, PATIENCE)
        told = foretold(article, began, ended)
        pairs = {stage: (steps_of(record, stage), told[stage]) for stage in article.stages}
        for stage, (real, simulated) in pairs.items():
            print(f"     {stage}: {real}\n     foretold: {simulated}", flush=True)
        for stage, (real, simulated) in pairs.items():
            check(close(real, simulated), f"{stage} took the steps that were foretold")


if __name__ == "__main__":
    main()
