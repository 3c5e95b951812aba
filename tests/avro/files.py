#!/usr/bin/env python3
"""Container files through the binary: `send` and `tail -o avro`, `avro decode` and `encode`, beside fastavro.

    files.py [--venv DIR] PENSTOCK
"""
import io
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile

import agree
from agree import fastavro
from containers import CODECS

PENSTOCK = sys.argv[-1]
PIPELINE = """\
pipeline: p
version: 1
schemas: {event: event.avsc}
topics: {events: {schema: event, key: id, partitions: 3}, others: {schema: event, key: id, partitions: 1}}
stages: {all: {from: events, to: values}, rest: {from: others, to: values}}
stores: {values: {sqlite: events, upsert_on: id}}
"""
FIELDS = [{"name": "id", "type": "string"}, {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
          {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
          {"name": "tags", "type": {"type": "map", "values": ["null", "long"]}}]
ADDED = {"name": "note", "type": ["null", "string"], "default": None}
OLDER = {"type": "record", "name": "Event", "fields": FIELDS}
EVENT = {"type": "record", "name": "Event", "fields": [*FIELDS, ADDED]}


def run(*arguments, expect=0, **options):
    done = subprocess.run([PENSTOCK, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode != expect:
        sys.exit(f"penstock {' '.join(map(str, arguments))}: exit {done.returncode}, expected {expect}\n{done.stderr.decode()}")
    return done.stdout


def check(holds, what):
    print("ok" if holds else "FAILED", what)
    if not holds:
        sys.exit(1)


def generated(count, mark, note=True):
    import datetime
    import decimal
    start = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
    rows = [{"id": f"{mark}{n}", "at": start + datetime.timedelta(microseconds=n), "amount": decimal.Decimal(n - 50) / 4,
             "tags": {"n": n, "none": None}, "note": f"é{n}"} for n in range(count)]
    return rows if note else [{key: value for key, value in row.items() if key != "note"} for row in rows]


def file_of(schema, rows, codec):
    out = io.BytesIO()
    fastavro.writer(out, schema, rows, codec=codec)
    return out.getvalue()


def rows_of(data):
    reader = fastavro.reader(io.BytesIO(data))
    return reader.metadata["avro.codec"], sorted(reader, key=lambda row: row["id"])


def tailed(folder, *arguments):
    return rows_of(run("tail", folder, "events", "-o", "avro", "-n", 10000, *arguments))


def topics(folder):
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "event.avsc").write_text(json.dumps(EVENT))
    expected = []
    for codec in CODECS:
        (folder / f"{codec}.avro").write_bytes(file_of(EVENT, generated(300, codec), codec))
        run("send", folder, "--to", "events", folder / f"{codec}.avro")
        expected += generated(300, codec)
    (folder / "older.avro").write_bytes(file_of(OLDER, generated(10, "older", note=False), "deflate"))
    run("send", folder, "--to", "events", folder / "older.avro")
    expected += [{**row, "note": None} for row in generated(10, "older", note=False)]
    return sorted(expected, key=lambda row: row["id"])


def refusals(folder):
    for arguments in (["events", "others"], [], ["values"], ["events", "--follow"]):
        run("tail", folder, *arguments, "-o", "avro", expect=64)
    ours, theirs = pty.openpty()
    done = subprocess.run([PENSTOCK, "tail", folder, "events", "-o", "avro"], stdout=theirs, stderr=subprocess.PIPE)
    os.set_blocking(ours, False)
    os.close(theirs)
    try:
        written = os.read(ours, 10)
    except OSError:  # nobody wrote, and nobody can any more
        written = b""
    os.close(ours)
    check(done.returncode == 64 and b"terminal" in done.stderr and written == b"", "a terminal gets no file")


def at_owner(folder, expected):
    """The process that owns the data folder writes the file through its socket."""
    owner = subprocess.Popen([PENSTOCK, "run", folder], stderr=subprocess.PIPE, text=True)
    try:
        while "drains" not in owner.stderr.readline():
            check(owner.poll() is None, "run is up")
        check(tailed(folder, "--codec", "zstandard") == ("zstandard", expected), "through the owner of the folder")
    finally:
        owner.terminate()
        owner.communicate()


def verbs(folder):
    data = (folder / "snappy.avro").read_bytes()
    lines = run("avro", "decode", folder / "snappy.avro").decode()
    check([json.loads(line)["id"] for line in lines.split("\n")[:-1]] == [row["id"] for row in fastavro.reader(io.BytesIO(data))],
          "avro decode prints a line for each datum")
    (folder / "small.avsc").write_text(json.dumps({"type": "record", "name": "Event", "fields": FIELDS[:1]}))
    small = run("avro", "decode", "--reader", folder / "small.avsc", folder / "snappy.avro").decode().split("\n")
    check(json.loads(small[7]) == {"id": "snappy7"}, "under another schema")
    for codec in CODECS:
        made = run("avro", "encode", "--schema", folder / "event.avsc", "--codec", codec, input=lines.encode())
        check(rows_of(made) == (codec, rows_of(data)[1]), f"avro encode --codec {codec}")
    run("avro", "encode", "--schema", folder / "event.avsc", "--codec", "null", input=b'{"id": 1}\n', expect=1)
    run("avro", "decode", folder / "event.avsc", expect=64)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        expected = topics(folder)
        check(tailed(folder) == ("deflate", expected), "what was sent from four files, and under an older schema, is in tail's")
        for codec in CODECS:
            check(tailed(folder, "--codec", codec) == (codec, expected), f"tail --codec {codec}")
        newest = rows_of(run("tail", folder, "events", "-o", "avro", "-n", 5))[1]
        check(len(newest) == 5 and all(row["id"].startswith("older") for row in newest), "the newest only")
        refusals(folder)
        verbs(folder)
        at_owner(folder, expected)


if __name__ == "__main__":
    if fastavro is None:
        agree.enter_venv(sys.argv)
    main()
