#!/usr/bin/env python3
"""A registry that refuses a schema, refuses us, or is away: what is told, by which exit, and that the known goes on.

usage: refusals.py --raw-records PROGRAM
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
sys.path.insert(0, str(HERE))

import place  # noqa: E402
from framings import confluent_value, rows_of  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402
from pipeline_fixture import BINARY, check, look, penstock  # noqa: E402
from registry_double import RegistryDouble  # noqa: E402

PATIENCE = 30
# As `clean` would be, but for kw: a text before.
CLEAN_BEFORE = place.READING | {"fields": place.READING["fields"] + [{"name": "kw", "type": "string"}]}


def fails(verb, at, *words):
    done = subprocess.run([BINARY, verb, str(at.folder), *words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def incompatible(folder, face):
    with RegistryDouble(place.LOGIN) as double:
        at = place.Place(folder / face, double.url, double.url)
        before = json.dumps(CLEAN_BEFORE)
        if face == "glue":
            double.glue_schemas["energy", "glued"] = {"compatibility": "BACKWARD", "versions": []}
            double.add_version(("energy", "glued"), before, "AVRO")
        else:
            double.put("clean-value", before)
        code, said = fails("check", at)
        check(code == 0, f"{face}: check alone asks no registry")
        for verb, *words in (["check", "--registry"], ["apply"], ["run", "--until-idle"]):
            code, said = fails(verb, at, *words)
            check(code == 78 and "L142" in said and 'field "kw": string has no branch in null or double' in said,
                  f"{face}: {verb} {' '.join(words)} refuses an incompatible schema by 78, with the field")
        code, said = fails("plan", at)
        check(code == 0 and "L142" in said, f"{face}: plan says that it will be refused")


def refused_login(folder):
    with RegistryDouble("somebody:else") as double:
        at = place.Place(folder / "login", double.url, double.url)
        code, said = fails("apply", at)
        check(code == 69 and "L141" in said and place.LOGIN.partition(":")[2] not in said, "a wrong login is L141, exit 69, without the password")
    code, said = fails("run", at, "--until-idle")
    check(code == 69 and "L140" in said, "a registry that is not there at start is L140, exit 69")


def other_logins(folder):
    word = place.LOGIN.partition(":")[2]
    with RegistryDouble(word) as double:
        at = place.Place(folder / "token", double.url, double.url, login=None)
        file = at.folder / "pipeline.yaml"
        file.write_text(file.read_text().replace("subjects: topic", 'subjects: topic_record, token: "${secret:registry}"'))
        os.environ["PENSTOCK_SECRET_REGISTRY"] = word
        penstock("apply", at.folder)
        check("clean-energy.Reading" in double.subjects, f"a bearer token, and subjects by topic and record: {sorted(double.subjects)}")


def wrong_address(folder):
    with RegistryDouble(place.LOGIN) as double:
        at = place.Place(folder / "address", double.url + "/nowhere", double.url)
        code, said = fails("apply", at)
        check(code == 69 and "L144" in said, "a page that is no registry's is L144, exit 69, and not \"no such schema\"")


def not_registered(folder):
    with RegistryDouble(place.LOGIN) as double:
        at = place.Place(folder / "fixed", double.url, double.url)
        file = at.folder / "pipeline.yaml"
        file.write_text(file.read_text().replace("user: penstock", "register: false, user: penstock"))
        code, said = fails("run", at, "--until-idle")
        check(code == 78 and "L143" in said and "clean-value" in said, "register: false and not there is L143, exit 78")
        check(not double.subjects, "and nothing was registered")


def away(folder):
    with RegistryDouble(place.LOGIN) as double:
        at = place.Place(folder / "away", double.url, double.url)
        file = at.folder / "pipeline.yaml"
        file.write_text(file.read_text().replace("ingest: {", "ingest: {partitions: 4, "))
        known = confluent_value(at, place.READING, {"id": "first", "kwh": 1.0})
        second = confluent_value(at, place.READING, {"id": "second", "kwh": 1.0})
        later = confluent_value(at, place.NEWER, {"id": "later", "kwh": 2.0, "site": None})
        names = [f"beside{i}" for i in range(6)]  # of other keys, some of them in other partitions
        beside = [confluent_value(at, place.READING, {"id": name, "kwh": 1.0}) for name in names]
        run = Process(at.folder, "run", ["run", at.folder], {"PENSTOCK_BINARY": BINARY})
        check(wait_until(lambda: (at.folder / ".penstock" / "control.sock").exists() and run.running(), PATIENCE), "it runs")
        at.send_raw([known])
        check(wait_until(lambda: "first" in rows_of(at), PATIENCE), "a record comes through")
        double.away = True
        at.send_raw([second])
        check(wait_until(lambda: "second" in rows_of(at), PATIENCE), "with the registry away what is known goes on")
        at.send_raw([later, *beside])
        told = wait_until(lambda: "L140" in (text := json.dumps(look("status", at.folder))) and text, PATIENCE)
        check(told and "50003" not in told, "what is not known waits, and status says L140")
        check(wait_until(lambda: any(name in rows_of(at) for name in names), PATIENCE), "other partitions go on meanwhile")
        check("later" not in rows_of(at), "it is not passed over")
        double.away = False
        check(wait_until(lambda: {"later", *names} <= set(rows_of(at)), PATIENCE), "and it goes on, with all behind it, when the registry is back")
        check("L140" not in json.dumps(look("status", at.folder)), "then nothing is told any more")
        run.process.terminate()
        check(run.process.wait(PATIENCE) == 0, "it drains")
        check(look("dead", at.folder, "-n", "-1")["letters"] == [], "nothing became a dead letter")


def versions(folder):
    (folder / "old.avsc").write_text(json.dumps(place.OLDER))
    (folder / "new.avsc").write_text(json.dumps(place.READING))
    both = [folder / "old.avsc", folder / "new.avsc"]
    found = json.loads(penstock("schema", "check", *both, "-o", "json"))
    check(found["backward"] and not found["forward"] and found["forward_disagreements"][0]["path"] == "kwh", "schema check names the field")
    penstock("schema", "check", *both, "--require", "full", expect=1)
    penstock("schema", "check", *reversed(both), expect=1)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--raw-records")
    options.parse_args()
    os.environ["PENSTOCK_BINARY"] = BINARY
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        versions(folder)
        incompatible(folder, "confluent")
        incompatible(folder, "glue")
        refused_login(folder)
        other_logins(folder)
        wrong_address(folder)
        not_registered(folder)
        away(folder)


if __name__ == "__main__":
    main()
