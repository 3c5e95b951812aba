"""The embedded pipeline from end to end: readings a second through each stage, on one core, synced commits.

usage: bench/pipeline_bench.py [READINGS]        1,000,000 readings by default; PENSTOCK_BINARY names the binary
`ingest` is filled beforehand; then each stage is run alone to idleness on core 0, and processing and preprocessing together.
"""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
BINARY = os.environ.get("PENSTOCK_BINARY", str(REPOSITORY / "build" / "penstock"))


def write_readings(path, count):
    with open(path, "w") as file:
        file.write("meter_id,at,kwh,kvarh\n")
        for number in range(count):
            millis = 1_767_225_600_000 + number // 24 * 1000
            seconds = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(millis // 1000))
            file.write(f"m{number % 24 + 1:02d},{seconds},0.{number % 997:03d},0.0{number % 89:02d}\n")


def run(*arguments, core=None):
    command = [BINARY, *map(str, arguments)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def tell(what, count, wall, cpu, peak_mib):
    print(f"{what:<42} {count / wall:>12,.0f}/s {cpu / count * 1e9:>8.0f} ns CPU/record  {wall:6.2f} s  "
          f"peak {peak_mib:4.0f} MiB", flush=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "p"
        subprocess.run([BINARY, "init", "meters", folder], check=True, stdout=subprocess.DEVNULL)
        readings = pathlib.Path(temporary) / "readings.csv"
        write_readings(readings, count)
        tell("send (csv to ingest)", count, *run("send", folder, "--to", "ingest", readings))
        # Both stages in one process on one core: what counts is the time until both have read everything.
        pipeline = folder / "pipeline.yaml"
        whole = pipeline.read_text()
        start, end = whole.index("  writer:\n"), whole.index("stores:\n")
        without = whole[:start] + whole[end:]
        without = without.replace("  latest:    {dynamodb: meter_latest, key: meter_id, newest_by: at}\n", "")
        without = without.replace("  warehouse: {redshift: readings, upsert_on: [meter_id, at]}    # without upsert_on: append\n", "")
        head, tail = without.split("stores:\n", 1)
        tail = tail[tail.index("scale:"):]
        targets = tail.index("targets:")
        tail = tail[:targets] + "targets:\n  local: {log: embedded}\n\n" + tail[tail.index("tests:"):]
        pipeline.write_text(head + tail)
        tell("preprocessing and processing, one core", count, *run("run", folder, "--until-idle", core=0))
        pipeline.write_text(whole)
        tell("writer into two SQLite stores, one core", 2 * count, *run("run", folder, "--until-idle", core=0))
        verified = json.loads(subprocess.run([BINARY, "verify", folder, "-o", "json"], capture_output=True, text=True).stdout)
        if not verified["holds"]:
            sys.exit("FAILED: verify does not add up")


if __name__ == "__main__":
    main()
