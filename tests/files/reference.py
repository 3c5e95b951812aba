#!/usr/bin/env python3
"""docs/reference is what `penstock reference` says. --write makes it so."""
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference"
BINARY = os.environ["PENSTOCK_BINARY"]


def reference(*words):
    return subprocess.run([BINARY, "reference", *words], capture_output=True, text=True, check=True).stdout


pages = {f"{name}.md": reference(name) for name in reference().split()}
if "--write" in sys.argv:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages.items():
        (FOLDER / name).write_text(text)
there = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
stale = sorted(name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name))
if stale or len(pages) < 8:
    raise SystemExit(f"docs/reference is not what the program says: {', '.join(stale)}; cure: make reference")
print("ok")
