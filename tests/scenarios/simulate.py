#!/usr/bin/env python3
"""`penstock simulate` on the article's example: table, figures and picture agree, and are the same again."""
import csv
import io
import json
import os
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kube")]
import agrees  # noqa: E402
from pipeline_fixture import check, penstock  # noqa: E402

os.environ |= {"MSK_ARN": "arn:aws:kafka:eu-north-1:111122223333:cluster/x/1-2", "REDSHIFT_HOST": "h"}
FILE = HERE.parents[1] / "examples" / "article"
LOAD = "seconds,records_per_second\n0,0\n60,6000\n1860,0\n"
WORDS = ["--speed", "5000,writer.messages=4000", "--price", "0.1"]


def main(folder):
    trace, picture = folder / "load.csv", folder / "load.svg"
    trace.write_text(LOAD)

    def simulate(*words, **more):
        return penstock("simulate", FILE, "-t", "prod", "--load", trace, *WORDS, *words, **more)

    tree = json.loads(simulate("-o", "json", "--svg", picture))
    lag, need = tree["outcomes"]
    check((lag["scaling"], need["scaling"]) == ("lag", "need"), "lag and need stand side by side")
    check(lag["drained"] and need["drained"] and lag["left"] + need["left"] == 0, "both come to their end, and every record is done")
    for stage in lag["stages"]:
        check(stage["replicas_max"] == 5, f"lag: {stage['stage']} goes to as many as there are partitions")
    for stage in need["stages"]:
        middle = [step["replicas"] for step in stage["steps"] if step["seconds"] <= 1500][-1]
        check(middle == 2, f"need: {stage['stage']} settles at the two that do 6,000 a second")
    check(need["pod_hours"] <= 0.6 * lag["pod_hours"], f"need takes {need['pod_hours']:.2f} pod hours, lag {lag['pod_hours']:.2f}")
    check(abs(lag["cost"] - 0.1 * lag["pod_hours"]) < 1e-9, "the cost is hours times the price")

    for outcome in (lag, need):
        for stage in outcome["stages"]:
            steps = stage["steps"]
            seconds = sum((after["seconds"] - before["seconds"]) * before["replicas"] for before, after in zip(steps, steps[1:]))
            check(steps[-1]["replicas"] == 0 and abs(seconds / 3600 - stage["pod_hours"]) < 0.001,
                  f"{outcome['scaling']}: the steps of {stage['stage']} make its pod hours")

    table = simulate()
    check(f"lag: {lag['pod_hours']:.2f} pod hours" in table and f"need: {need['pod_hours']:.2f} pod hours" in table, "the table says the same")
    rows = list(csv.DictReader(io.StringIO(simulate("-o", "csv"))))
    check(len(rows) == sum(len(stage["samples"]) for outcome in (lag, need) for stage in outcome["stages"]), "the csv has a line per sample")
    root = xml.etree.ElementTree.parse(picture).getroot()
    words = " ".join("".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text"))
    check(all(stage["stage"] + ": replicas" in words for stage in lag["stages"]), "the picture is XML and has every stage")
    before = picture.read_bytes()
    check(json.loads(simulate("-o", "json", "--svg", picture)) == tree and picture.read_bytes() == before, "the same again is the same, to the byte")

    only = json.loads(simulate("-o", "json", "--scaling", "need"))
    check(only["outcomes"] == [need], "one of the two alone is the same")
    nodes = json.loads(simulate("-o", "json", "--pods-per-node", "4", "--node-start", "120s"))["outcomes"][0]
    check(nodes["node_hours"] > 0 and nodes["stages"][0]["delay_max_seconds"] > 120, "nodes take their time")
    half = json.loads(simulate("-o", "json", "--kept", "preprocessing=0.1", "--scaling", "lag"))["outcomes"][0]
    check(half["stages"][1]["lag_max"] < lag["stages"][1]["lag_max"] / 2, "what a stage drops does not reach the next")


def compared(folder):
    """The measure by which a cluster's table is held against a simulation, on tables that are made of one."""
    outcome = json.loads(penstock("simulate", FILE, "-t", "prod", "--load", folder / "load.csv", *WORDS, "-o", "json", "--scaling", "lag"))["outcomes"][0]

    def table(shift=0, other=None):
        rows = []
        for second in range(int(outcome["seconds"]) + 2 * shift + 1):
            for stage in outcome["stages"]:
                steps = [(step["seconds"] + shift, step["replicas"]) for step in stage["steps"]]
                count = agrees.level(steps, second)
                wanted = other if other is not None and count == 5 and stage["stage"] == "processing" else count
                rows.append({"seconds": second, "stage": stage["stage"], "wanted": wanted, "clients": 6000 if 60 <= second < 1860 else 0})
        return rows

    slack = 30 + agrees.SYNC
    check(agrees.load_of(table()).split("\n")[1:4] == ["0.0,0.0", "60.0,6000.0", "1860.0,0.0"], "a table's clients are its load")
    check(agrees.compare(table(), outcome, slack) == [], "a cluster that does the same agrees")
    check(agrees.compare(table(shift=slack), outcome, slack) == [], "a poll and a sync later it still does")
    check(len(agrees.compare(table(shift=2 * slack), outcome, slack)) >= 4, "twice as late it does not")
    check(any("it goes" in each for each in agrees.compare(table(other=3), outcome, slack)), "with other replicas it does not")


def refusals(folder):
    trace = folder / "bad.csv"
    trace.write_text("seconds,records_per_second\n0,1\n0,2\n")
    penstock("simulate", FILE, "-t", "prod", "--load", trace, *WORDS, expect=64)
    trace.write_text(LOAD)
    for words in (["--load", trace], ["--load", trace, "--speed", "0"], ["--load", trace, "--speed", "other=5"],
                  ["--load", trace, "--speed", "writer.items=5"], ["--speed", "5"], ["--load", trace, "--recorded", "--speed", "5"],
                  ["--load", trace, "--speed", "5", "--svg", folder / "none" / "x.svg"]):
        penstock("simulate", FILE, "-t", "prod", *words, expect=64)
    print("ok: wrong words are refused")


def recorded(folder):
    """The load of the embedded log's own records."""
    pipeline = folder / "minimal"
    penstock("init", "minimal", pipeline)
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": f"k{n}", "value": n}) + "\n" for n in range(500)))
    penstock("send", pipeline, "--to", "events", rows)
    tree = json.loads(penstock("simulate", pipeline, "--recorded", "--speed", "100", "-o", "json", "--scaling", "lag"))
    stage = tree["outcomes"][0]["stages"][0]
    check(stage["lag_max"] == 500 and stage["replicas_max"] == 2 and tree["outcomes"][0]["drained"], "what was sent is the load")


with tempfile.TemporaryDirectory() as temporary:
    main(pathlib.Path(temporary))
    compared(pathlib.Path(temporary))
    refusals(pathlib.Path(temporary))
    recorded(pathlib.Path(temporary))
