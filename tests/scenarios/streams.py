"""Standard streams that are closed, or full: nothing that is told to people lands in the data, nothing is lost in silence."""
import os
import pathlib
import subprocess
import tempfile

from pipeline_fixture import BINARY, READINGS, check, init_meters, look


def closed(*arguments):
    """Runs a verb without any standard stream; its exit code."""
    closing = "exec 0<&- 1>&- 2>&-; exec \"$@\""
    return subprocess.run(["sh", "-c", closing, "sh", BINARY, *map(str, arguments)]).returncode


def holds_text(folder, text):
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary) / "p"
    init_meters(folder)
    check(closed("send", folder, "--to", "ingest", READINGS / "readings.csv") == 0, "send works without standard streams")
    check(closed("run", folder, "--until-idle") == 0, "run works without standard streams")
    data = folder / ".penstock"
    told = holds_text(data, b"Ctrl-C drains") + holds_text(data, b"rows are in ingest")
    check(told == [], "what is told to people is in no file of the data folder")
    check(look("verify", folder)["holds"], "verify adds up")
    for verb in ("plan", "status", "tail"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, verb, folder], stdout=full, stderr=subprocess.PIPE, text=True)
        check(done.returncode == 1 and "U010" in done.stderr, f"{verb} on a full disk says so")
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([BINARY, "tail", folder], stdout=write_end, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 0 and done.stderr == "", "a reader that leaves is no error")
