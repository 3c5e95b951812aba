#!/usr/bin/env python3
"""Decodes generated cases with fastavro and with us, and compares.

    agree.py [--seed N] [--each N] [--least N] [--venv DIR] --penstock FILE AVRO_CASES

Where the two differ, the Avro specification (1.12) is the judge: the differences that are known and meant are listed
in reason() and in compare.py, each is counted, and anything else fails.
"""
import argparse
import collections
import io
import json
import os
import subprocess
import sys
import venv

import blocks
import compare
import generate
import logical

try:
    import fastavro
except ImportError:  # enter_venv() comes first then
    fastavro = None

MIXED = 20  # times as many cases in which many things differ
HERE = os.path.dirname(os.path.abspath(__file__))


def enter_venv(arguments):
    """Starts again with fastavro, pinned, in an environment of its own: the folder that --venv names."""
    folder = arguments[arguments.index("--venv") + 1] if "--venv" in arguments else sys.exit("fastavro is missing: give --venv DIR")
    python = os.path.join(folder, "bin", "python")
    mark = os.path.join(folder, "requirements.txt")
    wanted = open(os.path.join(HERE, "requirements.txt")).read()
    if not os.path.exists(mark) or open(mark).read() != wanted:
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", os.path.join(HERE, "requirements.txt")], check=True)
        with open(mark, "w") as out:
            out.write(wanted)
    os.execv(python, [python, *arguments])


def damaged(generator, damage):
    """(writer, bytes) that no decoder may take, whatever the reader."""
    r = generator.random
    if damage == "truncated":
        writer = {"type": "record", "name": "R", "fields": [{"name": "a", "type": generator.schema(2)},
                                                            {"name": "b", "type": "double"}]}
        data = encoded(writer, generator.value(writer))
        return writer, data[:r.randrange(len(data))]
    if damage == "trailing":
        writer = generator.schema(2)
        return writer, encoded(writer, generator.value(writer)) + bytes(r.choices(range(256), k=r.randint(1, 3)))
    if damage == "wrong_union_index":
        return ["null", "string"], bytes([r.choice([4, 6, 126, 1, 3, 127])]) + b"\2a"
    if damage == "wrong_enum_index":
        writer = generator.enum()
        return writer, bytes([r.choice([len(writer["symbols"]) * 2 + 2 * r.randint(0, 9), 1, 3])])
    if damage == "wrong_length":
        return r.choice(["string", "bytes"]), bytes([r.choice([1, 3, 0x7f, 0x7e])]) + b"abc"
    return "boolean", bytes([r.randint(2, 255)])


def encoded(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def generated(seed, each):
    """(kind, must fail for sure, writer, reader, bytes, bytes as fastavro writes them), `each` of each kind."""
    generator = generate.Generator(seed)
    for kind in generate.RESOLUTIONS + generate.MISFITS:
        for number in range(each * (MIXED if kind == "mixed" else 1)):
            generator.start()
            writer, reader = getattr(generator, kind)()
            value = generator.value(writer)
            data = encoded(writer, value)
            blocked = blocks.Writer(writer, generator.random).datum(value) if number % 2 else data
            yield kind, kind in generate.MISFITS, writer, reader, blocked, data
    for kind in generate.DAMAGES:
        for _ in range(each):
            generator.start()
            writer, data = damaged(generator, kind)
            yield kind, True, writer, None, data, data


def peer(writer, reader, data):
    """fastavro's answer: ("value", v, bytes left) or ("error", text, 0)."""
    source = io.BytesIO(data)
    try:
        value = fastavro.schemaless_reader(source, writer, reader, return_named_type=False)
    except Exception as error:  # it raises whatever its Python code happens to raise
        return "error", f"{type(error).__name__}: {error}", 0
    return "value", value, len(data) - source.tell()


def decode_line(writer, reader, data):
    line = {"writer": writer, "hex": data.hex()}
    return line if reader is None else {**line, "reader": reader}


def answers(command, cases):
    text = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert len(lines) == len(cases), "one answer for each case"
    return lines


def main():
    options = argparse.ArgumentParser()
    options.add_argument("avro_cases")
    options.add_argument("--penstock", required=True)
    options.add_argument("--seed", type=int, default=20261123)
    options.add_argument("--each", type=int, default=180)
    options.add_argument("--least", type=int, default=10_000)
    options.add_argument("--venv")
    options = options.parse_args()
    cases = list(generated(options.seed, options.each))
    lines = [decode_line(*case[2:5]) for case in cases]
    judge = Judge(options)
    decoded = answers(judge.avro("decode"), lines)
    for case, line, ours in zip(cases, lines, decoded):
        judge.compare(case, line, ours)
    judge.encode_back(cases)
    judge.print_logical(cases, decoded)
    return judge.report(len(cases))


class Judge:
    def __init__(self, options):
        self.options = options
        self.kinds = collections.Counter()
        self.failed = collections.Counter()
        self.meant = collections.Counter()
        self.wrong = []
        self.round_trips = self.printed = 0

    def avro(self, verb):
        return [self.options.penstock, "avro", verb, "--cases", "-"]

    def compare(self, case, line, ours):
        kind, must_fail, writer, reader, data, _ = case
        self.kinds[kind] += 1
        writer, reader = logical.without_logical(writer), logical.without_logical(reader)
        verdict, theirs, left = peer(writer, reader, data)
        if "error" in ours:
            self.failed[kind] += 1
            if verdict == "value":
                self.count(reason(kind, data, ours["error"], left), line, ours, theirs)
            return
        if must_fail and kind != "truncated":
            return self.count(None, line, ours, "must fail")
        if verdict == "error":
            return self.count(accepted(ours["value"], theirs), line, ours, theirs)
        comparison = compare.Comparison(reader or writer)
        if not comparison.equal(reader or writer, ours["value"], theirs):
            return self.count(None, line, ours, theirs)
        for excuse in comparison.excuses:
            self.count(excuse, line, ours, theirs)

    def count(self, why, line, ours, theirs):
        if why is None:
            self.wrong.append((line, ours, theirs))
        else:
            self.meant[why] += 1

    def encode_back(self, cases):
        """What fastavro wrote, read and written by us, is the same bytes again."""
        written = [(writer, data) for kind, _, writer, _, _, data in cases
                   if kind not in generate.DAMAGES and kind != "too_deep"]
        values = answers(self.avro("decode"), [{"writer": w, "hex": d.hex()} for w, d in written])
        lines = [{"schema": w, "value": v.get("value")} for (w, _), v in zip(written, values)]
        for line, (_, data), ours in zip(lines, written, answers(self.avro("encode"), lines)):
            self.round_trips += 1
            if ours.get("hex") != data.hex():
                self.wrong.append((line, ours, data.hex()))

    def print_logical(self, cases, decoded):
        """What we resolved, as text for people: the dates, times, decimals that fastavro sees in it."""
        resolved = [(case, case[3] or case[2], ours["value"]) for case, ours in zip(cases, decoded)
                    if case[0] in logical.RESOLUTIONS and "value" in ours]
        lines = [{"schema": schema, "value": value} for _, schema, value in resolved]
        for (case, *_), line, ours in zip(resolved, lines, answers([self.options.avro_cases, "print"], lines)):
            self.printed += 1
            self.compare_printed(case, line, ours)

    def compare_printed(self, case, line, ours):
        if "error" in ours:
            return self.count(None, line, ours, "printed")
        schema, plain = line["schema"], ours["value"]
        verdict, theirs, _ = peer(schema, None, bytes.fromhex(ours["hex"]))
        if verdict == "error":
            why = compare.outside_peer(schema, plain) if ours["again"] == plain else None
            return self.count(why, line, ours, theirs)
        comparison = compare.Printed(schema)
        read_again = ours["again"] == plain
        if not comparison.equal(schema, plain, theirs) or read_again == (compare.DIGITS in comparison.excuses):
            return self.count(None, line, ours, theirs)
        if case[3] is not None and peer(*case[2:5])[:2] != ("value", theirs):
            comparison.excuses.add(compare.WRITERS_LOGICAL)
        for excuse in comparison.excuses:
            self.count(excuse, line, ours, theirs)

    def report(self, total):
        for kind, count in self.kinds.items():
            print(f"{kind:20} {count:6} cases {self.failed[kind]:6} refused")
        refused = sum(self.failed.values())
        print(f"{'total':20} {total:6} cases {refused:6} refused ({100 * refused / total:.1f} %), "
              f"{self.round_trips} encoded back, {self.printed} printed for people")
        for why, count in self.meant.most_common():
            print(f"  meant: {count:5} {why}")
        for line, ours, theirs in self.wrong[:12]:
            print(f"DIFFERS {json.dumps(line)}\n  ours   {ours}\n  theirs {theirs}")
        print(f"{len(self.wrong)} differences that are not meant")
        enough = total >= self.options.least and min(self.kinds.values()) >= total // 100 and refused >= total / 5
        if not enough:
            print(f"too few cases: at least {self.options.least:,}, a hundredth of each kind, a fifth refused")
        return 0 if enough and not self.wrong else 1


def reason(kind, data, why, left):
    """Why we refuse what fastavro takes; None: no reason that is meant."""
    if why.startswith("bytes after the end of the datum") and left > 0:
        return "fastavro leaves trailing bytes to its caller; a datum of ours ends where its bytes end"
    if kind in ("wrong_union_index", "wrong_enum_index") and data[0] & 1:
        return "fastavro takes a negative index (Python counts from the end); the specification has no such index"
    if kind == "wrong_boolean" and data[0] > 1:
        return "fastavro takes any byte as a boolean; the specification: 0 or 1"
    if kind == "decimals_disagree":
        return "fastavro takes a decimal of another precision or scale; the specification: they do not match"
    if kind == "too_deep" and "deep" in why:
        return "bound: records inside each other end at 64"
    return None


def accepted(ours, theirs):
    """Why we take what fastavro refuses; None: no reason that is meant."""
    if theirs.startswith("UnicodeDecodeError") and holds_binary(ours):
        return compare.FIRST_BRANCH
    return None


def holds_binary(value):
    """Is there a union's {"bytes": …} that is not UTF-8?"""
    if isinstance(value, list):
        return any(map(holds_binary, value))
    if not isinstance(value, dict):
        return False
    if list(value) == ["bytes"] and isinstance(value["bytes"], str):
        try:
            value["bytes"].encode("latin-1").decode()
        except UnicodeDecodeError:
            return True
    return any(map(holds_binary, value.values()))


if __name__ == "__main__":
    if fastavro is None:
        enter_venv(sys.argv)
    sys.exit(main())
