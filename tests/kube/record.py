"""What the replicas and the lag of each stage were, second by second: a table that `penstock simulate` can be compared with."""
import csv
import pathlib
import threading
import time

COLUMNS = ["seconds", "stage", "wanted", "ready", "lag", "clients"]


class Record:
    """Samples in a thread of its own; `rows` are what COLUMNS names."""

    def __init__(self, article, path):
        self.article, self.path = article, pathlib.Path(path)
        self.rows, self.clients, self.error = [], 0, None
        self.ends = []  # (seconds, offsets written so far) of the first stage's topics: the load that really came
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.go, daemon=True)
        self.began = time.monotonic()

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            writer.writerows(self.rows)

    def go(self):
        while not self.stop.wait(1.0):  # poll: one sample a second
            try:
                lags, end = self.lags()
                at = round(time.monotonic() - self.began, 1)
                self.ends.append((at, end))
                for stage, (wanted, ready) in self.article.deployments().items():
                    self.rows.append([at, stage, wanted, ready, lags.get(stage, 0), self.clients])
            except (RuntimeError, OSError, KeyError) as error:  # the broker or the API server was busy: one sample less
                self.error = error

    def lags(self):
        """By stage: the sum over its partitions; and the ends of what the first stage reads."""
        sums = {}
        partitions = self.article.lag()["partitions"]
        for row in partitions:
            sums[row["stage"]] = sums.get(row["stage"], 0) + row["lag"]
        return sums, sum(row["end"] for row in partitions if row["stage"] == partitions[0]["stage"])

    def since(self, moment):
        return [row for row in self.rows if row[0] >= moment]

    def now(self):
        return round(time.monotonic() - self.began, 1)

    def pod_seconds(self, since=0.0):
        """Pods that are wanted, times the seconds until the next sample."""
        rows = self.since(since)
        moments = sorted({row[0] for row in rows})
        lasts = dict(zip(moments, [after - before for before, after in zip(moments, moments[1:])]))
        return sum(row[2] * lasts.get(row[0], 0) for row in rows)

    def most(self, since=0.0):
        return {stage: max(row[2] for row in self.since(since) if row[1] == stage) for stage in self.article.stages}
