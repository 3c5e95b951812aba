"""A pipeline runs from its bundle alone, in another folder, as it does from its file; what is wrong with it is told by its own line."""
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

from pipeline_fixture import BINARY, READINGS, init_meters, penstock

LARGE_BYTES = 512 << 10


def fails(code, *words, arguments, env=None):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **(env or {})})
    missing = [word for word in words if word not in done.stderr]
    if done.returncode != code or missing:
        raise SystemExit(f"{arguments}: exit {done.returncode}, wanted {code}; not told: {missing}\n{done.stderr}")


def store_rows(data):
    with sqlite3.connect(data / "stores" / "warehouse.sqlite") as database:
        return sorted(database.execute("select * from readings"))


def run_all(file, data):
    penstock("send", file, "--data", data, "--to", "ingest", READINGS / "readings.csv")
    penstock("run", file, "--data", data, "--until-idle")
    penstock("verify", file, "--data", data)
    return store_rows(data)


def the_same_rows(folder, away):
    bundle = away / "meters.json"
    bundle.write_text(penstock("bundle", folder, "-t", "local"))
    expected = run_all(folder, folder / "data-of-file")
    shutil.rmtree(folder)
    found = run_all(bundle, away / "data-of-bundle")
    if not expected or found != expected:
        raise SystemExit(f"{len(found)} rows from the bundle, {len(expected)} from the file, or they differ")
    return bundle


def nothing_of_the_machine_goes_in(folder, away):
    once = penstock("bundle", folder, "-t", "prod")
    os.environ["MSK_ARN"] = os.environ["REDSHIFT_HOST"] = "of-this-machine"
    copy = away / "elsewhere"
    shutil.copytree(folder, copy)
    again = penstock("bundle", copy, "-t", "prod")
    if once != again or "of-this-machine" in once or str(folder) in once:
        raise SystemExit("a bundle depends on where it was made")
    text = json.loads(once)
    body = once.rstrip("\n").replace(f'"sha256":"{text["sha256"]}",', "", 1)
    if hashlib.sha256(body.encode()).hexdigest() != text["sha256"]:
        raise SystemExit("the checksum is not that of the text without it")


def it_agrees_with_the_plan(folder):
    os.environ["MSK_ARN"] = os.environ["REDSHIFT_HOST"] = "x"
    plan = json.loads(penstock("plan", folder, "-t", "prod", "-o", "json"))
    deploy = json.loads(penstock("bundle", folder, "-t", "prod"))["deploy"]
    partitions = {topic["name"]: topic["partitions"] for topic in plan["topics"]}
    for stage, made in zip(plan["stages"], deploy["stages"], strict=True):
        scale = stage["scale"]
        wanted = (stage["id"], stage["group"], stage["from"], sum(partitions[name] for name in stage["from"]),
                  scale["min"], scale["max"], scale["lag_threshold"], scale["poll_millis"] // 1000, scale["cooldown_millis"] // 1000)
        found = (made["id"], made["group"], [topic["name"] for topic in made["topics"]], made["partitions"],
                 made["min"], made["max"], made["lag_threshold"], made["poll_seconds"], made["cooldown_seconds"])
        if wanted != found:
            raise SystemExit(f"plan {wanted}, bundle {found}")


def a_large_table_comes_from_a_volume(folder, away):
    meters = folder / "data" / "meters.csv"
    columns = meters.read_text().splitlines()[0].split(",")
    row = meters.read_text().splitlines()[1].split(",")
    with meters.open("a") as table:
        for number in range(LARGE_BYTES // 20):
            table.write(",".join([f"more-{number}" if name == "meter_id" else value for name, value in zip(columns, row)]) + "\n")
    bundle = away / "large.json"
    bundle.write_text(penstock("bundle", folder, "-t", "local"))
    if bundle.stat().st_size > LARGE_BYTES:
        raise SystemExit("a large table went into the bundle")
    volume = away / "volume"
    (volume / "data").mkdir(parents=True)
    fails(69, "B006", "PENSTOCK_TABLES", arguments=["check", bundle])
    fails(69, "B006", "data/meters.csv", arguments=["check", bundle], env={"PENSTOCK_TABLES": str(volume)})
    shutil.copy(meters, volume / "data")
    fails(0, arguments=["check", bundle], env={"PENSTOCK_TABLES": str(volume)})


def what_is_wrong_is_told(folder, bundle, away):
    good = bundle.read_text()
    spoilt = away / "spoilt.json"
    for text in (good[:-40], good.replace('"partitions":5', '"partitions":6', 1), '{"penstock_bundle":1}'):
        spoilt.write_text(text)
        fails(78, "B001", str(spoilt), arguments=["run", spoilt, "--until-idle"])
    fails(64, "B004", '"prod"', arguments=["plan", bundle, "-t", "prod"])
    file = folder / "pipeline.yaml"
    file.write_text(file.read_text().replace("from: ingest", "form: ingest", 1))
    fails(78, "P012", "form: ingest", "^^^^", arguments=["bundle", folder, "-t", "local"])
    shut = away / "shut"
    shut.write_text("a file where the data folder would be")
    fails(69, "B005", arguments=["run", bundle, "--data", shut])


def main():
    with tempfile.TemporaryDirectory() as temporary:
        away = pathlib.Path(temporary)
        folder = away / "meters"
        for step in (it_agrees_with_the_plan, lambda at: nothing_of_the_machine_goes_in(at, away),
                     lambda at: a_large_table_comes_from_a_volume(at, away)):
            init_meters(folder)
            step(folder)
            shutil.rmtree(folder)
        init_meters(folder)
        bundle = the_same_rows(folder, away)
        init_meters(folder)
        what_is_wrong_is_told(folder, bundle, away)
    print("a bundle runs as its file does")


if __name__ == "__main__":
    main()
