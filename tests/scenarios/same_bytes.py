#!/usr/bin/env python3
"""Two builds of the same source, in different folders, with and without ccache: the same bytes once they are stripped.

A small program with many sources of its own is built: the tests of the lowest room.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "base_test"


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        print(done.stdout[-3000:], done.stderr[-3000:])
        sys.exit(1)
    return done.stdout


def build(source, build_folder, *switches):
    """The digest of the stripped program."""
    source.mkdir(parents=True)
    names = run("git", "-C", ROOT, "ls-files", "-co", "--exclude-standard").splitlines()
    listed = "\n".join(name for name in names if (ROOT / name).exists())
    run("tar", "-C", ROOT, "-cf", source / "tree.tar", "-T", "-", input=listed)
    run("tar", "-C", source, "-xf", source / "tree.tar")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CCACHE_")}
    run("cmake", "--preset", "release", "-B", build_folder, "-DPENSTOCK_BENCH=OFF", *switches, cwd=source, env=environment)
    run("ninja", "-C", build_folder, PROGRAM, env=environment)
    program = next(build_folder.rglob(PROGRAM))
    run("strip", "--strip-all", "-o", source / "stripped", program)
    data = (source / "stripped").read_bytes()
    if str(source).encode() in data:
        print(f"FAIL the program names the folder {source}")
        sys.exit(1)
    return hashlib.sha256(data).hexdigest()


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        usual = build(folder / "a", folder / "a" / "build" / "release")
        elsewhere = build(folder / "a" / "much" / "longer" / "name", folder / "beside")
        plain = build(folder / "b", folder / "b" / "build" / "release", "-DPENSTOCK_CCACHE=")
    same = usual == elsewhere == plain
    print(f"{'ok   ' if same else 'FAIL '}the same bytes from three folders: {usual[:12]} {elsewhere[:12]} {plain[:12]}")
    sys.exit(0 if same else 1)


main()
