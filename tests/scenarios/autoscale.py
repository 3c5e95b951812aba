#!/usr/bin/env python3
"""`run --autoscale` on this machine: no worker while nothing comes, as many as are needed under load, none again; status says why."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
from penstock_process import Process, die_with_the_test, wait_until  # noqa: E402
from pipeline_fixture import check, look, penstock  # noqa: E402

SPEED, RATE, ROWS, COOLDOWN, PATIENCE = 200, 300, 12_000, 3, 60


def stage_of(folder):
    """The stage's scaling as status tells it, and its workers that are there."""
    status = look("status", folder)
    need = next((each for each in status["scaling"] if each["stage"] == "store.values"), None)
    return need and {**need, "there": len(status["workers"]), "lag": status["stages"][0]["lag"]}


def main(folder):
    penstock("init", "minimal", folder)
    file = folder / "pipeline.yaml"
    file.write_text(file.read_text() + f"scale: {{min: 0, max: partitions, cooldown: {COOLDOWN}s}}\n")
    run = Process(folder, "run", ["run", folder, "--autoscale", "--rate", SPEED], {})
    check(wait_until(lambda: run.get("/readyz")[0] == 200, PATIENCE), "it is ready, without a worker")
    zero = wait_until(lambda: stage_of(folder), PATIENCE)
    check(zero and zero["workers"] == 0 and zero["there"] == 0, f"nothing comes: no worker {zero}")

    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": f"k{n % 500}", "value": n}) + "\n" for n in range(ROWS)))
    words = [os.environ["PENSTOCK_BINARY"], "send", folder, "--to", "events", "--rate", str(RATE), rows]
    sending = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_the_test)
    one = wait_until(lambda: (now := stage_of(folder))["workers"] > 0 and now, PATIENCE)
    check(one and one["workers"] == 1 and "not known yet" in one["reason"], f"the first row wakes one: {one}")
    two = wait_until(lambda: (now := stage_of(folder))["there"] > 1 and now, PATIENCE)
    check(two and two["workers"] == two["there"] == 2 and "a worker does" in two["reason"], f"it is too slow, and there are two: {two}")

    check(sending.wait(PATIENCE + ROWS / RATE) == 0, "everything is sent")
    end = wait_until(lambda: (now := stage_of(folder))["workers"] == 0 and now["there"] == 0 and now, PATIENCE)
    check(end and end["lag"] == 0, f"all is done, and no worker is left: {end}")
    check(run.running() and run.get("/readyz")[0] == 200 and run.get("/livez")[0] == 200, "the process is well without workers")

    penstock("send", folder, "--to", "events", "--again", rows)
    again = wait_until(lambda: (now := stage_of(folder))["workers"] > 0 and now, PATIENCE)
    check(again, f"more rows wake it again: {again}")
    run.signal(signal.SIGTERM)
    check(run.wait(PATIENCE) == 0, f"it drains {run.told()}")
    penstock("run", folder, "--until-idle")
    check("every record is accounted for" in penstock("verify", folder), "every record is accounted for")


with tempfile.TemporaryDirectory() as temporary:
    main(pathlib.Path(temporary) / "pipeline")
