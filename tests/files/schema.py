#!/usr/bin/env python3
"""The JSON Schema of the pipeline file and its reader agree: files drawn at random, good ones and ones with a mistake.

`penstock schema` says what an editor knows, `penstock check` what the reader does. Where only one of the two objects, the
reason stands in ONLY_CHECK or in FREE: what a schema can not say. --files N draws more, --seed S others.
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

BINARY = os.environ["PENSTOCK_BINARY"]
SCHEMA = {"type": "record", "name": "R", "fields": [
    {"name": "id", "type": "string"}, {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "kwh", "type": "double"}, {"name": "tenant", "type": "string"}, {"name": "note", "type": ["null", "string"]}]}
# Errors of form: these a schema should find as well.
FORM = {"P009", "P012", "P020", "P021", "P023", "P024", "P025", "P026", "P027", "P028", "P029", "P035", "P036", "P055"}
# What the reader finds by looking at two places, or at what a value means.
ONLY_CHECK = [
    ("P020", "has newest_by but no key$", "a field that another one asks for"),
    ("P025", '"max"$', "a number, or a word: its section reads it"),
    ("P026", '"max"$|of (an epoch|a scale) is ', "ranges of single counts, as that an epoch has at least one record"),
    ("P026", "^a topic has 1 to 4096 partitions", "the range of what comes of a topic's and its target's settings"),
]
# Mappings whose content is the user's or a part's own affair.
FREE = {"schemas", "given", "expect", "log", "registry", "generate", "take", "tests"}
# Mappings from names of the user's own.
NAMED = {"topics", "stages", "tables", "stores", "producers", "targets", "set"}
ERROR = re.compile(r"^error\[([A-Z]\d{3})\] (.+)$")


class Writer:
    def __init__(self, draw):
        self.draw = draw

    def maybe(self, into, key, values, share=0.4):
        if self.draw.random() < share:
            into[key] = copy.deepcopy(self.draw.choice(values))

    def topic(self, schema):
        topic = {"key": self.draw.choice(["id", ["id"], ["id", "at"]])}
        if schema:
            topic["schema"] = "reading"
        self.maybe(topic, "partitions", [1, 5, "3"])
        self.maybe(topic, "replicas", [1, 3])
        self.maybe(topic, "keep", ["24h", "7d", "90m"])
        self.maybe(topic, "framing", ["bare", "single_object"])
        self.maybe(topic, "unframed", ["bare", "reject"])
        return topic

    def steps(self):
        steps = [{"drop": {"when": "id.startsWith('T')"}}, {"reject": {"when": "kwh < 0.0", "reason": "implausible"}},
                 {"set": {"kw": "kwh * 4.0", "done": "'yes'"}}, {"unset": ["note"]}, {"unset": "note"},
                 {"join": {"table": "meters", "by": "id", "take": ["site"]}}]
        chosen = self.draw.sample(steps, self.draw.randint(1, 4))
        if sum("unset" in step for step in chosen) == 2:
            chosen = [step for step in chosen if step != {"unset": "note"}]
        return chosen

    def store(self):
        store = self.draw.choice([
            {"sqlite": "latest", "upsert_on": ["id", "at"]}, {"sqlite": "latest", "key": "id", "newest_by": "at"},
            {"sqlite": "latest"}, {"postgres": "latest", "upsert_on": "id"}, {"dynamodb": "latest", "key": "id", "newest_by": "at"},
            {"redshift": "latest", "upsert_on": ["id", "at"]}])
        return copy.deepcopy(store)

    def file(self):
        draw = self.draw
        file = {"pipeline": draw.choice(["p", "meters"]), "version": 1, "schemas": {"reading": "reading.avsc"},
                "topics": {"ingest": self.topic(True), "middle": self.topic(False)},
                "tables": {"meters": {"csv": "meters.csv", "key": draw.choice(["id", ["id"]])}},
                "stages": {"work": {"from": draw.choice(["ingest", ["ingest"]]), "steps": self.steps(), "to": "middle"},
                           "writer": {"from": "middle", "to": draw.choice(["latest", ["latest"]])}},
                "stores": {"latest": self.store()}}
        self.maybe(file["tables"]["meters"], "refresh", ["1m", "10s"])
        self.maybe(file["stages"]["work"], "group", ["g", "my-group"])
        scale = {"min": 0, "max": draw.choice([5, "partitions"]), "lag_threshold": 20000, "poll": "30s", "cooldown": "300s"}
        epoch = {"rows": 500, "size": draw.choice(["1MiB", 1048576, "64KiB"]), "every": "250ms"}
        self.maybe(file, "scale", [scale])
        self.maybe(file, "epoch", [epoch])
        self.maybe(file["stages"]["work"], "scale", [{"min": 0}, {"max": 1}])
        self.maybe(file["stages"]["work"], "epoch", [{"rows": 7}, {"every": "1s"}])
        self.maybe(file, "dead_letters", [{"keep": "14d"}, {"topic": "dead.<stage>", "stop_above": "20% over 1m"}])
        self.maybe(file, "tenants", [["a", "b"], "a"])
        if draw.random() < 0.6:
            file["targets"] = {"local": {"log": "embedded"}}
            self.maybe(file["targets"]["local"], "topics", [{"replicas": 1}, {"partitions": 2}])
            self.maybe(file["targets"]["local"], "epoch", [epoch])
            self.maybe(file["targets"]["local"], "scale", [{"min": 0}])
        return file


def places(node, path=(), names=False):
    """Paths of all that a schema says something of; whether the last key is a name of the user's own."""
    if path:
        yield path, names
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in FREE:
                named = bool(path) and path[-1] in NAMED and len(path) in (1, 5) or (bool(path) and path[-1] == "set")
                yield from places(value, (*path, key), named)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from places(value, (*path, index), True)


def mistaken(file, draw):
    """The file with one mistake, or with what may be one; and what was done."""
    file = copy.deepcopy(file)
    path, named = draw.choice(list(places(file)))
    parent = file
    for key in path[:-1]:
        parent = parent[key]
    last, value = path[-1], parent[path[-1]]
    kind = draw.choice(["rename", "delete", "value", "value", "repeat", "add", "merge"])
    if kind == "rename" and isinstance(parent, dict) and not named:
        parent[last + draw.choice(["s", "x", "_"])] = parent.pop(last)
    elif kind == "delete" and not named:
        del parent[last]
    elif kind == "repeat" and isinstance(value, list) and value:
        value.append(copy.deepcopy(value[0]))
    elif kind == "merge" and isinstance(value, list) and len(value) > 1 and all(isinstance(each, dict) for each in value):
        value[0].update(value.pop(1))
    elif kind == "add" and isinstance(value, dict) and not (path[-1] in NAMED):
        value[draw.choice(["colour", "whn", "keys"])] = 1
    else:
        kind = "value"
        parent[last] = draw.choice([None, [], {}, "", "abc", 1.5, -1, 0, True, 10**11, "10s", "5MiB", "true", "1_000", "7d ",
                                    [1, 2], ["a", ["b"]], {"a": 1}, "20% over 1m", "partitions", "12parsecs"])
    return file, f"{kind} {'.'.join(map(str, path))}"


def verdicts(files, folder):
    """The errors of each, by one run of the reader for many."""
    names = []
    for number, (file, _) in enumerate(files):
        names.append(f"f{number}.yaml")
        (folder / names[-1]).write_text(yaml.safe_dump(file, sort_keys=False, allow_unicode=True))
    return [each for start in range(0, len(names), 500) for each in verdicts_of(names[start:start + 500], folder)]


def verdicts_of(names, folder):
    done = subprocess.run([BINARY, "check", "-t", "local", *names], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
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
    return [errors[name] for name in names]


def excused(errors):
    return all(any(code == known and re.search(words, text) for known, words, _ in ONLY_CHECK) for code, text in errors)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=600)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    draw = random.Random(given.seed)
    schema = json.loads(subprocess.run([BINARY, "schema"], capture_output=True, text=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    judge = jsonschema.Draft7Validator(schema)
    files = []
    while len(files) < given.files:
        good = Writer(draw).file()
        files.append((good, "nothing") if len(files) % 4 == 0 else mistaken(good, draw))
    wrong, counts = [], {"both pass": 0, "both refuse": 0, "only check": 0}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "reading.avsc").write_text(json.dumps(SCHEMA))
        (folder / "meters.csv").write_text("id,site\nm1,s1\n")
        found = verdicts(files, folder)
    for (file, what), errors in zip(files, found):
        form = [error for error in errors if error[0] in FORM]
        objections = [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:150]}" for each in judge.iter_errors(file)]
        if what == "nothing" and (errors or objections):
            wrong.append(f"a good file: check {errors}, schema {objections}")
        elif objections and not errors:
            wrong.append(f"{what}: only the schema objects: {objections}")
        elif form and not objections and not excused(form):
            wrong.append(f"{what}: only check objects: {form}")
        else:
            counts["both refuse" if objections else "only check" if errors else "both pass"] += 1
    print(f"{len(files)} files: {counts}")
    if wrong:
        print("\n".join(wrong[:40]))
        raise SystemExit(f"{len(wrong)} disagreements")
    if counts["both refuse"] < given.files / 4 or counts["both pass"] < given.files / 4:
        raise SystemExit("too few of a kind: this shows nothing")


main()
