"""Which rights a recorded call needs: AWS's table of kafka-cluster actions ("equivalent to Apache Kafka's … ACL") over Kafka's table of
what each request is checked for (Kafka's documentation, "Operations and resources on protocols"); elsewhere the call's own name.
"""
import re

TOPIC, GROUP, ID = "topicName", "groupId", "transactionalId"
# Request -> (kind of what it names, the action on each of that kind).
REQUESTS = {
    "Produce": [(TOPIC, "WriteData"), (ID, "AlterTransactionalId")],
    "Fetch": [(TOPIC, "ReadData")],
    "ListOffsets": [(TOPIC, "DescribeTopic")],
    "OffsetForLeaderEpoch": [(TOPIC, "DescribeTopic")],
    "Metadata": [(TOPIC, "DescribeTopic")],  # of all topics it tells those that may be seen
    "FindCoordinator": [(GROUP, "DescribeGroup"), (ID, "DescribeTransactionalId")],
    "JoinGroup": [(GROUP, "AlterGroup")],
    "SyncGroup": [(GROUP, "AlterGroup")],
    "Heartbeat": [(GROUP, "AlterGroup")],
    "LeaveGroup": [(GROUP, "AlterGroup")],
    "OffsetCommit": [(GROUP, "AlterGroup"), (TOPIC, "ReadData")],
    "OffsetFetch": [(GROUP, "DescribeGroup"), (TOPIC, "DescribeTopic")],
    "DescribeGroups": [(GROUP, "DescribeGroup")],
    "ConsumerGroupDescribe": [(GROUP, "DescribeGroup")],
    "InitProducerId": [(ID, "AlterTransactionalId")],  # without an id: WriteDataIdempotently on the cluster
    "AddPartitionsToTxn": [(ID, "AlterTransactionalId"), (TOPIC, "WriteData")],
    "AddOffsetsToTxn": [(ID, "AlterTransactionalId"), (GROUP, "AlterGroup")],
    "EndTxn": [(ID, "AlterTransactionalId")],
    "TxnOffsetCommit": [(ID, "AlterTransactionalId"), (GROUP, "AlterGroup"), (TOPIC, "ReadData")],
    "CreateTopics": [(TOPIC, "CreateTopic")],
    "CreatePartitions": [(TOPIC, "AlterTopic")],
    "DescribeConfigs": [(TOPIC, "DescribeTopicDynamicConfiguration")],
    "ApiVersions": [],
    "SaslHandshake": [],
    "SaslAuthenticate": [],
}
# The column "Required actions" of AWS's table: an action is of no use without these.
REQUIRED = {
    "WriteDataIdempotently": ["Connect", "WriteData"], "CreateTopic": ["Connect"], "DescribeTopic": ["Connect"],
    "AlterTopic": ["Connect", "DescribeTopic"], "DescribeTopicDynamicConfiguration": ["Connect"],
    "ReadData": ["Connect", "DescribeTopic", "AlterGroup"], "WriteData": ["Connect", "DescribeTopic"], "DescribeGroup": ["Connect"],
    "AlterGroup": ["Connect", "DescribeGroup"], "DescribeTransactionalId": ["Connect"],
    "AlterTransactionalId": ["Connect", "DescribeTransactionalId", "WriteData"], "Connect": [],
}


class Rights:
    """ARNs as AWS's references have them, made from a cluster's ARN."""

    def __init__(self, msk_arn, account, region):
        self.cluster, self.account, self.region = msk_arn, account, region
        found = re.fullmatch(r"(arn:[^:]+:kafka:[^:]+:\d+):cluster/([^/]+)/([^/]+)", msk_arn)
        self.head, self.name, self.uuid = found.groups()

    def arn(self, kind, name):
        kinds = {TOPIC: "topic", GROUP: "group", ID: "transactional-id"}
        return f"{self.head}:{kinds[kind]}/{self.name}/{self.uuid}/{name}"

    def of(self, call):
        """(action, resource, context) of each right that the call needs."""
        if call.service == "kafka-cluster":
            return self.of_kafka(call)
        if call.service == "kafka":
            return [(f"kafka:{call.name}", name, {}) for kind, name in call.on if kind == "cluster"]
        if call.service == "dynamodb":
            keys = [name for kind, name in call.on if kind == "key"]
            context = {"dynamodb:LeadingKeys": keys} if keys else {}
            return [(f"dynamodb:{call.name}", f"arn:aws:dynamodb:{self.region}:{self.account}:table/{name}", context)
                    for kind, name in call.on if kind == "table"]
        raise ValueError(f"calls of {call.service} are not known")

    def of_kafka(self, call):
        if call.name not in REQUESTS:
            raise SystemExit(f"FAILED: {call.role} sends {call.name}: say in actions.py which rights that needs")
        needed = [("kafka-cluster:Connect", self.cluster, {})]
        for kind, action in REQUESTS[call.name]:
            needed += [(f"kafka-cluster:{action}", self.arn(kind, name), {}) for of, name in call.on if of == kind]
        if call.name == "InitProducerId" and not call.on:
            needed.append(("kafka-cluster:WriteDataIdempotently", self.cluster, {}))
        return needed
