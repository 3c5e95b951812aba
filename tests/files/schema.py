#!/usr/bin/env python3
"""The JSON Schema of the pipeline file and its reader agree: files drawn at random, good ones and ones with a mistake.

`penstock schema` says what an editor knows, `penstock check` what the reader does. Where only one of the two objects, the
reason stands in ONLY_CHECK or in FREE: what a schema can not say. Every field of every section and part that the reference
names is drawn, good and with a mistake; a field that is not is a failure. --files N draws more, --seed S others.
"""
import argparse
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
import jsonschema  # noqa: E402
import yaml  # noqa: E402
from drawn_files import Reference, Writer, is_named, parts_of, places  # noqa: E402

BINARY = os.environ["PENSTOCK_BINARY"]
TYPES = {"id": "string", "meter_id": "string", "at": {"type": "long", "logicalType": "timestamp-millis"}, "kwh": "double",
         "tenant": "string", "note": ["null", "string"], "name": "string", "other": "string"}
FILES = {"reading.avsc": {"type": "record", "name": "R", "fields": [{"name": n, "type": t} for n, t in TYPES.items()]},
         "meter.avsc": {"type": "record", "name": "M", "fields": [{"name": n, "type": "string"} for n in ("id", "site", "meter_id")]},
         "meters.csv": "id,site,meter_id\n1,s1,m1\n", "meters.jsonl": '{"id": "1", "site": "s1", "meter_id": "m1"}\n'}
# Errors of form: these a schema should find as well.
FORM = {"P009", "P012", "P020", "P021", "P023", "P024", "P025", "P026", "P027", "P028", "P029", "P035", "P036", "P051", "P055"}
# Errors of a good file that the target it is held against has no settings for.
OF_TARGET = {"S021", "L109", "L145", "L146"}
# What the reader finds by looking at two places, or at what a value means.
ONLY_CHECK = [
    ("P009", "^registry .* stands twice|^two tests are called", "two items of one kind, or of one name"),
    ("P012", "the target gives it settings of|of the target$|is the same in every target", "which kind a store is stands elsewhere"),
    ("P020", "has newest_by but no key$", "a field that another one asks for"),
    ("P025", '"max"$', "a number, or a word: its section reads it"),
    ("P026", '"max"$|of (an epoch|a scale) is |has 8 to 32 bytes|which is more than 0', "ranges of single counts, as that an epoch has at least one record"),
    ("P026", "^a topic has 1 to 4096 partitions", "the range of what comes of a topic's and its target's settings"),
    ("P029", "^a store that is immutable|has upsert_on and newest_by", "fields that exclude each other"),
]
ERROR = re.compile(r"^error\[([A-Z]\d{3})\] (.+)$")
# No field takes one of these.
WRONG = [[[1]], {"a": {"b": {}}}]


def spoil(file, path, kind, draw):
    """The file with this kind of mistake at this path, or with what may be one; and what was done."""
    file = copy.deepcopy(file)
    parent = file
    for key in path[:-1]:
        parent = parent[key]
    last, value = path[-1], parent[path[-1]]
    named = is_named(path)
    if kind == "rename" and isinstance(parent, dict) and not named:
        parent[last + draw.choice(["s", "x", "_"])] = parent.pop(last)
    elif kind == "delete" and not named:
        del parent[last]
    elif kind == "repeat" and isinstance(value, list) and value:
        value.append(copy.deepcopy(value[0]))
    elif kind == "merge" and isinstance(value, list) and len(value) > 1 and all(isinstance(each, dict) for each in value):
        value[0].update(value.pop(1))
    elif kind == "add" and isinstance(value, dict) and not is_named((*path, "")):
        value[draw.choice(["colour", "whn", "keys"])] = 1
    elif kind == "wrong":
        parent[last] = copy.deepcopy(draw.choice(WRONG))
    else:
        kind = "value"
        parent[last] = copy.deepcopy(draw.choice(
            [None, [], {}, "", "abc", 1.5, -1, 0, True, 10**11, "10s", "5MiB", "true", "1_000", "7d ", [1, 2], ["a", ["b"]],
             {"a": 1}, "20% over 1m", "partitions", "12parsecs"]))
    return file, f"{kind} {'.'.join(map(str, path))}"


KINDS = ["rename", "delete", "value", "value", "repeat", "add", "merge"]


def draw_files(reference, draw, more):
    """Files, what was done to each, and the field that it was done to: all fields, and `more` of any."""
    writer, files, missing = Writer(reference, draw), [], set(reference.fields)
    for _ in range(400):
        if not missing:
            break
        good = writer.file()
        has = {field for _, field in places(good, reference)}
        if has & missing or len(files) < 60:
            files.append((good, "nothing", None))
            missing -= has
    if missing:
        raise SystemExit(f"no good file was drawn with {sorted(missing)}")
    where = {field: [] for field in reference.fields}
    for file, _, _ in files:
        for path, field in places(file, reference):
            where[field].append((file, path))
    for field in reference.fields:
        file, path = draw.choice(where[field])
        for kind in ("wrong", draw.choice(KINDS)):
            files.append((*spoil(file, path, kind, draw), field))
    for _ in range(more):
        file = writer.file()
        path, field = draw.choice(list(places(file, reference)))
        files.append((*spoil(file, path, draw.choice(KINDS), draw), field))
    return files


def verdicts(files, folder):
    """The errors of each, by one run of the reader for many; every third file is held against another target."""
    names = []
    for number, (file, _, _) in enumerate(files):
        names.append(f"f{number}.yaml")
        (folder / names[-1]).write_text(yaml.safe_dump(file, sort_keys=False, allow_unicode=True))
    prod = [name for name, (file, _, _) in zip(names, files) if "prod" in parts_of(file, "targets")][::2]
    errors = {}
    for target, those in (("prod", prod), ("local", [name for name in names if name not in set(prod)])):
        for start in range(0, len(those), 400):
            errors.update(verdicts_of(those[start:start + 400], target, folder))
    return [errors[name] for name in names]


def verdicts_of(names, target, folder):
    environment = os.environ | {"MSK_ARN": "arn:aws:kafka:eu-north-1:1:cluster/x/y", "REDSHIFT_HOST": "warehouse", "KIND": "sqlite"}
    done = subprocess.run([BINARY, "check", "-t", target, *names], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=120, check=False)
    errors, pending = {name: [] for name in names}, None
    for line in done.stderr.splitlines():
        if match := ERROR.match(line):
            pending = match.groups()
        elif pending and (place := re.match(r"^ +(f\d+\.yaml):\d+:\d+", line)):
            errors[place[1]].append(pending)
            pending = None
    good = set(re.findall(r"^(f\d+\.yaml): ok", done.stdout, re.MULTILINE))
    for name in names:
        if (name in good) == bool(errors[name]):
            raise SystemExit(f"{name}: neither good nor at fault: {done.stderr[-2000:]}")
    return errors


def excused(errors):
    return all(any(code == known and re.search(words, text) for known, words, _ in ONLY_CHECK) for code, text in errors)


class Tally:
    def __init__(self):
        self.wrong, self.counts = [], {"both pass": 0, "both refuse": 0, "only check": 0}
        self.good, self.bad = set(), set()

    def judge(self, what, errors, objections):
        if what == "nothing":
            errors = [error for error in errors if error[0] not in OF_TARGET]
        form = [error for error in errors if error[0] in FORM]
        if what == "nothing" and (objections or errors):
            self.wrong.append(f"a good file: check {errors}, schema {objections}")
        elif objections and not errors:
            self.wrong.append(f"{what}: only the schema objects: {objections}")
        elif form and not objections and not excused(form):
            self.wrong.append(f"{what}: only check objects: {form}")
        else:
            self.counts["both refuse" if objections else "only check" if errors else "both pass"] += 1


def hold(files, found, judge, reference):
    tally = Tally()
    for (file, what, field), errors in zip(files, found):
        objections = [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:150]}" for each in judge.iter_errors(file)]
        tally.judge(what, errors, objections)
        if what == "nothing":
            tally.good |= {of for _, of in places(file, reference)}
        elif errors:
            tally.bad.add(field)
    return tally


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    draw = random.Random(given.seed)
    schema = json.loads(subprocess.run([BINARY, "schema"], capture_output=True, text=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    reference = Reference(BINARY)
    files = draw_files(reference, draw, given.files)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, content in FILES.items():
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        found = verdicts(files, folder)
    tally = hold(files, found, jsonschema.Draft7Validator(schema), reference)
    print(f"{len(files)} files, {len(reference.fields)} fields: {tally.counts}")
    if tally.wrong:
        print("\n".join(tally.wrong[:40]))
        raise SystemExit(f"{len(tally.wrong)} disagreements")
    for kind, seen in (("good", tally.good), ("with a mistake that was told", tally.bad)):
        if lacking := set(reference.fields) - seen:
            raise SystemExit(f"never drawn {kind}: {sorted(lacking)}")
    if tally.counts["both refuse"] < len(files) / 4 or tally.counts["both pass"] < len(files) / 10:
        raise SystemExit("too few of a kind: this shows nothing")


main()
