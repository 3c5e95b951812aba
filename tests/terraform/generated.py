"""The policies of two hundred generated pipelines, and of the examples, say what their plans say: each stage reads, writes and commits what
`penstock plan -o json` gives it, and touches the tables of its own store. All go through the modules in one run of Terraform.

usage: generated.py [--count N] [--first SEED]
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka"), str(HERE.parent / "deploy")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import generator  # noqa: E402
import iam  # noqa: E402
from design import copied, terraform  # noqa: E402
from modules import EXAMPLES, PLACES, ROOT  # noqa: E402

ACCOUNT, REGION = "111122223333", "eu-north-1"
MSK_ARN = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/demo/8a1c0f6e-0000-4000-8000-000000000000-1"
CHUNK = 10  # pipelines in one run of Terraform, whose graph grows faster than they
ALL = """
module "bundle" {
  for_each    = toset([for file in fileset("${path.root}/made", "*.json") : trimsuffix(file, ".json")])
  source      = "./modules/bundle"
  bundle      = "${path.root}/made/${each.key}.json"
  environment = { PG_HOST = "given", WAREHOUSE = "given", BROKERS = "given", REDSHIFT_HOST = "given" }
}
module "policies" {
  for_each    = module.bundle
  source      = "./modules/policies"
  content     = each.value.content
  roles       = each.value.roles
  stores      = each.value.stores
  msk_arn     = each.value.content.deploy.log.kind == "msk" ? "MSK_ARN" : ""
  account_id  = "ACCOUNT"
  region      = "REGION"
  namespace   = "pipelines"
  oidc_issuer = "https://oidc.eks.REGION.amazonaws.com/id/0123456789ABCDEF"
}
output "policies" { value = { for name, one in module.policies : name => one.policies } }
"""


def penstock(environment, *words):
    done = subprocess.run([os.environ["PENSTOCK_BINARY"], *map(str, words)], capture_output=True, text=True, env=os.environ | environment, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: penstock {words}\n{done.stderr}")
    return done.stdout


def make(seed, made):
    """A bundle into the folder; its plan."""
    if isinstance(seed, str):
        path, target, environment = ROOT / "examples" / seed / "pipeline.yaml", EXAMPLES[seed], PLACES
    else:
        case = generator.case(seed, made.parent / "cases" / str(seed))
        path, target, environment = case.path, "prod", case.environment
    (made / f"{seed}.json").write_text(penstock(environment, "bundle", path, "-t", target))
    return json.loads(penstock(environment, "plan", path, "-t", target, "-o", "json"))


def examine(seeds, folder):
    """Of these pipelines: what is wrong, stages, stages on MSK."""
    copied(folder)
    for file in folder.glob("*.tf"):  # the resources need their provider
        file.unlink()
    (folder / "main.tf").write_text(ALL.replace("MSK_ARN", MSK_ARN).replace("ACCOUNT", ACCOUNT).replace("REGION", REGION))
    made = folder / "made"
    made.mkdir()
    plans = {str(seed): make(seed, made) for seed in seeds}
    terraform("init", "-backend=false", "-no-color", folder=folder)
    terraform("plan", "-out", "planned", "-no-color", folder=folder)
    policies = json.loads(terraform("show", "-json", "planned", folder=folder).stdout)["planned_values"]["outputs"]["policies"]["value"]
    wrong = [line for name, plan in plans.items()
             for line in disagreements(name, plan, json.loads((made / f"{name}.json").read_text()), policies[name])]
    stages = [plan["log"]["kind"] for plan in plans.values() for _ in plan["stages"]]
    return wrong, len(stages), stages.count("msk")


def granted(policy):
    """action -> the resources that it is granted on."""
    found = {}
    for statement in iam.statements(json.loads(policy)):
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


def tables_of(plan, store):
    names = plan["tenants"] if "<tenant>" in store["table"] else [""]
    return {f"arn:aws:dynamodb:{store['settings'].get('region') or REGION}:{ACCOUNT}:table/{store['table'].replace('<tenant>', name)}" for name in names}


def expected(plan, stage):
    """action -> resources, of one stage: from its plan alone."""
    store = next((one for one in plan["stores"] if one["name"] == stage["to_store"]), None)
    own, into = plan["pipeline"], [] if store else [f"{plan['pipeline']}.positions"]
    state = [f"{stage['group']}.state"] if stage["state"] else []
    want = {}
    if plan["log"]["kind"] == "msk":
        want["kafka:GetBootstrapBrokers"] = {MSK_ARN}
    if plan["log"]["kind"] == "msk" and plan["log"]["settings"].get("auth", "msk-iam") == "msk-iam":
        head = MSK_ARN.replace(":cluster/", ":{}/") + "/{}"
        write = stage["to_topics"] + stage["sides"] + [stage["dead_topic"]] + into + state
        want |= {
            "kafka-cluster:Connect": {MSK_ARN},
            "kafka-cluster:ReadData": {head.format("topic", name) for name in stage["from"] + [f"{own}.schemas"] + into + state},
            "kafka-cluster:WriteData": {head.format("topic", name) for name in write},
            "kafka-cluster:AlterGroup": {head.format("group", stage["group"])},
            "kafka-cluster:DescribeGroup": {head.format("group", stage["group"])},
        }
        if store is None:
            want |= {f"kafka-cluster:{action}TransactionalId": {head.format("transactional-id", f"{stage['group']}-*")} for action in ("Alter", "Describe")}
        if state:
            want |= {f"kafka-cluster:{action}Topic": {head.format("topic", name) for name in state} for action in ("Create", "Alter")}
    if store and store["kind"] == "dynamodb":
        rows = tables_of(plan, store)
        positions = {next(iter(rows)).rsplit("/", 1)[0] + "/penstock_positions"}
        put = "BatchWriteItem" if store["settings"].get("immutable") == "true" or not store["key"] else "PutItem"
        want |= {f"dynamodb:{put}": rows, "dynamodb:GetItem": positions, "dynamodb:UpdateItem": positions, "dynamodb:DescribeTable": rows | positions}
    if store and store["kind"] == "redshift":
        staging = "arn:aws:s3:::" + store["settings"]["staging"].removeprefix("s3://")
        want |= {f"s3:{action}": {staging + "*"} for action in ("AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject")}
        want["s3:ListBucket"] = {staging.split("/")[0]}
    return want


# Judged by what the binary asks for (policies_used.py): the plan does not say them.
ELSEWHERE = {"kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration", "kafka-cluster:WriteDataIdempotently",
             "dynamodb:DescribeTimeToLive"}


def disagreements(name, plan, bundle, policies):
    names = {stage["id"]: stage["name"] for stage in bundle["deploy"]["stages"]}
    for stage in plan["stages"]:
        have = granted(policies[names[stage["id"]]])
        want = expected(plan, stage)
        for action in sorted(set(have) - ELSEWHERE | set(want)):
            if have.get(action, set()) != want.get(action, set()):
                yield f"{name}, {stage['id']}: {action} is on {sorted(have.get(action, []))}, by the plan on {sorted(want.get(action, []))}"


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--count", type=int, default=200)
    reader.add_argument("--first", type=int, default=1)
    options = reader.parse_args()
    seeds = [*EXAMPLES, *range(options.first, options.first + options.count)]
    chunks = [seeds[at:at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(examine, chunks, [pathlib.Path(name) / str(number) for number in range(len(chunks))]))
    wrong, stages, on_msk = ([line for one in found for line in one[0]], *(sum(one[at] for one in found) for at in (1, 2)))
    if wrong:
        sys.exit("FAILED:\n" + "\n".join(wrong[:20]))
    if not on_msk:
        sys.exit("FAILED: no pipeline of these has MSK")
    print(f"ok   {len(seeds)} pipelines, {stages} stages ({on_msk} on MSK): the policies say what the plans say")


if __name__ == "__main__":
    main()
