#!/usr/bin/env python3
"""Runs `penstock check` over deliberate mistakes and over files that are good.

mistakes/NAME.yaml has one slip; mistakes/NAME.expect says what must come of it:

    P012 5:3                    the error's number, and line and column of the offending token
    in schemas/x.avsc 5:37      the place is in another file
    target prod                 check -t prod
    says TEXT                   the error's text holds this
    hides TEXT                  nothing that is printed holds this
    also P031                   a further error that follows from the same slip, or that stands beside it
    warning P202 6:3            it is a warning: 78 by --deny-warnings

Each run ends with 78 within a second, with exactly these errors, a caret line, cause and cure. Every error of the catalogue
that says that the file is wrong has a case, or stands in NOT_BY_CHECK with its reason.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("PENSTOCK_BINARY")
LIMIT_SECONDS = 1.0
ERROR = re.compile(r"^(error|warning)\[([A-Z]\d{3})\] (.+)$")
PLACE = re.compile(r"^  (.+):(\d+):(\d+)(?: +\| (.*))?$")
CARET = re.compile(r"^ +\| *\^+( .*)?$")


# Errors of the class "pipeline" that no file brings about in `check`.
NOT_BY_CHECK = {
    "A020": "schema check, and records of another writer",
    "A022": "avro encode of a value without an encoder",
    "B001": "a bundle, not a pipeline file", "B002": "made by bundle", "B003": "a bundle, not a pipeline file",
    "L006": "the log knows the topic with other partitions", "L007": "the log knows the group",
    "L115": "secrets are not asked for", "L142": "the registry answers", "L143": "the registry answers",
    "W002": "AWS's own settings", "W005": "AWS's own settings",
}
ENTRY = re.compile(r"^PENSTOCK_ERROR\(([A-Z]\d{3}), pipeline,", re.MULTILINE)


def untried(seen):
    catalogue = (HERE.parent.parent / "src" / "base" / "catalogue.def").read_text()
    return sorted((set(ENTRY.findall(catalogue)) - seen - NOT_BY_CHECK.keys()) | (seen & NOT_BY_CHECK.keys()))


def run(arguments, folder=HERE, extra=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    environment.update(extra or {})
    begin = time.monotonic()
    done = subprocess.run([BINARY, *arguments], cwd=folder, env=environment, capture_output=True,
                          timeout=30, check=False)
    seconds = time.monotonic() - begin
    return done.returncode, done.stdout.decode(), done.stderr.decode(), seconds


class Found:
    def __init__(self, kind, code, message):
        self.kind, self.code, self.message = kind, code, message
        self.file, self.line, self.column = "", 0, 0
        self.caret = self.cause = self.cure = ""
        self.shown = False
        self.lines = []


def read_errors(text):
    found = []
    for line in text.splitlines():
        if match := ERROR.match(line):
            found.append(Found(*match.groups()))
        if not found:
            continue
        error = found[-1]
        error.lines.append(line)
        if error.file == "" and (match := PLACE.match(line)):
            error.file, error.line, error.column = match[1], int(match[2]), int(match[3])
            error.shown = bool(match[4])
        elif CARET.match(line):
            error.caret = line
        elif line.startswith("  cause: "):
            error.cause = line[9:].strip()
        elif line.startswith("  cure:  "):
            error.cure = line[9:].strip()
    return found


class Expectation:
    def __init__(self, text):
        self.kind, self.code, self.place, self.file = "error", None, None, None
        self.says, self.hides, self.also, self.target = [], [], [], None
        for line in filter(None, text.splitlines()):
            word, _, rest = line.partition(" ")
            if word == "in":
                self.file, _, place = rest.partition(" ")
                self.place = place
            elif word == "target":
                self.target = rest
            elif word in ("says", "hides", "also"):
                getattr(self, word).append(rest)
            elif word == "warning":
                self.kind = word
                self.code, _, self.place = rest.partition(" ")
            else:
                self.code, self.place = word, rest


def judge(expected, file, outcome):
    """What is wrong with the outcome, or ""."""
    code, out, err, seconds = outcome
    errors = read_errors(err)
    if code != 78:
        return f"exit {code} instead of 78"
    if seconds > LIMIT_SECONDS:
        return f"took {seconds:.2f} s"
    if not errors:
        return "no error was told"
    numbers = sorted(error.code for error in errors)
    wanted = sorted([expected.code, *expected.also])
    if numbers != wanted:
        return f"errors {' '.join(numbers)} instead of {' '.join(wanted)}"
    first = next(error for error in errors if error.code == expected.code)
    if any(error.kind != expected.kind for error in errors):
        return f"{first.kind} instead of {expected.kind}"
    place = f"{first.line}:{first.column}"
    if expected.place and place != expected.place:
        return f"place {place} instead of {expected.place}"
    if expected.file is not None:
        file = expected.file
    if first.file != file:
        return f"file {first.file} instead of {file}"
    for error in errors:
        if not error.cause or not error.cure:
            return f"{error.code} has no cause or no cure"
        if error.shown and not error.caret:
            return f"{error.code} has no caret"
    for text in expected.says:
        if text not in "\n".join(first.lines):
            return f"does not say {text}"
    for text in expected.hides:
        if text in out + err:
            return f"shows {text}"
    return ""


def mistakes():
    for path in sorted((HERE / "mistakes").glob("*.yaml")):
        expected = Expectation(path.with_suffix(".expect").read_text())
        name = f"mistakes/{path.name}"
        arguments = ["check", name] + (["-t", expected.target] if expected.target else [])
        arguments += ["--deny-warnings"] if expected.kind == "warning" else []
        if expected.file:
            expected.file = f"mistakes/{expected.file}"
        outcome = run(arguments)
        yield name, judge(expected, name, outcome), outcome[2]


GOOD = """pipeline: p
version: 1
schemas: {event: event.avsc}
topics: {events: {schema: event, key: id}}
stages:
  store: {from: events, to: values}
stores: {values: {sqlite: events, upsert_on: id}}
"""
EVENT = '{"type": "record", "name": "Event", "fields": [{"name": "id", "type": "string"}]}'


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 10):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    return "\n".join(lines) + "\n"


def made_files():
    """Name, content, expectation: files that are no fit text to keep."""
    yield "latin1.yaml", GOOD.encode().replace(b"pipeline: p", b"pipeline: caf\xe9"), "P004 1:14"
    yield "utf16.yaml", GOOD.encode("utf-16"), "P004 1:1"
    yield "overlong.yaml", GOOD.encode() + b"# \xc0\x80\n", "P004 8:3"
    yield "surrogate.yaml", GOOD.encode() + b"# \xed\xa0\x80\n", "P004 8:3"
    yield "cut_short.yaml", GOOD.encode() + b"# \xe2\x82", "P004 8:3"
    yield "nul.yaml", GOOD.encode().replace(b"version: 1", b"version: \0"), "P005 2:10"
    yield "escape.yaml", GOOD.encode().replace(b"version: 1", b"version: \x1b[31m1"), "P005 2:10"
    yield "random.yaml", bytes((i * 7919 >> 3) & 255 for i in range(4096)), "P005"
    yield "bomb.yaml", (bomb() + GOOD).encode(), "P008"
    yield "brackets.yaml", b"pipeline: " + b"[" * 20000 + b"\n", "P007 1:75"
    yield "braces.yaml", b"pipeline: " + b"{a: " * 20000 + b"\n", "P007"
    yield "deep.yaml", "".join(" " * i + "a:\n" for i in range(1000)).encode(), "P007"
    yield "dashes.yaml", b"- " * 20000 + b"\n", "P007"
    yield "empty.yaml", b"", "P017 1:1"
    yield "blank.yaml", b"\n  \n\n", "P017 1:1"
    yield "null.yaml", b"~\n", "P017 1:1"
    yield "large.yaml", GOOD.encode() + b"# filler\n" * 200_000, "P003 1:1"
    yield "long_line.yaml", GOOD.encode() + b"form: '" + b"x" * 500_000 + b"'\n", "P012 8:1"
    yield "many_keys.yaml", GOOD.encode() + b"".join(b"k%d: 1\n" % i for i in range(50_000)), None


def made():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "event.avsc").write_text(EVENT)
        for name, content, expected in made_files():
            (path / name).write_bytes(content)
            outcome = run(["check", name], path)
            if expected is None:
                crowded = outcome[0] == 78 and outcome[3] <= LIMIT_SECONDS
                wrong = "" if crowded and len(read_errors(outcome[2])) <= 20 else "not bounded"
            elif " " in expected:
                wrong = judge(Expectation(expected), name, outcome)
            else:
                wrong = judge(Expectation(expected + " "), name, outcome)
            yield name, wrong, outcome[2]
        (path / "folder.yaml").mkdir()
        for name, expected in (("folder.yaml", "P002 1:1"), ("absent.yaml", "P001 1:1")):
            outcome = run(["check", name], path)
            yield name, judge(Expectation(expected), name, outcome), outcome[2]
        for name, content in (("bom.yaml", "\ufeff" + GOOD), ("crlf.yaml", GOOD.replace("\n", "\r\n"))):
            (path / name).write_bytes(content.encode())
            outcome = run(["check", name], path)
            yield name, "" if outcome[0] == 0 else f"exit {outcome[0]} instead of 0", outcome[2]


def good():
    prod = {"MSK_ARN": "arn:aws:kafka:eu-north-1:1:cluster/x", "REDSHIFT_HOST": "warehouse"}
    outcome = run(["check", "--deny-warnings", "flagship.yaml"])
    yield "check flagship.yaml", "" if outcome[0] == 0 else f"exit {outcome[0]}", outcome[2]
    code, out, err, _ = run(["plan", "flagship.yaml", "-t", "prod"], extra=prod)
    wanted = ["hourly", "unique", "window", "usage.alpine", "meters.writer.latest", "redshift",
              "dynamodb", "msk", "window_start", "peak_kw"]
    missing = [word for word in wanted if word not in out]
    yield "plan flagship.yaml -t prod", f"exit {code}, lacks {missing}" if code or missing else "", err
    code, out, err, _ = run(["check", "flagship.yaml", "-t", "prod"])
    codes = {error.code for error in read_errors(err)}
    yield "check flagship.yaml -t prod without its environment", (
        "" if code == 78 and codes == {"P048"} else f"exit {code}, {codes}"), err
    for example in sorted((HERE.parent.parent / "examples").glob("*/pipeline.yaml")):
        outcome = run(["check", str(example)])
        yield f"check {example.parent.name}", "" if outcome[0] == 0 else f"exit {outcome[0]}", outcome[2]


# Command line, exit code, what is said.
COMMANDS = [
    (["check"], 64, "check: FILE is required"),
    (["check", "-t"], 64, "check: --target needs a value"),
    (["check", "-t", "local", "-t", "prod", "flagship.yaml"], 64, "check: --target stands twice"),
    (["check", "--deny-warning", "flagship.yaml"], 64, 'did you mean "--deny-warnings"?'),
    (["chek", "flagship.yaml"], 64, 'did you mean "check"?'),
    (["plan", "flagship.yaml", "other.yaml"], 64, "plan: no use for other.yaml"),
    (["plan", "flagship.yaml", "-o", "jsn"], 64, 'did you mean "json"?'),
    (["run", "flagship.yaml", "--grace", "5"], 64, '"5" is no duration, as 500ms, 10s or 5m'),
    (["run", "flagship.yaml", "--workers", "-1"], 64, "not in range 1 to 256"),
    (["run", "flagship.yaml", "--stage", "nope"], 64, 'no stage "nope"'),
    (["avro", "decode", "--shcema", "x"], 64, 'did you mean "--schema"?'),
    (["avro", "encode"], 64, "see penstock avro encode --help"),
    (["avro"], 64, "write penstock avro decode or encode"),
    (["schema", "check", "old.avsc"], 64, "schema check: OLD_AND_NEW needs 2"),
    (["eval"], 64, "see penstock eval --help"),
    (["explain", "stages.form"], 64, 'did you mean "stages.from"?'),
    (["test", "flagship.yaml", "-k", "unknwon"], 64, 'no test\'s name contains "unknwon"'),
]


def commands():
    """Slips on the command line: 64, a cause and a cure that names the verb."""
    for arguments, wanted, says in COMMANDS:
        code, out, err, _ = run(arguments)
        errors = read_errors(err)
        wrong = f"exit {code}" if code != wanted else f"{len(errors)} errors" if len(errors) != 1 else ""
        if not wrong and not (errors[0].cause and errors[0].cure and says in err) or out:
            wrong = f"does not say {says}"
        yield "penstock " + " ".join(arguments), wrong, err
    for rule, wanted in (("1 + 1", (0, '{"value":')), ("1 +", (1, '{"error":')), ("1 / 0", (1, '{"error":'))):
        code, out, err, _ = run(["eval", rule])
        yield f"eval of {rule}", "" if (code, out[:9]) == wanted else f"exit {code}: {out}", err
    with tempfile.TemporaryDirectory() as folder:
        article = str(HERE.parent.parent / "examples" / "article" / "pipeline.yaml")
        applied = run(["apply", article, "--data", folder])
        code, out, err, _ = run(["dead", article, "--data", folder, "--stage", "wrtier"])
        told = 'no stage "wrtier"' in err and 'did you mean "writer"?' in err
        yield "dead of no stage", "" if (applied[0], code, told) == (0, 64, True) else f"exit {code}: {out}", applied[2] + err


def schema():
    """The editor's schema is current, and the files that are good are good by it."""
    kept = HERE.parent.parent / "examples" / "meters" / "penstock.schema.json"
    code, out, err, _ = run(["schema"])
    now = json.loads(out)
    current = code == 0 and kept.exists() and json.loads(kept.read_text()) == now
    yield "penstock.schema.json", "" if current else (
        "not current: penstock schema > examples/meters/penstock.schema.json"), err
    try:
        import jsonschema
        import yaml
    except ImportError:
        print("jsonschema or yaml is not installed: files are not held against the schema")
        return
    validator = jsonschema.Draft7Validator(now)
    files = sorted((HERE.parent.parent / "examples").glob("*/pipeline.yaml"))
    for path in [HERE / "flagship.yaml", *files]:
        found = list(validator.iter_errors(yaml.load(path.read_text(), Loader=yaml.BaseLoader)))
        yield f"schema of {path}", "; ".join(error.message[:200] for error in found), ""
    for name in ("unknown_field", "unknown_topic_field", "unknown_step", "missing_to", "list_file",
                 "step_unknown_field", "bad_choice"):
        text = (HERE / "mistakes" / f"{name}.yaml").read_text()
        good = validator.is_valid(yaml.load(text, Loader=yaml.BaseLoader))
        yield f"schema of {name}.yaml", "the schema finds no fault" if good else "", ""


def main():
    if not BINARY:
        print("PENSTOCK_BINARY names the program")
        return 77
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    count = failed = 0
    codes = set()
    for part in (mistakes, made, commands, good, schema):
        for name, wrong, text in part():
            if only not in name:
                continue
            count += 1
            codes.update(re.findall(r"^(?:error|warning)\[(\w+)\]", text, re.M))
            if wrong or only:
                failed += bool(wrong)
                print(f"{'FAILED ' + name + ': ' + wrong if wrong else name}\n{text[:3000]}")
    for code in [] if only else untried(codes):
        failed += 1
        print(f"FAILED {code} has no case in mistakes/, and no reason in NOT_BY_CHECK")
    print(f"{count} files, {failed} failed, {len(codes)} different errors")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
