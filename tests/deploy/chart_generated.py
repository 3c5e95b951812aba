#!/usr/bin/env python3
"""Two hundred generated pipelines, each bundled, templated and compared with its plan; every object against the schema of its kind, and where
there is a real API server (tools/kube build etcd kube-apiserver) taken by that, strictly.

usage: chart_generated.py [--count N] [--first SEED]
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
import api_server  # noqa: E402
import chart  # noqa: E402
import generator  # noqa: E402
import manifests  # noqa: E402
import programs_of_tests  # noqa: E402


def ways(case: generator.Case) -> list[str]:
    return ["lag", "need"] + (["cloudwatch"] if "msk" in case.log else [])


def one(seed: int, folder: pathlib.Path, server: api_server.Client | None) -> tuple[collections.Counter, list[str]]:
    """How many objects of each kind, and what is wrong."""
    case = generator.case(seed, folder / str(seed))
    plan = chart.plan_of(case.path, "prod", case.environment, case.values(), case.auth)
    bundle = case.folder / "bundle.json"
    bundle.write_text(chart.penstock("bundle", case.path, "-t", "prod"))
    scaling = ways(case)[seed % len(ways(case))]
    kubernetes = "1.36.4" if seed % 4 else "1.31.0"
    documents = chart.template(bundle, values={**case.values(), "scaling": scaling}, kubernetes=kubernetes)
    kinds = collections.Counter(document["kind"] for document in documents)
    kinds[f"scaling: {scaling}"] += 1
    kinds[f"auth: {case.auth}"] += 1
    kinds["stages that read several topics"] += sum(len(stage["from"]) > 1 for stage in plan["stages"])
    problems = chart.problems(plan, documents, scaling, bundle) + (server.dry_run(documents) if server else [])
    return kinds, [f"seed {seed}, {scaling}: {problem}" for problem in problems]


def run(seeds: range, folder: pathlib.Path, server: api_server.Client | None) -> tuple[collections.Counter, list[str]]:
    seen, wrong = collections.Counter(), []
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for kinds, problems in pool.map(one, seeds, [folder] * len(seeds), [server] * len(seeds), chunksize=4):
            seen += kinds
            wrong += problems
    return seen, wrong


def main() -> int:
    reader = argparse.ArgumentParser()
    reader.add_argument("--count", type=int, default=200)
    reader.add_argument("--first", type=int, default=0)
    options = reader.parse_args()
    programs_of_tests.helm()
    seeds = range(options.first, options.first + options.count)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        if api_server.available():
            (folder / "server").mkdir()
            with api_server.ApiServer(folder / "server") as server:
                server.define(manifests.definition_documents(), chart.NAMESPACE)
                seen, wrong = run(seeds, folder, server.client())
        else:
            print("no kube-apiserver is built here (tools/kube build etcd kube-apiserver): schemas only")
            seen, wrong = run(seeds, folder, None)
    print("\n".join(wrong[:40]))
    print(f"{options.count} pipelines, {seen['ScaledObject']} stages: {dict(sorted(seen.items()))}")
    # That the generator makes what it is there for.
    thin = [name for name in ("scaling: lag", "scaling: need", "scaling: cloudwatch", "stages that read several topics", "TriggerAuthentication",
                              *(f"auth: {name}" for name in (*generator.LOGINS, "msk-iam"))) if options.count >= 200 and seen[name] < 5]
    if thin:
        print(f"hardly any: {thin}")
    return 1 if wrong or thin else 0


if __name__ == "__main__":
    sys.exit(main())
