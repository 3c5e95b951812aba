#!/usr/bin/env python3
"""Container files of generated schemas and datums, with every codec, against fastavro: its files read by us, ours by it.

    containers.py [--seed N] [--files N] [--venv DIR] PROGRAM      PROGRAM is container_cases
"""
import argparse
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import agree
import generate
from agree import encoded, fastavro

CODECS = ["null", "deflate", "snappy", "zstandard"]


def value_of(schema, datum):
    return fastavro.schemaless_reader(io.BytesIO(datum), schema, None)


def answers(program, verb, lines):
    done = subprocess.run([program, verb], input="".join(line + "\n" for line in lines), capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(lines), "one answer for each line"
    return found


def generated(seed, files):
    """(schema, codec, datums as bytes), a record's schema each."""
    generator = generate.Generator(seed)
    for number in range(files):
        generator.start()
        schema = generator.record(2)
        values = [generator.value(schema) for _ in range(generator.random.choice([0, 1, 7, 300]))]
        yield schema, CODECS[number % len(CODECS)], [encoded(schema, value) for value in values]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--seed", type=int, default=20261128)
    options.add_argument("--files", type=int, default=400)
    options.add_argument("--venv")
    options = options.parse_args()
    wrong, datums_seen = [], 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        cases = list(generated(options.seed, options.files))
        theirs, ours = [], []
        for number, (schema, codec, datums) in enumerate(cases):
            file = folder / f"{number}-theirs.avro"
            with file.open("wb") as out:
                fastavro.writer(out, schema, [value_of(schema, datum) for datum in datums], codec=codec, sync_interval=2000)
            theirs.append(str(file))
            ours.append({"schema": schema, "codec": codec, "datums": [datum.hex() for datum in datums],
                         "file": str(folder / f"{number}-ours.avro")})
        read = answers(options.program, "read", theirs)
        answers(options.program, "write", [json.dumps(case) for case in ours])
        for number, ((schema, codec, datums), answer) in enumerate(zip(cases, read, strict=True)):
            datums_seen += len(datums)
            again = [encoded(schema, value_of(schema, datum)) for datum in datums]
            if answer.get("datums") != [datum.hex() for datum in again]:
                wrong.append((number, codec, "fastavro's file, read by us", str(answer)[:300]))
            with open(ours[number]["file"], "rb") as file:
                back = list(fastavro.reader(file))
            if [encoded(schema, value) for value in back] != again:
                wrong.append((number, codec, "our file, read by fastavro", len(back)))
    for line in wrong[:20]:
        print("DIFFERS", line)
    print(f"{len(cases)} files of {len(CODECS)} codecs, {datums_seen} datums, both ways; {len(wrong)} differ")
    return 1 if wrong or datums_seen < 10 * options.files else 0


if __name__ == "__main__":
    if fastavro is None:
        agree.enter_venv(sys.argv)
    sys.exit(main())
