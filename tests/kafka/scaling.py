#!/usr/bin/env python3
"""`penstock scaler` beside a real broker: what it asks for, with this test in the place of KEDA and the autoscaler.

Workers are held at 300 records a second and 400 come in: the answer has to find out that two are needed, and of four partitions
no more than two.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios")]
from broker import Broker  # noqa: E402
from penstock_process import Process, die_with_the_test, wait_until  # noqa: E402
from pipeline_fixture import check, penstock  # noqa: E402

PIPELINE = """pipeline: scaling
version: 1
schemas: {event: schemas/event.avsc}
topics:
  events:  {schema: event, key: id, partitions: 4}
  doubled: {key: id, partitions: 4}
stages:
  work:
    from: events
    steps: [{set: {doubled: value * 2.0}}]
    to: doubled
scale: {min: 0, max: partitions, poll: 1s, cooldown: 8s}
targets:
  local: {log: embedded}
  kafka: {log: {kafka: "${env:BROKERS}"}, topics: {replicas: 1}}
"""
SPEED, RATE, SECONDS, COOLDOWN = 300, 400, 45, 8
PATIENCE = 60


class Trial:
    def __init__(self, folder, broker):
        self.folder, self.broker = folder, broker
        self.environment = {"BROKERS": broker.bootstrap}
        os.environ |= self.environment
        penstock("init", "minimal", folder)
        (folder / "pipeline.yaml").write_text(PIPELINE)
        self.words = [folder, "-t", "kafka", "--data", folder / "data"]
        penstock("apply", *self.words)
        self.workers, self.started = [], 0
        self.seen = []  # (time, answer)
        self.scaler = self.start_scaler(self.environment)

    def start_scaler(self, environment):
        words = ["scaler", self.folder, "-t", "kafka", "--every", "500ms", "--catch-up", "120s"]
        return Process(self.folder, f"scaler-{time.monotonic_ns()}", words, environment)

    def answer(self):
        status, text = self.scaler.get("/v1/stages/work")
        if status != 200:
            return None
        answer = json.loads(text)
        self.seen.append((time.monotonic(), answer))
        return answer

    def feed(self, name, count):
        """Sends at the rate; comes back at once."""
        file = self.folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps({"id": f"k{n % 1000}", "value": n}) + "\n" for n in range(count)))
        words = [os.environ["PENSTOCK_BINARY"], "send", *map(str, self.words), "--to", "events", "--rate", str(RATE), str(file)]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_the_test)

    def follow(self):
        """As many workers as were asked for last, as the autoscaler would have it."""
        answer = self.answer()
        if answer is None:
            return None
        while len(self.workers) < answer["replicas"]:
            self.started += 1
            words = ["run", self.folder, "-t", "kafka", "--stage", "work", "--rate", SPEED, "--data", self.folder / f"data-{self.started}"]
            self.workers.append(Process(self.folder, f"worker-{self.started}", words, self.environment))
        while len(self.workers) > answer["replicas"]:
            worker = self.workers.pop()
            worker.signal(15)
            check(worker.wait(PATIENCE) == 0, f"{worker.name} drains")
        return answer

    def follow_until(self, condition, seconds=PATIENCE):
        return wait_until(lambda: (answer := self.follow()) and condition(answer) and answer, seconds)


def goes_to_what_the_speed_asks_for(trial):
    check(wait_until(lambda: trial.scaler.get("/readyz")[0] == 200, PATIENCE), "the scaler has looked")
    first = trial.answer()
    check(first["replicas"] == 0 and first["lag"] == 0, f"nothing waits and nobody works: 0 {first}")
    check(trial.scaler.get("/v1/stages/other")[0] == 404, "another stage is not known")
    feed = trial.feed("load", RATE * SECONDS)
    one = trial.follow_until(lambda a: a["replicas"] > 0)
    check(one and one["replicas"] == 1 and "not known yet" in one["reason"], f"input makes it 1, before a speed is known: {one}")
    two = trial.follow_until(lambda a: a["replicas"] > 1)
    check(two and two["replicas"] == 2, f"backlog makes it rise: {two}")
    check(0.8 * SPEED <= two["speed_per_worker"] <= 1.3 * SPEED, "the speed of a worker is what it was held at")
    check(abs(two["rate_per_second"] - RATE) < 0.3 * RATE, "what comes in is what was sent")
    check(f"{round(two['rate_per_second']):,}/s come in" in two["reason"] and two["reason"].endswith(": 2"), two["reason"])
    check(trial.follow_until(lambda a: a["workers"] == 2 and a["backlog"] < RATE), "two workers get done what waits")
    check(trial.follow_until(lambda a: feed.poll() is not None, SECONDS + PATIENCE) and feed.returncode == 0, "everything is sent")
    check(max(a["replicas"] for _, a in trial.seen) == 2, "never were more than two asked for")


def goes_to_zero(trial):
    """Exactly when nothing waits and nothing came for the cooldown, which is shorter here than the 20 s that are enough elsewhere."""
    zero = trial.follow_until(lambda a: a["replicas"] == 0)
    check(zero and zero["lag"] == 0, f"at last it is 0: {zero}")
    end, last = 0, 0
    for at, answer in trial.seen:
        if answer["rate_per_second"] > 0 and answer["lag"] > 0:
            last = at  # something still came or waited
    end = trial.seen[-1][0]
    check(end - last >= COOLDOWN - 2, f"and not before the cooldown was over: {end - last:.1f} s")
    began = next(at for at, answer in trial.seen if answer["replicas"] > 0)
    early = [answer for at, answer in trial.seen if began < at < end and answer["replicas"] == 0]
    check(not early, f"never before {early}")
    verify = penstock("verify", *trial.words)
    check("every record is accounted for" in verify, "every record is accounted for")


def keeps_its_answer(trial):
    """A broker that is away changes nothing, and is told."""
    trial.feed("more", 2 * RATE).wait()
    before = wait_until(lambda: (answer := trial.answer()) and answer["replicas"] > 0 and answer["lag"] > 0 and answer, PATIENCE)
    check(before and not before["stale"], f"records wait, nobody works: {before}")
    trial.broker.pause(1)
    check(wait_until(lambda: trial.scaler.get("/readyz")[0] == 503, PATIENCE), "with the broker away it is not ready")
    stale = trial.answer()
    check(stale["stale"] and stale["replicas"] > 0, f"the last answer stays, and says that it is old: {stale}")
    check(trial.scaler.get("/livez")[0] == 200, "it is alive")
    blind = trial.start_scaler({"BROKERS": trial.broker.bootstrap})
    check(wait_until(lambda: blind.get("/livez")[0] == 200, PATIENCE) and blind.get("/v1/stages/work")[0] == 503,
          "one that never saw the log answers nothing, and not 0")
    trial.broker.resume(1)
    check(wait_until(lambda: trial.scaler.get("/readyz")[0] == 200, PATIENCE), "it comes back with the broker")
    check(trial.answer()["replicas"] > 0, "and still knows what it knew")
    for process in (blind, trial.scaler):
        process.signal(15)
        check(process.wait(PATIENCE) == 0, "SIGTERM ends a scaler")


def main():
    with Broker() as broker, tempfile.TemporaryDirectory() as temporary:
        trial = Trial(pathlib.Path(temporary) / "trial", broker)
        try:
            goes_to_what_the_speed_asks_for(trial)
            goes_to_zero(trial)
            keeps_its_answer(trial)
        except SystemExit:
            print(trial.scaler.told(), *(worker.told() for worker in trial.workers), sep="\n")
            raise


main()
