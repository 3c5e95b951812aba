"""Shared by the Python tests: running penstock and comparing a store with the expected sums.

The binary is named by PENSTOCK_BINARY (ctest sets it).
"""
import csv
import json
import os
import pathlib
import sqlite3
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READINGS = REPOSITORY / "tests" / "data" / "readings"
BINARY = os.environ.get("PENSTOCK_BINARY", str(REPOSITORY / "build" / "penstock"))


def penstock(*arguments, expect=0, stdin=None):
    """Runs a verb to its end; returns its standard output."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, input=stdin, errors="replace")
    if expect is not None and done.returncode != expect:
        raise SystemExit(
            f"penstock {' '.join(map(str, arguments))}: exit {done.returncode}, expected {expect}\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout


def look(verb, folder, *arguments):
    return json.loads(penstock(verb, folder, "-o", "json", *arguments))


def init_meters(folder, epoch_rows=None):
    """A meters pipeline with the real meters; small epochs on demand."""
    penstock("init", "meters", folder)
    (folder / "data" / "meters.csv").write_bytes((READINGS / "meters.csv").read_bytes())
    if epoch_rows is not None:
        file = folder / "pipeline.yaml"
        text = file.read_text()
        text = text.replace("targets:\n  local:\n", f"targets:\n  local:\n    epoch: {{rows: {epoch_rows}}}\n", 1)
        if "epoch: {rows" not in text:
            raise SystemExit("the example has no target local to put small epochs into")
        file.write_text(text)


def rows(folder, sql, data=None):
    with sqlite3.connect((data or folder / ".penstock") / "stores" / "warehouse.sqlite") as database:
        return database.execute(sql).fetchall()


def differences_to_expected(folder, data=None):
    """Sums, peaks and counts per meter and day of table `readings` against expected.csv; a list of texts."""
    found = {
        (meter, day): (kwh, peak, count)
        for meter, day, kwh, peak, count in rows(
            folder,
            "select meter_id, substr(at, 1, 10), sum(kwh), max(kwh), count(*) from readings group by 1, 2", data,
        )
    }
    problems = []
    with open(READINGS / "expected.csv", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["meter_id"], row["day"])
            got = found.pop(key, None)
            if got is None:
                problems.append(f"{key}: no rows")
            elif (
                abs(got[0] - float(row["kwh"])) > 1e-6
                or abs(got[1] - float(row["peak_kwh"])) > 1e-6
                or got[2] != int(row["readings"])
            ):
                problems.append(f"{key}: {got}, expected {row}")
    problems += [f"{key}: not expected" for key in found]
    return problems


def check(condition, text):
    if not condition:
        sys.exit(f"FAILED: {text}")
    print(f"ok: {text}")
