"""Other people's eyes: checkov over every .tf (what is passed over says why in its place), parliament over every policy that is derived
from the examples' bundles, and the chart's own schema over the values that it is handed."""
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

import jsonschema  # noqa: E402
import parliament  # noqa: E402
import yaml  # noqa: E402
from design import MODULES, ROOT, copied, outputs  # noqa: E402
from modules import EXAMPLES, bundle  # noqa: E402

CHART = json.loads((ROOT / "deploy" / "helm" / "penstock" / "values.schema.json").read_text())

# (finding, action) that parliament reports and that is meant: why.
EXPLAINED = {
    ("RESOURCE_MISMATCH", "kafka:GetBootstrapBrokers"):
        "AWS's reference names no resource for it, its own guides (MSK's cluster policies, Firehose) bind it to the cluster",
}
WAYS = {
    "provisioned": {"redshift": {"arn": "arn:aws:redshift:eu-north-1:111122223333:cluster:w", "serverless": False, "host": "w.example"}},
    "serverless": {"cloudwatch": True, "identity": "pod_identity",
                   "redshift": {"arn": "arn:aws:redshift-serverless:eu-north-1:111122223333:workgroup/0f2c8a55-4c2b-4b7e-9d35-0c6f3c6a9d11",
                                "serverless": True, "host": "w.example"}},
}
SKIP = re.compile(r"checkov:skip=(\w+)(:(.*))?")


def scan(folder):
    """checkov over the .tf: nothing fails but what is put beside them to fail, and what is skipped has a reason."""
    tree = folder / "terraform"
    copied(tree)
    (tree / "wrong").mkdir()
    (tree / "wrong" / "main.tf").write_text('resource "aws_ecr_repository" "wrong" {\n  name = "tags-that-move"\n}\n')
    done = subprocess.run([pathlib.Path(sys.executable).parent / "checkov", "-d", tree, "--framework", "terraform", "--compact", "--quiet",
                           "--skip-download", "-o", "json"], capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"FAILED: checkov said\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    failed = {f"{one['check_id']} {one['resource']} ({one['file_path']}): {one['check_name']}" for one in told["results"]["failed_checks"]}
    noticed = {one for one in failed if "aws_ecr_repository.wrong" in one}
    if not any("CKV_AWS_51" in one for one in noticed):
        sys.exit("FAILED: checkov takes a registry with tags that move")
    if failed - noticed or told["results"].get("parsing_errors"):
        sys.exit(f"FAILED: checkov: {failed - noticed} {told['results'].get('parsing_errors')}")
    for file in MODULES.parent.rglob("*.tf"):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if (found := SKIP.search(line)) and len((found[3] or "").split()) < 5:
                sys.exit(f"FAILED: {file.name}:{number} passes {found[1]} over and does not say why")
    print(f"ok   checkov: {told['summary']['passed']} checks passed, {told['summary']['skipped']} passed over with a reason", flush=True)


def findings(document, used=None):
    """What parliament finds in it, but for what is explained."""
    for one in parliament.analyze_policy_string(document, include_community_auditors=True).findings:
        about = json.dumps(one.detail, default=str) + str(one.location)
        explained = {(issue, action) for issue, action in EXPLAINED if one.issue == issue and action in about}
        if used is not None:
            used.update(explained)
        if not explained:
            yield f"{one.issue} {about[:300]}"


def review(folder):
    count, used = 0, set()
    for example, target in EXAMPLES.items():
        file = folder / f"{example}.json"
        file.write_text(bundle(example, target))
        for way, more in WAYS.items():
            told = outputs(folder / f"{example}-{way}", {
                "bundle": str(file), "msk_arn": "arn:aws:kafka:eu-north-1:111122223333:cluster/c/0f2c8a55-4c2b-4b7e-9d35-0c6f3c6a9d11-7",
                "account_id": "111122223333", "region": "eu-north-1", "namespace": "pipelines", "eks_cluster": "home",
                "oidc_issuer": "https://oidc.eks.eu-north-1.amazonaws.com/id/0123456789ABCDEF"} | more)
            jsonschema.validate(yaml.safe_load(told["values"]), CHART)
            for role, one in told["roles"].items():
                if found := list(findings(one["policy"], used)):
                    sys.exit(f"FAILED: {example}, {role}: {found}\n{one['policy']}")
                count += 1
    if used != set(EXPLAINED):
        sys.exit(f"FAILED: explained, and not found: {set(EXPLAINED) - used}")
    print(f"ok   parliament: {count} policies, nothing found that is not explained", flush=True)


def parliament_would_notice():
    wrong = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:PutItm","Resource":"arn:aws:s3:::x"}]}'
    if not list(findings(wrong)):
        sys.exit("FAILED: parliament takes an action that does not exist")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        review(pathlib.Path(temporary))
        parliament_would_notice()
        scan(pathlib.Path(temporary))
