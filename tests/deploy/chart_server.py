#!/usr/bin/env python3
"""A real API server takes every object of the examples, strictly, into a namespace of restricted pods, and refuses what is wrong; Helm
installs, upgrades and takes away, and kubectl applies.

Skipped where no server was built (tools/kube build etcd kube-apiserver).
"""
import copy
import json
import pathlib
import subprocess
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
import programs_of_tests  # noqa: E402

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


class Release:
    """One release by Helm. Without its hooks: nothing runs pods here."""

    def __init__(self, server: api_server.ApiServer, folder: pathlib.Path, example: chart_examples.Example):
        self.server = server
        self.folder = folder
        self.values = folder / "release.json"
        self.values.write_text(json.dumps(example.values(**ALL_ON)))

    def run(self, program: str, *words, given: str | None = None) -> str:
        command = [str(program), f"--kubeconfig={self.server.kubeconfig()}", f"--namespace={chart.NAMESPACE}", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, input=given)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def helm(self, verb: str, bundle: pathlib.Path | None, *words) -> str:
        about = [programs_of_tests.CHART, "--values", self.values, "--set-file", f"bundle={bundle}"] if bundle else []
        return self.run(programs_of_tests.helm(), verb, "article", *about, *words)

    def bundles(self) -> set[str]:
        return {one["metadata"]["name"] for one in self.server.get("ConfigMap", chart.NAMESPACE)["items"] if "bundle.json" in one["data"]}

    def left(self) -> list[str]:
        return [f"{kind}/{one['metadata']['name']}" for kind, (_, _, inside) in api_server.PATHS.items() if inside
                for one in self.server.get(kind, chart.NAMESPACE)["items"] if "kube-root-ca" not in one["metadata"]["name"]]


def by_helm(release: Release, example: chart_examples.Example, other: pathlib.Path) -> list[str]:
    """The autoscaler's figure outlives an upgrade, the bundle does not; and what was installed can go."""
    found = []
    notes = release.helm("install", example.bundle, "--no-hooks")
    deployments = [f"article-{stage['name']}" for stage in example.text["deploy"]["stages"]]
    found += [f"Helm's notes do not name {name}" for name in deployments if name not in notes]
    before = release.bundles()
    path = f"/apis/apps/v1/namespaces/{chart.NAMESPACE}/deployments/{deployments[0]}/scale"
    scale = release.server.ask("GET", path, None)[1]
    scale["spec"]["replicas"] = 3
    release.server.ask("PUT", path, scale)
    release.helm("upgrade", other, "--no-hooks")
    replicas = release.server.get("Deployment", chart.NAMESPACE, deployments[0])["spec"]["replicas"]
    if replicas != 3:
        found.append(f"an upgrade made {replicas} of the autoscaler's 3 pods")
    if len(release.bundles()) != 1 or release.bundles() == before:
        found.append(f"bundles {before} became {release.bundles()}")
    release.helm("uninstall", None, "--no-hooks")
    return found + [f"{name} stays when the release has gone" for name in release.left()]


def by_kubectl(release: Release, example: chart_examples.Example, other: pathlib.Path) -> list[str]:
    """What `helm template` prints can be applied, again, and with another bundle."""
    kubectl = programs_of_tests.programs.path("kubectl")
    if not kubectl.exists():
        return []
    for bundle in (example.bundle, example.bundle, other):
        text = release.run(programs_of_tests.helm(), "template", "article", programs_of_tests.CHART, "--values", release.values, "--set-file",
                           f"bundle={bundle}", "--kube-version", "1.36.4")
        release.run(kubectl, "apply", "--server-side", "--validate=strict", "-f", "-", given=text)
    jobs = release.server.get("Job", chart.NAMESPACE)["items"]
    return [] if len(jobs) == 2 else [f"two bundles and {len(jobs)} Jobs that apply them"]


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
            example = chart_examples.Example("article", str(folder))
            other = chart_examples.changed(example, folder)
            release = Release(server, folder, example)
            found += by_helm(release, example, other) + by_kubectl(release, example, other)
            found += [f"the server takes {change}" for change, one in planted(sets["article, lag"]) if not server.dry_run([one])]
    print("\n".join(found[:40]) or f"{sum(map(len, sets.values()))} objects of {len(sets)} charts, all taken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
