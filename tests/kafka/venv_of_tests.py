"""Runs the calling script in an environment of its own with pinned packages, below the build folder (PENSTOCK_TEST_VENV)."""
import os
import pathlib
import subprocess
import sys
import venv


def enter(requirements: pathlib.Path):
    folder = pathlib.Path(os.environ.get("PENSTOCK_TEST_VENV") or pathlib.Path(requirements).parents[2] / "build" / "kafka-venv")
    python = folder / "bin" / "python"
    mark, wanted = folder / "requirements.txt", requirements.read_text()
    if pathlib.Path(sys.prefix).resolve() == folder.resolve():
        return
    if not mark.exists() or mark.read_text() != wanted:
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        mark.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])
