"""IAM before one pipeline: what a role asks for is judged by the policy derived for it, and refused where that does not allow it.

    gate = Gate("exactly", roles, rights, issuer)    # role -> {"policy": JSON, "trust": JSON, "account": …, "namespace": …}
    gate.may("dedupe", "kafka-cluster:ReadData", arn)
    gate.used, gate.denied               # {(role, action, resource, keys)}

Thread      any.
"""
import json
import threading

import iam

# AWS's table of kafka-cluster actions: the ACL of Kafka's that each is "equivalent" to.
ACLS = {
    ("CLUSTER", "DESCRIBE"): "DescribeCluster", ("CLUSTER", "ALTER"): "AlterCluster", ("CLUSTER", "DESCRIBE_CONFIGS"): "DescribeClusterDynamicConfiguration",
    ("CLUSTER", "ALTER_CONFIGS"): "AlterClusterDynamicConfiguration", ("CLUSTER", "IDEMPOTENT_WRITE"): "WriteDataIdempotently",
    ("TOPIC", "CREATE"): "CreateTopic", ("TOPIC", "DESCRIBE"): "DescribeTopic", ("TOPIC", "ALTER"): "AlterTopic", ("TOPIC", "DELETE"): "DeleteTopic",
    ("TOPIC", "DESCRIBE_CONFIGS"): "DescribeTopicDynamicConfiguration", ("TOPIC", "ALTER_CONFIGS"): "AlterTopicDynamicConfiguration",
    ("TOPIC", "READ"): "ReadData", ("TOPIC", "WRITE"): "WriteData", ("GROUP", "READ"): "AlterGroup", ("GROUP", "DESCRIBE"): "DescribeGroup",
    ("GROUP", "DELETE"): "DeleteGroup", ("TRANSACTIONAL_ID", "DESCRIBE"): "DescribeTransactionalId",
    ("TRANSACTIONAL_ID", "WRITE"): "AlterTransactionalId",
}
KINDS = {"TOPIC": "topicName", "GROUP": "groupId", "TRANSACTIONAL_ID": "transactionalId"}


class Gate:
    def __init__(self, name, roles, rights, issuer):
        self.name, self.roles, self.rights, self.issuer = name, roles, rights, issuer
        self.policies = {role: json.loads(one["policy"]) for role, one in roles.items()}
        self.lock, self.used, self.denied = threading.Lock(), set(), set()

    def may(self, role, action, resource, context=None, must=True):
        """`must`: who asks can not do without."""
        allowed = iam.allowed(self.policies[role], action, resource, context)
        if must:
            with self.lock:
                (self.used if allowed else self.denied).add((role, action, resource, tuple((context or {}).get("dynamodb:LeadingKeys", []))))
        return allowed

    def may_by_acl(self, question):
        """As IamAuthorizer asks: principal, kind, operation, name, whether it must."""
        principal, kind, operation, name, must = question.split("\t")
        role = principal.removeprefix(f"{self.name}/")
        if (kind, operation) not in ACLS:  # AWS has no action for it
            return False
        resource = self.rights.cluster if kind == "CLUSTER" else self.rights.arn(KINDS[kind], name)
        # Kafka asks for this one gently, for it would be content with a right to write anywhere. AWS is not.
        needed = must == "must" or operation == "IDEMPOTENT_WRITE"
        return self.may(role, f"kafka-cluster:{ACLS[kind, operation]}", resource, must=needed)

    def may_take(self, role):
        """Its own service account, by the cluster's OpenID Connect."""
        one = self.roles[role]
        who = {f"{self.issuer}:sub": f"system:serviceaccount:{one['namespace']}:{one['account']}", f"{self.issuer}:aud": "sts.amazonaws.com"}
        federated = ("Federated", f"arn:aws:iam::{self.rights.account}:oidc-provider/{self.issuer}")
        taken = iam.may_assume(json.loads(one["trust"]), "sts:AssumeRoleWithWebIdentity", federated, who)
        if not taken:
            self.denied.add((role, "sts:AssumeRoleWithWebIdentity", one["trust"], ()))
        return taken
