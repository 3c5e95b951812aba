"""One bundle through Helm: what comes out, or why Helm refuses."""
import json
import os
import pathlib
import subprocess

import agreement
import manifests
import programs_of_tests

NAMESPACE = "pipes"


class Refused(Exception):
    """Helm's words."""


def penstock(*words, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run([programs_of_tests.PENSTOCK, *map(str, words)], capture_output=True, text=True, check=False,
                          env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise AssertionError(f"penstock {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def template(bundle: pathlib.Path, *values_files, values: dict | None = None, words=(), kubernetes="1.36.4",
             folder: pathlib.Path = programs_of_tests.CHART) -> list[dict]:
    command = [programs_of_tests.helm(), "template", "release", folder, "--namespace", NAMESPACE, "--kube-version", kubernetes,
               "--set-file", f"bundle={bundle}"]
    for path in values_files:
        command += ["--values", path]
    if values is not None:
        own = bundle.with_suffix(".values.json")
        own.write_text(json.dumps(values))
        command += ["--values", own]
    done = subprocess.run([*map(str, command), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return manifests.documents(done.stdout)


def plan_of(path, target: str, environment: dict[str, str], values: dict, auth: str) -> dict:
    """The plan, and what it leaves to the log's part or to the values: the login, where it is implied, and the brokers."""
    plan = json.loads(penstock("plan", path, "-t", target, "-o", "json", environment=environment))
    settings = plan["log"]["settings"]
    settings["auth"] = auth
    plan["brokers"] = values.get("kafka", {}).get("bootstrapServers") or settings["kafka"]
    return plan


def problems(plan: dict, documents: list[dict], scaling: str, bundle: pathlib.Path, network: bool = True) -> list[str]:
    """Everything that is wrong: as manifests, and against the plan."""
    return manifests.problems_of(documents) + agreement.problems(plan, documents, scaling, bundle.read_text(), network)
