#!/usr/bin/env python3
"""A real API server takes every object of the examples, strictly, into a namespace of restricted pods, and refuses what is wrong.

Skipped where no server was built (tools/kube build etcd kube-apiserver).
"""
import copy
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
import api_server  # noqa: E402
import chart  # noqa: E402
import chart_examples  # noqa: E402
import manifests  # noqa: E402

ALL_ON = {"podMonitor": {"enabled": True}, "alerts": {"enabled": True}, "dashboard": {"enabled": True}}


def of_examples(folder: pathlib.Path):
    for name in chart_examples.EXAMPLES:
        example = chart_examples.Example(name, str(folder))
        for scaling in ("lag", "need", "cloudwatch")[:3 if example.plan["log"]["kind"] == "msk" else 2]:
            yield f"{name}, {scaling}", example.template(scaling=scaling, producers={"enabled": bool(example.text["deploy"]["producers"])}, **ALL_ON)


def planted(documents: list[dict]):
    """Objects that have to be refused: that the server looks at all."""
    deployment = next(one for one in documents if one["kind"] == "Deployment")
    scaled = next(one for one in documents if one["kind"] == "ScaledObject")
    for change in ("an unknown field", "a root pod", "a ScaledObject upside down", "a trigger without a type"):
        one = copy.deepcopy(deployment if "Scaled" not in change and "trigger" not in change else scaled)
        if change == "an unknown field":
            one["spec"]["template"]["spec"]["graceSeconds"] = 5
        elif change == "a root pod":
            one["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] = False
        elif change == "a trigger without a type":
            del one["spec"]["triggers"][0]["type"]
        else:
            one["spec"] |= {"minReplicaCount": 9, "maxReplicaCount": 1}
        yield change, one


def main() -> int:
    if not api_server.available():
        print("no kube-apiserver is built here: tools/kube build etcd kube-apiserver")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "server").mkdir()
        with api_server.ApiServer(folder / "server") as server:
            server.define(manifests.definition_documents(), chart.NAMESPACE)
            sets = dict(of_examples(folder))
            found = [f"{name}: {problem}" for name, documents in sets.items() for problem in server.dry_run(documents)]
            found += [f"the server takes {change}" for change, one in planted(sets["article, lag"]) if not server.dry_run([one])]
    print("\n".join(found[:40]) or f"{sum(map(len, sets.values()))} objects of {len(sets)} charts, all taken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
