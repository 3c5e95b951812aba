"""Every example is checked, tested and run: from `init` to rows in its stores, and verify adds up."""
import pathlib
import signal
import subprocess
import tempfile
import time

from pipeline_fixture import BINARY, check, look, penstock


def rows_of(status):
    return {store["store"]: store["rows"] for store in status["stores"]}


def wait_until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: {what} did not come true in {seconds} s")
        time.sleep(0.05)  # poll: for the condition
    check(True, what)


def produce_until(folder, store, rows):
    """Runs the example's producers beside its stages until the store has so many rows."""
    run = subprocess.Popen([BINARY, "run", folder], stderr=subprocess.DEVNULL)
    wait_until(lambda: (folder / ".penstock" / "control.sock").exists(), f"{folder.name}: run is up")
    produce = subprocess.Popen([BINARY, "produce", folder], stderr=subprocess.DEVNULL)
    wait_until(lambda: rows_of(look("status", folder))[store] >= rows, f"{folder.name}: {rows} rows in {store}")
    produce.send_signal(signal.SIGTERM)
    check(produce.wait(timeout=20) == 0, f"{folder.name}: produce drains")
    run.send_signal(signal.SIGTERM)
    check(run.wait(timeout=20) == 0, f"{folder.name}: run drains")


with tempfile.TemporaryDirectory() as temporary:
    for name in ("article", "beside", "meters", "minimal"):
        folder = pathlib.Path(temporary) / name
        penstock("init", name, folder)
        penstock("check", folder)
        penstock("test", folder)
        if name == "minimal":
            lines = '{"id": "a", "value": 1.5}\n{"id": "b", "value": 2.5}\n{"id": "a", "value": 3.5}\n'
            penstock("send", folder, "--to", "events", "-", stdin=lines)
        elif name == "beside":
            penstock("send", folder, "--to", "measured", "-", stdin='{"meter": "m1", "kwh": 1.5}\n{"meter": "m2", "kwh": -1.0}\n')
        else:
            produce_until(folder, {"article": "messages", "meters": "warehouse"}[name], 40)
        penstock("run", folder, "--until-idle")
        check(look("verify", folder)["holds"], f"{name}: verify adds up")
        check(look("lag", folder)["lag"] == 0, f"{name}: nothing is left to read")
        found = rows_of(look("status", folder))
        if name == "minimal":
            check(found["values"] == 2, "minimal: two ids, two rows")
            newest = penstock("tail", folder, "values")
            check('"value":3.5' in newest and '"doubled":7' in newest, "minimal: the last value of an id wins")
        if name == "beside":
            newest = penstock("tail", folder, "checked")
            check('"watt_hours":1500' in newest and '"m2"' not in newest, "beside: one reading was dropped, the other has its watt hours")
        if name == "article":
            stages = {s["stage"]: s["fates"]["in"] for s in look("status", folder)["stages"]}
            check(found["messages"] == stages["preprocessing"], "article: every message that came in is a row")
            check(found["items"] <= found["messages"], "article: one item per id")
        if name == "meters":
            check(found["latest"] == 24, "meters: one row per meter in the latest store")
