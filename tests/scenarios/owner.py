"""One process owns a data folder; others speak to it: every verb works from another terminal while `run` is up."""
import pathlib
import signal
import subprocess
import tempfile
import time

from pipeline_fixture import BINARY, READINGS, check, init_meters, look, penstock

with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary) / "p"
    init_meters(folder)
    run = subprocess.Popen([BINARY, "run", folder], stderr=subprocess.PIPE, text=True)
    run.stderr.readline()  # it says that it runs
    second = subprocess.run([BINARY, "run", folder], capture_output=True, text=True)
    check(second.returncode == 69 and f"process {run.pid}" in second.stderr, "a second run exits 69 and names the first")

    penstock("send", folder, "--to", "ingest", READINGS / "readings.csv")
    check(True, "send goes through the owner")
    end = time.monotonic() + 60
    while look("lag", folder)["lag"] > 0 and time.monotonic() < end:
        time.sleep(0.05)  # poll: until all was read
    status = look("status", folder)
    check(status["running"] and all(stage["lag"] == 0 for stage in status["stages"]), "status tells of the running stages")
    check(look("verify", folder)["holds"], "verify adds up while it runs")
    check(len(penstock("tail", folder, "preprocessed", "-n", "3").splitlines()) == 3, "tail shows records")
    check(penstock("tail", folder, "warehouse", "-n", "2").count("meter_id") == 2, "tail shows rows of a store")
    check(look("dead", folder)["letters"] == [], "there are no dead letters")
    refused = subprocess.run([BINARY, "send", folder, "--to", "ingest", READINGS / "readings.csv"],
                             capture_output=True, text=True)
    check(refused.returncode == 64 and "U006" in refused.stderr, "the owner refuses what was sent already")
    unknown = subprocess.run([BINARY, "tail", folder, "nowhere"], capture_output=True, text=True)
    check(unknown.returncode == 64 and "nowhere" in unknown.stderr, "the owner's errors reach the other terminal")

    run.send_signal(signal.SIGSTOP)
    waiting = subprocess.Popen([BINARY, "status", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    caught = pathlib.Path(f"/proc/{waiting.pid}/status")
    while "SigCgt:\t0000000000000000" in caught.read_text():
        time.sleep(0.002)  # poll: until it would take a signal for a wish to leave
    waiting.send_signal(signal.SIGTERM)
    told = waiting.communicate(timeout=60)[1]
    check(waiting.returncode == 69 and "C001" in told, "who asks an owner that is stopped can leave, and is told")
    run.send_signal(signal.SIGCONT)
    check(look("status", folder)["running"], "once it goes on it answers")

    run.send_signal(signal.SIGKILL)
    run.wait()
    check(look("lag", folder)["lag"] == 0, "after kill -9 the folder can be looked at, at rest")
    check(look("verify", folder)["holds"], "and verify adds up")
