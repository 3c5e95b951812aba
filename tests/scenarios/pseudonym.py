#!/usr/bin/env python3
"""Pseudonyms from end to end: the same over restarts, another under another key, and the key in nothing that leaves the
process; without it, check proves the file and run does not begin."""
import hashlib
import hmac
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from pipeline_fixture import BINARY, check  # noqa: E402

KEYS = "kanarienvogel-7f3a-one", "kanarienvogel-7f3a-two"
SCHEMA = '{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"kwh","type":"double"}]}'
PIPELINE = """pipeline: trial
version: 1
schemas: {r: r.avsc}
topics: {in: {schema: r, key: id, partitions: 1}}
stages:
  hide:
    from: in
    steps:
      - pseudonym: {fields: id, key: "${secret:meter-key}", version: v1, bytes: 16}
    to: rows
stores: {rows: {sqlite: rows}}
tests:
  - name: hidden
    stage: hide
    given: {in: [{id: m1, kwh: 1.5}]}
    expect: {rows: [{kwh: 1.5}]}
"""
seen = []


def run(folder, key, *words, expect=0):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_SECRET")}
    if key:
        environment["PENSTOCK_SECRET_METER_KEY"] = key
    done = subprocess.run([BINARY, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    seen.append(done.stdout + done.stderr)
    check(done.returncode == expect, f"{' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def pseudonym(key, value):
    return "v1." + hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]


def main(folder):
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "r.avsc").write_text(SCHEMA)
    for words in (["check", "."], ["plan", "."], ["bundle", "."]):
        run(folder, None, *words)
    for words, code in (["run", ".", "--until-idle"], 78), (["test", "."], 1):
        told = run(folder, None, *words, expect=code)
        check("L115" in told and "meter-key" in told, f"{words[0]} without the key says which secret is missing: {told}")
    for turn, key in enumerate([KEYS[0], KEYS[0], KEYS[1]]):
        data = folder / f"rows{turn}.csv"
        data.write_text(f"id,kwh\nm1,{turn}\nm2,{turn}\n")
        run(folder, key, "send", ".", "--to", "in", data.name)
        run(folder, key, "run", ".", "--until-idle")
    run(folder, KEYS[0], "test", ".")
    for words in (["check", "."], ["plan", ".", "-o", "json"], ["bundle", "."], ["status", ".", "-o", "json"], ["tail", ".", "rows", "-o", "json"]):
        run(folder, KEYS[0], *words)
    with sqlite3.connect(next((folder / ".penstock").rglob("*.sqlite"))) as database:
        rows = set(database.execute("select id, kwh from rows"))
    wanted = {(pseudonym(key, meter), float(turn)) for turn, key in enumerate([KEYS[0], KEYS[0], KEYS[1]]) for meter in ("m1", "m2")}
    check(rows == wanted, f"rows are {rows}, not {wanted}")
    check(not any("kanarienvogel" in text for text in seen), "the key is in nothing that was printed")
    for path in folder.rglob("*"):
        if path.is_file():
            check(b"kanarienvogel" not in path.read_bytes(), f"{path.name} does not hold the key")


with tempfile.TemporaryDirectory() as temporary:
    main(pathlib.Path(temporary))
print("ok")
