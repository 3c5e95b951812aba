#!/usr/bin/env python3
"""Does `penstock simulate` tell beforehand what a cluster did? Compares a table of Record with a simulation of its load.

At every second the replicas of a stage have to be among those that the simulation has within a poll and a sync of the autoscaler, whose
phases nobody knows; and they have to turn at the same numbers (0, 5, 0).

usage: agrees.py TABLE.csv PIPELINE -t TARGET --scaling lag|need --speed N [--poll S] [-- words for simulate]
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SYNC = 15


def load_of(rows):
    """The clients' rate over time, as simulate reads it."""
    lines, last, end = ["seconds,records_per_second"], None, 0.0
    for row in rows:
        rate = float(row["clients"])
        end = float(row["seconds"])
        if rate != last and (last is not None or rate > 0 or end == 0):
            lines.append(f"{end},{rate}")
            last = rate
    return "\n".join([*lines, f"{end + 1},0"]) + "\n"


def recorded_steps(rows, stage):
    steps = []
    for row in rows:
        if row["stage"] == stage and (not steps or steps[-1][1] != int(row["wanted"])):
            steps.append((float(row["seconds"]), int(row["wanted"])))
    return steps


def level(steps, at):
    """The replicas at a moment; those of the first step before it."""
    return next((count for seconds, count in reversed(steps) if seconds <= at), steps[0][1] if steps else 0)


def disagreements(recorded, simulated, slack, until):
    """Seconds at which the replicas of the one are not those of the other at any moment within the slack."""
    found = []
    for at in range(int(until)):
        near = {level(simulated, at + shift) for shift in range(-slack, slack + 1)}
        if not min(near) <= level(recorded, at) <= max(near):
            found.append(at)
    return found


def peaks(steps):
    """Where it turns: 0 5 0 5 0, without the numbers on the way."""
    counts = [count for _, count in steps]
    return [count for i, count in enumerate(counts)
            if i in (0, len(counts) - 1) or (counts[i - 1] < count) != (count < counts[i + 1])]


def compare(rows, outcome, slack):
    """Texts of what does not agree, a line per stage of what was compared."""
    problems = []
    until = max(float(row["seconds"]) for row in rows)
    for stage in outcome["stages"]:
        recorded = recorded_steps(rows, stage["stage"])
        if not recorded:
            continue
        simulated = [(step["seconds"], step["replicas"]) for step in stage["steps"] if step["seconds"] <= until]
        apart = disagreements(recorded, simulated, slack, until)
        print(f"     {stage['stage']}: cluster {recorded}\n     {' ' * len(stage['stage'])}  simulated {simulated}")
        if apart:
            problems.append(f"{stage['stage']}: apart for {len(apart)} of {until:.0f} s, first at {apart[0]} s")
        if peaks(recorded) != peaks(simulated):
            problems.append(f"{stage['stage']}: it goes {peaks(recorded)}, simulated {peaks(simulated)}")
    return problems


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("table", type=pathlib.Path)
    reader.add_argument("pipeline", type=pathlib.Path)
    reader.add_argument("-t", "--target", required=True)
    reader.add_argument("--scaling", choices=["lag", "need"], required=True)
    reader.add_argument("--speed", required=True)
    reader.add_argument("--poll", type=int, default=30)
    reader.add_argument("words", nargs="*")
    options = reader.parse_args()
    with open(options.table, newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    with tempfile.TemporaryDirectory() as temporary:
        trace = pathlib.Path(temporary) / "load.csv"
        trace.write_text(load_of(rows))
        words = [os.environ["PENSTOCK_BINARY"], "simulate", options.pipeline, "-t", options.target, "--load", trace, "--scaling", options.scaling,
                 "--speed", options.speed, "-o", "json", *options.words]
        outcome = json.loads(subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout)["outcomes"][0]
    problems = compare(rows, outcome, options.poll + SYNC)
    for problem in problems:
        print(f"FAILED: {problem}")
    if not problems:
        print("ok: the simulation says what the cluster did")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
