#!/usr/bin/env python3
"""Our Avro beside Apache's Java implementation, both ways, on the cases of agree.py and on container files of every codec.

    java_agree.py [--seed N] [--each N] [--files N] [--venv DIR] --penstock FILE AVRO_CASES CONTAINER_CASES

Of each case: its datum read by both, into the reader's schema; ours written, read by Java; Java's written, in one block and
in many, read by us; logical types as text beside Java's classes. What differs and is meant stands in reason() and compare.py.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import agree
import compare
import containers
import logical

HERE = pathlib.Path(__file__).resolve().parent / "java"

# What we refuse and Java takes: by the beginning of our words, and by the kind of case.
REFUSED = {
    "a string that is not UTF-8": "Java puts U+FFFD in place of bytes that are not UTF-8; we refuse the datum, as fastavro does",
    "bytes after the end of the datum": "Java leaves bytes after a datum to its caller; a datum of ours ends where its bytes end",
    "a boolean that is neither 0 nor 1": "Java takes every byte but 1 as false; the specification: 0 or 1"}
BY_KIND = {
    "decimals_disagree": "Java takes a decimal of another precision or scale; the specification: they do not match",
    "other_name": "Java takes a record of another name where the fields fit; the specification: the names match "
                  "(docs/decisions/0005-reader-union-branch.md)",
    "too_deep": "bound: records inside each other end at 64"}


def java(verb):
    """The command that runs Cases; its jars are fetched, and it is compiled, once per machine."""
    texts = b"".join((HERE / name).read_bytes() for name in ("pom.xml", "Cases.java"))
    root = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "penstock"
    folder = root / f"avro-java-{hashlib.sha256(texts).hexdigest()[:16]}"
    if not folder.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root) as work:
            subprocess.run(["mvn", "-B", "-q", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
                            f"-DoutputDirectory={work}/made", "-DincludeScope=runtime"], check=True)
            subprocess.run(["javac", "-cp", f"{work}/made/*", "-d", f"{work}/made", HERE / "Cases.java"], check=True)
            try:
                os.rename(f"{work}/made", folder)
            except OSError:
                if not folder.is_dir():  # else another one was first
                    raise
    return [shutil.which("java"), "-Xmx512m", "-Xss8m", "-XX:+UseSerialGC", "-cp", f"{folder}:{folder}/*", "Cases", verb]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("avro_cases")
    options.add_argument("container_cases")
    options.add_argument("--penstock", required=True)
    options.add_argument("--seed", type=int, default=20261129)
    options.add_argument("--each", type=int, default=220)
    options.add_argument("--files", type=int, default=200)
    options.add_argument("--least", type=int, default=10_000)
    options.add_argument("--venv")
    options = options.parse_args()
    judge = Judge(options)
    judge.cases()
    judge.containers()
    return judge.report()


class Judge:
    def __init__(self, options):
        self.options = options
        self.counts = collections.Counter()
        self.meant = collections.Counter()
        self.wrong = []

    def ours(self, verb, lines):
        return agree.answers([self.options.penstock, "avro", verb, "--cases", "-"], lines)

    def judge(self, fine, excuses, *what):
        if not fine:
            self.wrong.append(what)
        for excuse in excuses:
            self.meant[excuse] += 1

    # --- datums

    def cases(self):
        cases = list(agree.generated(self.options.seed, self.options.each))
        lines = [agree.decode_line(*case[2:5]) for case in cases]
        ours = self.ours("decode", lines)
        read = [at for at, answer in enumerate(ours) if "value" in answer]
        resolved = {at: {"schema": cases[at][3] or cases[at][2], "value": ours[at]["value"]} for at in read}
        for at, encoded in zip(read, self.ours("encode", resolved.values())):
            lines[at]["ours"] = encoded["hex"]
        theirs = agree.answers(java("decode"), lines)
        for case in zip(cases, lines, ours, theirs):
            self.compare(*case)
        self.read_back({at: one["schema"] for at, one in resolved.items() if "value" in theirs[at]}, lines, theirs)
        plain = [at for at in read if cases[at][0] in (*logical.RESOLUTIONS, "mixed") and "value" in theirs[at]]
        printed = agree.answers([self.options.avro_cases, "print"], [resolved[at] for at in plain])
        for at, answer in zip(plain, printed):
            self.compare_plain(resolved[at], answer, theirs[at])

    def compare(self, case, line, ours, theirs):
        kind, _, writer, reader, data, _ = case
        self.counts["cases"] += 1
        if "error" in ours or "error" in theirs:
            self.counts["refused"] += 1
            if not ("error" in ours and "error" in theirs):
                why = reason(kind, data, ours, theirs)
                self.judge(why, [why] if why else [], kind, line, ours, theirs)
            return
        schema = reader or writer
        self.same("read by both", schema, ours["value"], theirs["value"], line)
        self.same("ours, read by Java", schema, ours["value"], theirs["ours"], line)
        self.judge(not theirs["left"] and not theirs["ours_left"], [], "bytes left", line, ours, theirs)

    def read_back(self, schemas, lines, theirs):
        for form in ("hex", "blocked"):
            back = self.ours("decode", [{"writer": schema, "hex": theirs[at][form]} for at, schema in schemas.items()])
            for (at, schema), answer in zip(schemas.items(), back):
                self.same(f"Java's {form}, read by us", schema, answer.get("value", answer), theirs[at]["value"], lines[at])

    def same(self, what, schema, ours, theirs, line):
        self.counts[what] += 1
        comparison = compare.Tagged(schema)
        self.judge(comparison.equal(schema, ours, theirs), comparison.excuses, what, line, ours, theirs)

    def compare_plain(self, line, ours, theirs):
        self.counts["printed for people"] += 1
        comparison = compare.JavasPlain(line["schema"])
        if "plain" in theirs:
            fine = comparison.equal(line["schema"], ours["value"], theirs["plain"])
            return self.judge(fine, comparison.excuses, "plain", line, ours, theirs)
        refused = {"UUID": compare.NOT_A_UUID, "DateTimeException": compare.OUTSIDE_YEARS, "ArithmeticException": compare.OUTSIDE_YEARS,
                   "Zero length BigInteger": "Java refuses a decimal without bytes; we read 0"}
        why = next((why for what, why in refused.items() if what in theirs["plain_error"]), None)
        return self.judge(why, [why] if why else [], "plain", line, ours, theirs)

    # --- container files

    def containers(self):
        cases = list(containers.generated(self.options.seed, self.options.files))
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = ([{"schema": schema, "codec": codec, "datums": [datum.hex() for datum in datums],
                              "file": f"{folder}/{number}-{who}.avro"} for number, (schema, codec, datums) in enumerate(cases)]
                            for who in ("ours", "theirs"))
            agree.answers([self.options.container_cases, "write"], ours)
            wrote = agree.answers(java("write"), theirs)
            by_java = agree.answers(java("read"), ours)
            by_us = containers.answers(self.options.container_cases, "read", [one["file"] for one in theirs])
        for asked, *answers in zip(ours, wrote, by_us, by_java):
            self.compare_file(asked, *answers)

    def compare_file(self, asked, wrote, by_us, by_java):
        self.counts["container files each way"] += 1
        self.judge(by_us.get("datums") == asked["datums"], [], "Java's file, read by us", asked["codec"], wrote, by_us)
        fine = by_java.get("codec") == asked["codec"] and values(asked, asked) == values(asked, by_java)
        self.judge(fine, [], "our file, read by Java", asked["codec"], asked["datums"], by_java)

    def report(self):
        for what, count in self.counts.items():
            print(f"{what:28} {count:6}")
        for why, count in self.meant.most_common():
            print(f"  meant: {count:5} {why}")
        for one in self.wrong[:12]:
            print("DIFFERS", *(json.dumps(part)[:1500] for part in one), sep="\n  ")
        print(f"{len(self.wrong)} differences that are not meant")
        return 1 if self.wrong or self.counts["cases"] < self.options.least else 0


def values(asked, answer):
    """A file's datums as text in which maps are sorted: Java writes them in another order."""
    return [json.dumps(containers.value_of(asked["schema"], bytes.fromhex(datum)), sort_keys=True, default=repr)
            for datum in answer.get("datums", [])]


def reason(kind, data, ours, theirs):
    """Why we refuse what Java takes; None: no reason that is meant."""
    if "error" in theirs:
        return None
    for begin, why in REFUSED.items():
        if ours["error"].startswith(begin):
            return why
    if kind in BY_KIND:
        return BY_KIND[kind]
    if kind == "wrong_type" and data == b"\0":
        return "Java looks at the types of an array's items when there is one; we compare the schemas"
    return None


if __name__ == "__main__":
    if agree.fastavro is None:
        agree.enter_venv(sys.argv)
    sys.exit(main())
