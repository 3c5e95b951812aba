#!/usr/bin/env python3
"""The chart with the examples: linted, templated with each values file and each way to scale, compared with the plan; and what it refuses."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
import chart  # noqa: E402
import manifests  # noqa: E402
import programs_of_tests  # noqa: E402

EXAMPLES = {"article": "prod", "meters": "prod", "beside": "kafka"}
AUTH = {"article": "msk-iam", "meters": "msk-iam", "beside": "none"}
ARN = "arn:aws:kafka:eu-north-1:111122223333:cluster/demo/8a1c0f6e-0000-4000-8000-000000000000-1"
ENVIRONMENT = {"MSK_ARN": ARN, "REDSHIFT_HOST": "warehouse.example", "BROKERS": "b1.example:9092,b2.example:9092"}
ROLE = "arn:aws:iam::111122223333:role/x"


class Example:
    def __init__(self, name: str, folder: str):
        self.target = EXAMPLES[name]
        self.path = programs_of_tests.ROOT / "examples" / name
        self.bundle = pathlib.Path(folder) / f"{name}.json"
        self.bundle.write_text(chart.penstock("bundle", self.path, "-t", self.target))
        self.text = json.loads(self.bundle.read_text())
        self.plan = chart.plan_of(self.path, self.target, ENVIRONMENT, self.values(), AUTH[name])

    def values(self, **more) -> dict:
        asked = [one["name"] for one in self.text["environment"]]
        own = {"environment": {name: ENVIRONMENT[name] for name in asked}, "kafka": {"bootstrapServers": "b1.example:9098"}, **more}
        if self.text["secrets"]:
            own["secrets"] = {"existing": "penstock"}
        return own

    def template(self, *values_files, words=(), **more) -> list[dict]:
        return chart.template(self.bundle, *values_files, values=self.values(**more), words=words)


def lint(example: Example) -> list[str]:
    """Also without a bundle, as tools lint that know nothing of this chart."""
    found = []
    values = example.bundle.with_suffix(".lint.json")
    values.write_text(json.dumps(example.values()))
    for words in ([], ["--set-file", f"bundle={example.bundle}", "--values", str(values), "--kube-version", "1.36.4"]):
        done = subprocess.run([programs_of_tests.helm(), "lint", "--strict", str(programs_of_tests.CHART), *words], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            found.append(f"helm lint {words[:1]}: {done.stdout}")
    return found


def every_way(example: Example) -> list[str]:
    found = []
    for values_file in [None, *sorted(programs_of_tests.CHART.glob("values-*.yaml"))]:
        for scaling in ("lag", "need", "cloudwatch"):
            if scaling == "cloudwatch" and example.plan["log"]["kind"] != "msk":
                continue
            files = [values_file] if values_file else []
            more = {} if example.text["deploy"]["producers"] else {"producers": {"enabled": False}}
            documents = example.template(*files, scaling=scaling, **more)
            network = any(one["kind"] == "NetworkPolicy" for one in documents)
            if not network and values_file and "laptop" not in values_file.name:
                found.append(f"{values_file.name}: no network policy")
            where = f"{example.path.name}, {values_file.name if values_file else 'values.yaml'}, {scaling}"
            found += [f"{where}: {problem}" for problem in chart.problems(example.plan, documents, scaling, example.bundle, network)]
    return found


def of(documents: list[dict], kind: str, name: str) -> dict:
    return next(one for one in documents if one["kind"] == kind and one["metadata"]["name"] == name)


def values_reach_their_place(article: Example) -> list[str]:
    accounts = {"writer-items": {"roleArn": ROLE, "annotations": {"a/b": "c"}}, "apply": {"roleArn": ROLE}}
    stages = {"processing": {"resources": {"limits": {"memory": "3Gi"}}, "extraArgs": ["--workers", "2"]}}
    documents = article.template(serviceAccounts=accounts, stages=stages, graceSeconds=40, keda={"aws": {"roleArn": ROLE}},
                                 extraEnvironment={"HTTPS_PROXY": "http://proxy.example"})
    items = of(documents, "ServiceAccount", "article-writer-items")
    processing = of(documents, "Deployment", "article-processing")["spec"]["template"]["spec"]
    one = processing["containers"][0]
    authentication = of(documents, "TriggerAuthentication", "article-kafka")["spec"]
    checks = {
        "a role": items["metadata"]["annotations"] == {"a/b": "c", "eks.amazonaws.com/role-arn": ROLE},
        "apply's role": of(documents, "ServiceAccount", "article-apply")["metadata"]["annotations"].get("eks.amazonaws.com/role-arn") == ROLE,
        "nobody else's": "annotations" not in of(documents, "ServiceAccount", "article-processing")["metadata"],
        "resources": one["resources"] == {"limits": {"memory": "3Gi"}},
        "arguments": one["args"][-2:] == ["--workers", "2"],
        "a drain": one["args"][one["args"].index("--grace") + 1] == "40s" and processing["terminationGracePeriodSeconds"] == 55,
        "the environment": {"name": "HTTPS_PROXY", "value": "http://proxy.example"} in one["env"] and {"name": "MSK_ARN", "value": ARN} in one["env"],
        "KEDA's role": authentication == {"podIdentity": {"provider": "aws", "roleArn": ROLE}},
    }
    return [f"values do not reach their place: {name}" for name, holds in checks.items() if not holds]


def changed(example: Example, folder: str | pathlib.Path) -> pathlib.Path:
    """Another bundle of the same pipeline."""
    other = pathlib.Path(folder) / "other.json"
    text = json.loads(example.bundle.read_text())
    text["files"]["pipeline.yaml"] += "\n# changed\n"
    other.write_text(json.dumps(text))
    return other


def new_bundles_roll_pods(article: Example, folder: str) -> list[str]:
    """Another bundle has another ConfigMap, which the pods name; the same one changes nothing."""
    other = changed(article, folder)
    first, again = article.template(), article.template()
    second = chart.template(other, values=article.values())
    pod = [of(documents, "Deployment", "article-processing")["spec"]["template"] for documents in (first, again, second)]
    job = [next(one["metadata"]["name"] for one in documents if one["kind"] == "Job") for documents in (first, second)]
    return ([] if pod[0] == pod[1] else ["the same bundle rolls the pods"]) + ([] if pod[0] != pod[2] else ["another bundle does not roll the pods"]) + \
        ([] if job[0] != job[1] else ["another bundle would change a Job, which can not be changed"])


def last_pods(meters: Example) -> list[str]:
    """From 11 partitions on, one more pod is a step within the autoscaler's tolerance: by what the cluster can."""
    def scaled(stage: str, kubernetes: str, **more) -> dict:
        documents = chart.template(meters.bundle, values=meters.values(**more), kubernetes=kubernetes)
        return of(documents, "ScaledObject", f"meters-{stage}")["spec"]

    def tolerance(spec: dict):
        behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
        return behavior.get("scaleUp", {}).get("tolerance")

    fifteen, five, old = scaled("writer-latest", "1.36.4"), scaled("processing", "1.36.4"), scaled("writer-latest", "1.31.0")
    found = []
    if not tolerance(fifteen) or float(tolerance(fifteen)) >= 1 / 14:
        found.append(f"15 partitions: a tolerance of {tolerance(fifteen)} keeps the last pod away")
    if tolerance(five):
        found.append("5 partitions need no tolerance")
    if tolerance(old):
        found.append("Kubernetes 1.31 knows no tolerance")
    return found


def refusals(article: Example, folder: str) -> list[str]:
    """Each wrong value is refused, in words that name it and its cure."""
    damaged = pathlib.Path(folder) / "damaged.json"
    damaged.write_text(article.bundle.read_text()[:-50])
    embedded = pathlib.Path(folder) / "embedded.json"
    embedded.write_text(chart.penstock("bundle", article.path, "-t", "local"))
    newer = pathlib.Path(folder) / "newer.json"
    newer.write_text(json.dumps({**article.text, "penstock_bundle": 2}))
    large = pathlib.Path(folder) / "large.json"
    large.write_text(json.dumps({**article.text, "files": {"pipeline.yaml": "x" * 1_000_001}}))
    nothing = pathlib.Path(folder) / "nothing.json"
    nothing.write_text("")
    table = pathlib.Path(folder) / "table.json"
    table.write_text(json.dumps({**article.text, "tables": [{"name": "sites", "path": "data/sites.csv", "size_bytes": 700000, "inline": False}]}))
    secret = pathlib.Path(folder) / "secret.json"
    secret.write_text(json.dumps({**article.text, "secrets": ["pg"]}))
    still = pathlib.Path(folder) / "still.json"
    still.write_text(article.bundle.read_text().replace('"max":5', '"max":0'))
    whole = article.values()
    cases = [
        (nothing, whole, "has no bundle.*penstock bundle"), (damaged, whole, "is none.*penstock bundle"), (embedded, {}, "embedded.*another|embedded.*kafka"),
        (newer, whole, "version 2.*one release"), (large, whole, "1,000,000.*tables.volume"), (table, whole, "sites.*tables.volume"),
        (still, whole, "preprocessing.*is 0.*paused-replicas"), (secret, whole, "pg.*kubectl create secret"),
        (article.bundle, {}, r"\$\{env:MSK_ARN\}.*environment.MSK_ARN"),
        (article.bundle, {**whole, "kafka": {"bootstrapServers": ""}}, "brokers.*kafka.bootstrapServers"),
        (article.bundle, {**whole, "environment": {**whole["environment"], "MSK_ARM": "x"}}, "MSK_ARM.*MSK_ARN, REDSHIFT_HOST"),
        (article.bundle, {**whole, "image": {"tag": "latest"}}, "latest.*version"),
        (article.bundle, {**whole, "stages": {"writer": {}}}, "stages.writer.*writer-items"),
        (article.bundle, {**whole, "serviceAccounts": {"writer.items": {}}}, "writer.items"),
        (article.bundle, {**whole, "serviceAccounts": {"writer": {}}}, "serviceAccounts.writer.*writer-items"),
        (article.bundle, {**whole, "scalling": "need"}, "scalling"), (article.bundle, {**whole, "scaling": "cpu"}, "scaling"),
        (article.bundle, {**whole, "keda": {"awsRegion": "x"}}, "awsRegion"), (article.bundle, {**whole, "graceSeconds": "25s"}, "graceSeconds"),
        (article.bundle, {**whole, "resources": {"request": {}}}, "request"), (article.bundle, {**whole, "networkPolicy": {"brokers": [{"cidr": "x"}]}}, "cidr"),
        (article.bundle, {**whole, "environment": {**whole["environment"], "MSK_ARN": 5}}, "MSK_ARN"),
    ]
    found = []
    for bundle, values, words in cases:
        try:
            chart.template(bundle, values=values)
            found.append(f"not refused: {bundle.name}, which was to say {words}")
        except chart.Refused as refused:
            if not re.search(words, str(refused), re.DOTALL):
                found.append(f"refused, but not by {words}:\n{refused}")
    return found


def versions_agree() -> list[str]:
    about = manifests.documents((programs_of_tests.CHART / "Chart.yaml").read_text())[0]
    own = chart.penstock("version").split()[1]
    return [] if about["appVersion"] == own else [f"the chart runs {about['appVersion']}, and penstock is {own}"]


def the_application_is_one() -> list[str]:
    application = manifests.documents((programs_of_tests.ROOT / "deploy/argocd/application.yaml").read_text())[0]
    spec = application["spec"]
    ignored = [(one["group"], one["kind"], *one["jsonPointers"]) for one in spec["ignoreDifferences"]]
    found = [] if ("apps", "Deployment", "/spec/replicas") in ignored else ["Argo CD would set replicas back"]
    if "RespectIgnoreDifferences=true" not in spec["syncPolicy"]["syncOptions"]:
        found.append("Argo CD would set replicas back when it syncs")
    names = [path for source in spec["sources"] for path in source.get("helm", {}).get("valueFiles", []) if not path.startswith("$")]
    return found + [f"there is no {name}" for name in names if not (programs_of_tests.CHART / name).exists()]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        examples = {name: Example(name, folder) for name in EXAMPLES}
        found = lint(examples["article"])
        for example in examples.values():
            found += every_way(example)
        found += values_reach_their_place(examples["article"]) + new_bundles_roll_pods(examples["article"], folder)
        found += last_pods(examples["meters"]) + refusals(examples["article"], folder) + the_application_is_one() + versions_agree()
    print("\n".join(found) or "the chart is right for all examples")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
