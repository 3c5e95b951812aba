"""Two workers are needed, exactly: how many pods does each way of scaling hold, and how late are the records?

The article's two log stages under a steady load that one worker can not do and two can. From KEDA's view of the lag a stage at this
rate is never done: what one epoch holds is more than the threshold. `penstock scaler` says what is needed.

usage: two_needed.py [--seconds N] [--table FILE.csv]
"""
import argparse
import pathlib
import sys
import tempfile

from article import Article
from cluster import ADDRESS, ROOT, Kube, check
from record import Record

sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from broker import Broker  # noqa: E402

CLIENTS, RATE = 1500, 1100  # records a second: of the producer, at most of a worker; 3 of 5 partitions are 900
SHARE = 0.6
DELAY_SECONDS = 5.0
PATIENCE = 300
HELD_SECONDS = 60  # what catching up took is held so long by `need` (src/scale/need.h); the steady state comes after it
LOG_STAGES = {
    r"^targets:\n.*?(?=^tests:)": 'targets:\n  cluster:\n    log: {kafka: "${env:BROKERS}"}\n    topics: {replicas: 1}\n\n', r"^tests:\n.*\Z": "",
    r"^  writer:\n.*?(?=^stores:)": "\n", r"^stores:\n.*?(?=^scale:)": ""}
# A transaction leaves a marker in each partition, which counts as lag: with one epoch a second they are few beside the records.
SLOW_EPOCHS = {where: what.replace("topics:", "epoch: {every: 1s}\n    topics:") for where, what in LOG_STAGES.items()}


def settled(record, began):
    """Has every stage had pods that were ready, and no more than two seconds of records waiting?"""
    stages = {row[1] for row in record.since(began) if row[3] > 0 and row[4] < 2 * CLIENTS}
    return stages == set(record.article.stages)


def measure(article, scaling, options):
    """Pod-seconds over the stretch, and the delay that 95 of 100 samples keep."""
    article.install(scaling, producers=1)
    with Record(article, options.table.with_name(f"{scaling}-{options.table.name}")) as record:
        record.clients = CLIENTS
        article.kube.until("the stages keep up", lambda: settled(record, max(0.0, record.now() - 10)), PATIENCE)
        kept_up = record.now()
        article.kube.until("what catching up took is no longer held", lambda: record.now() > kept_up + HELD_SECONDS, 2 * HELD_SECONDS)
        began = record.now()
        article.kube.until("the stretch is over", lambda: record.now() > began + options.seconds, options.seconds + PATIENCE)
        stretch = record.since(began)
        seconds = record.pod_seconds(began)
    delays = sorted(row[4] / CLIENTS for row in stretch)
    delay = delays[len(delays) * 95 // 100]
    pods = seconds / (record.now() - began) / len(article.stages)
    print(f"     {scaling}: {seconds:.0f} pod-seconds in {options.seconds} s, {pods:.2f} pods in each stage; 95 of 100 samples {delay:.2f} s late at most",
          flush=True)
    article.produce(0)
    article.kube.until("every stage is at zero again", lambda: all(each == (0, 0) for each in article.deployments().values()), PATIENCE)
    return seconds, delay


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--seconds", type=int, default=120)
    reader.add_argument("--table", type=pathlib.Path, default=ROOT / "build" / "kube" / "two.csv")
    options = reader.parse_args()
    with Kube() as kube, Broker(also=ADDRESS) as broker, tempfile.TemporaryDirectory() as temporary:
        article = Article(kube, broker, pathlib.Path(temporary), SLOW_EPOCHS, clients=CLIENTS, rate=RATE, poll=2, cooldown=10)
        article.make_namespace()
        by_lag, late_by_lag = measure(article, "lag", options)
        by_need, late_by_need = measure(article, "need", options)
        check(by_need <= SHARE * by_lag, f"need takes {by_need / by_lag:.2f} of the pod-seconds that lag takes; at most {SHARE} is asked")
        check(late_by_need <= DELAY_SECONDS, f"and keeps a delay of {DELAY_SECONDS:.0f} s ({late_by_need:.2f}; by lag {late_by_lag:.2f})")
        article.penstock("verify")


if __name__ == "__main__":
    main()
