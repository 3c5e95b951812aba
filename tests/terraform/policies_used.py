"""Least privilege, proven: a pipeline's processes run with a role each. Everything that they ask of AWS and of the brokers is judged by
the policy derived for that role, refused where that does not allow it, and written down. So every call has to be allowed, and every
right has to be used by a call, or stand in NOT_CALLED with the reason."""
import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE.parent / "aws" / "requirements.txt")

import iam  # noqa: E402
from actions import REQUIRED, Rights  # noqa: E402
from design import outputs  # noqa: E402
from gate import Gate  # noqa: E402
from recording import ACCOUNT, AGAIN, EXACTLY, LOOSELY, MSK_ARN, REGION, STAGES, Recording, under_dynamodb  # noqa: E402

ISSUER = f"oidc.eks.{REGION}.amazonaws.com/id/0123456789ABCDEF"
NAMESPACE = "pipelines"
# Roles whose programs are not ours, and not run here: their rights are from their documentation, and judged by parliament (audit.py).
NOT_RUN = {"keda", "cluster-autoscaler"}
# (role, action, end of the resource's ARN) -> why it is granted although no recorded call needs it.
NOT_CALLED = {
    ("dedupe", "kafka-cluster:AlterTopic", "metering.dedupe.state"): "when the input was given more partitions, so is the state",
}


class Verdict:
    def __init__(self):
        self.wrong = []

    def check(self, good, what):
        if not good:
            self.wrong.append(what)

    def end(self, what):
        for line in self.wrong:
            print(f"FAIL {line}")
        if self.wrong:
            sys.exit(1)
        print(f"ok   {what}", flush=True)


def derived(recording, target, folder):
    """Role as it was recorded -> its policy and its trust."""
    bundle = folder / f"{target}.json"
    bundle.write_text(recording.penstock("bundle", recording.pipeline, "-t", target))
    names = {stage["name"]: stage["id"] for stage in json.loads(bundle.read_text())["deploy"]["stages"]}
    told = outputs(folder / target, {
        "bundle": str(bundle), "msk_arn": MSK_ARN, "account_id": ACCOUNT, "region": REGION, "namespace": NAMESPACE,
        "oidc_issuer": f"https://{ISSUER}", "eks_cluster": "home"})
    return {names.get(role, role): one for role, one in told["roles"].items()}


def witnessed(calls, gate, rights):
    """The rights that the recorded requests need, by the tables of actions.py, are those that the brokers asked for."""
    verdict = Verdict()
    asked = {(role, action, resource) for role, action, resource, _ in gate.used}
    needed = {(call.role, action, resource) for call in calls if call.service != "sts" for action, resource, _ in rights.of(call)}
    verdict.check(needed <= asked, f"needed by a request, and never asked for: {needed - asked}")
    verdict.check(asked <= needed, f"asked for by the brokers, and of no request: {asked - needed}")
    roles = {call.role for call in calls}
    verdict.end(f"{len(calls)} different calls of {len(roles)} roles: {len(needed)} rights, each asked for and allowed")


def granted(role):
    """(action, resource, statement) one by one."""
    for statement in iam.statements(json.loads(role["policy"])):
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield action, resource, statement


def superfluous(used, roles, reasons):
    """Every right used, and every reason needed."""
    verdict, needed = Verdict(), set()
    for name, role in roles.items():
        if name in NOT_RUN:
            continue
        mine = [(action, resource, {"dynamodb:LeadingKeys": list(keys)} if keys else {}) for by, action, resource, keys in used if by == name]
        for action, resource, statement in granted(role):
            one = {**statement, "Action": [action], "Resource": [resource]}
            if any(iam.applies(one, *call) for call in mine):
                continue
            reason = [key for key in reasons if key[0] == name and key[1] == action and resource.endswith(key[2])]
            needed.update(reason)
            verdict.check(reason, f"{name} may do {action} on {resource}, and never does")
    verdict.check(needed == set(reasons), f"reasons for what is used or not granted: {set(reasons) - needed}")
    verdict.end("every right is used, or its reason is told")


def complete(roles):
    """AWS's required actions: ReadData without a group is no consumer's, and asks for none (Kafka checks a fetch by its topic)."""
    verdict = Verdict()
    for name, role in roles.items():
        actions = {action.split(":")[1] for action, _, _ in granted(role) if action.startswith("kafka-cluster:")}
        for action in actions:
            missing = set(REQUIRED[action]) - actions - ({"AlterGroup"} if action == "ReadData" else set())
            verdict.check(not missing, f"{name}: {action} is of no use without {missing}")
    verdict.end("every action comes with those that AWS requires beside it")


def apart(roles):
    """No role is another's: neither may a pod take it, nor does it read another stage's group or item."""
    verdict = Verdict()
    for name, role in roles.items():
        for other in roles.values():
            who = {f"{ISSUER}:sub": f"system:serviceaccount:{other['namespace']}:{other['account']}", f"{ISSUER}:aud": "sts.amazonaws.com"}
            if role["trust"] and other is not role:
                taken = iam.may_assume(json.loads(role["trust"]), "sts:AssumeRoleWithWebIdentity",
                                       ("Federated", f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"), who)
                verdict.check(not taken, f"{other['account']} may take the role of {name}")
        wide = [(a, r) for a, r, s in granted(role) if "*" in a or (r == "*" and name != "cluster-autoscaler")]
        verdict.check(not wide, f"{name} has {wide}")
    verdict.end("no role is another's, none has a wildcard action")


def main():
    rights = Rights(MSK_ARN, ACCOUNT, REGION)
    with tempfile.TemporaryDirectory() as name, Recording(name) as recording:
        folder = pathlib.Path(name) / "design"
        folder.mkdir()
        for target, *what in (("exactly", STAGES, EXACTLY, AGAIN), ("loosely", ["dedupe", "enrich"], LOOSELY)):
            print(f"{target}:")
            roles = derived(recording, target, folder)
            gate = Gate(target, roles, rights, ISSUER)
            calls = recording.record(target, gate, *what).all()
            if wanted := os.environ.get("PENSTOCK_TEST_CALLS"):  # to read them
                pathlib.Path(f"{wanted}.{target}").write_text("\n".join(f"{times} {call}" for call, times in sorted(calls.items(), key=repr)))
            witnessed(calls, gate, rights)
            if target == "exactly":
                superfluous(gate.used, roles, NOT_CALLED)
            complete(roles)
            apart(roles)


if __name__ == "__main__":
    under_dynamodb()
    main()
