"""A log that cannot be written any more: run and send end and say so, and go on where they were when there is room again."""
import pathlib
import resource
import signal
import subprocess
import tempfile
import time

from pipeline_fixture import BINARY, READINGS, check, differences_to_expected, init_meters, look, penstock, rows

FILE_LIMITS_BYTES = 512 << 10, 1_500_000  # while send is under way; while stages are


def trial(folder, limit_bytes):
    def no_room():
        """A file that grows above the limit fails to, as on a full disk."""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    init_meters(folder)
    run = subprocess.Popen([BINARY, "run", folder], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, preexec_fn=no_room)
    end = time.monotonic() + 30
    while not (folder / ".penstock" / "control.sock").exists() and time.monotonic() < end:
        time.sleep(0.02)  # poll: for the owner
    sent = subprocess.run([BINARY, "send", folder, "--to", "ingest", READINGS / "readings.csv"], capture_output=True, text=True, timeout=60)
    said = run.communicate(timeout=60)[1]
    if run.returncode != 69:
        print(said)
    check(run.returncode == 69 and "error[L005]" in said and "start again" in said, "run ends, and says why")
    check(sent.returncode in (0, 69, 130), f"send ends too: exit {sent.returncode}")

    # Only what it said to be in the topic is there.
    penstock("send", folder, "--to", "ingest", READINGS / "readings.csv", expect=64 if sent.returncode == 0 else 0)
    penstock("run", folder, "--until-idle")
    check(rows(folder, "select count(*) from readings") == [(16128,)], "with room again, every reading is there once")
    check(differences_to_expected(folder) == [], "sums, peaks and counts are those of expected.csv")
    check(look("verify", folder)["holds"], "verify adds up")


with tempfile.TemporaryDirectory() as temporary:
    for limit in FILE_LIMITS_BYTES:
        trial(pathlib.Path(temporary) / str(limit), limit)
