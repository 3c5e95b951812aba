#!/usr/bin/env python3
"""`penstock schema check` against Apache's own reader/writer check (PyPI avro), on generated pairs of versions.

usage: compatibility.py [--seed N] [--pairs N]
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
sys.path.insert(0, str(HERE))
sys.path.append(str(HERE.parent / "scenarios"))

from pipeline_fixture import BINARY, check  # noqa: E402
from registry_double import readable  # noqa: E402

PLAIN = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


class Versions:
    """A schema, and another that is nearly the same. Every named type has one name for one place, so that a name is never met twice."""

    def __init__(self, random_of):
        self.random = random_of

    def type(self, path, depth):
        kind = self.random.choice(["plain"] * 4 + (["union", "array", "map", "record", "enum", "fixed"] if depth < 3 else []))
        if kind == "union":
            return ["null", self.random.choice(PLAIN[1:])] if self.random.random() < 0.6 else self.random.sample(PLAIN, 3)
        if kind == "array":
            return {"type": "array", "items": self.type(path + "a", depth + 1)}
        if kind == "map":
            return {"type": "map", "values": self.type(path + "m", depth + 1)}
        if kind == "record":
            return self.record(path, depth + 1)
        if kind == "enum":
            return {"type": "enum", "name": "E" + path, "symbols": self.random.sample("ABCDE", 3)}
        if kind == "fixed":
            return {"type": "fixed", "name": "F" + path, "size": self.random.choice([4, 8])}
        return self.random.choice(PLAIN)

    def record(self, path, depth):
        names = self.random.sample("abcdef", self.random.randint(1, 3))
        return {"type": "record", "name": "R" + path, "fields": [{"name": n, "type": self.type(path + n, depth)} for n in names]}

    def changed(self, schema, path="", depth=0):
        if isinstance(schema, dict) and schema["type"] == "record" and self.random.random() < 0.9:
            fields = [{**f, "type": self.changed(f["type"], path + f["name"], depth + 1)} for f in schema["fields"]]
            if len(fields) > 1 and self.random.random() < 0.2:
                fields.pop(self.random.randrange(len(fields)))
            if self.random.random() < 0.3:
                fields.append({"name": "z", "type": "int"} | ({"default": 7} if self.random.random() < 0.6 else {}))
            self.random.shuffle(fields)
            return {**schema, "fields": fields}
        if isinstance(schema, dict) and schema["type"] == "enum" and self.random.random() < 0.3:
            return {**schema, "symbols": self.random.sample("ABCDE", 3)} | ({"default": "A", "symbols": ["A", "B"]} if self.random.random() < 0.4 else {})
        if isinstance(schema, dict) and schema["type"] in ("array", "map"):
            inner = "items" if schema["type"] == "array" else "values"
            return {**schema, inner: self.changed(schema[inner], path + inner[0], depth + 1)}
        if isinstance(schema, str) and schema != "null" and self.random.random() < 0.15:
            return ["null", schema]
        return self.type(path + "x", 2) if self.random.random() < 0.06 else schema


def ours(folder, old, new):
    files = [folder / "old.avsc", folder / "new.avsc"]
    for file, schema in zip(files, (old, new)):
        file.write_text(schema)
    done = subprocess.run([BINARY, "schema", "check", *files, "-o", "json", "--require", "none"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--raw-records")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--pairs", type=int, default=200)
    options = options.parse_args()
    versions = Versions(random.Random(options.seed))
    seen = {True: 0, False: 0}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.pairs):
            first = versions.record("", 0)
            old, new = json.dumps(first), json.dumps(versions.changed(first))
            found = ours(pathlib.Path(folder), old, new)
            for way, theirs in (("backward", readable(new, old)), ("forward", readable(old, new))):
                seen[theirs] += 1
                if found[way] != theirs:
                    check(False, f"pair {number}, {way}: ours {found[way]}, Apache's {theirs}\n{old}\n{new}\n{found}")
                if found[way] == bool(found[way + "_disagreements"]):
                    check(False, f"pair {number}: {way} without its reasons")
    check(min(seen.values()) > options.pairs / 10, f"{options.pairs} pairs both ways, as Apache's check has it: {seen}")


if __name__ == "__main__":
    main()
