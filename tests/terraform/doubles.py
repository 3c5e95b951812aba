"""What stands where AWS would, writes down who asked for what, and refuses what the derived policies do not allow: brokers behind TLS
(with IamAuthorizer), the control plane with STS, DynamoDB.

A role is a proxy of its own before the brokers, and whoever took the role's identity.
"""
import collections
import dataclasses
import json
import pathlib
import ssl
import threading
import urllib.parse

from aws_stub import Aws
from dynamodb_proxy import Proxy as DynamoDbProxy
from kafka_requests import Asked
from proxy import Proxy

METADATA = 3


@dataclasses.dataclass(frozen=True)
class Call:
    role: str
    service: str  # kafka-cluster, kafka, sts, dynamodb
    name: str  # the request's own
    on: tuple  # what it names: (kind, name), …


class Calls:
    """Of all roles; each only once."""

    def __init__(self):
        self.lock, self.seen = threading.Lock(), collections.Counter()
        self.topic_ids = {}
        self.unread = []  # requests that could not be read

    def add(self, role, service, name, on=()):
        call = Call(role, service, name, tuple(sorted(on)))
        with self.lock:
            self.seen[call] += 1
        return call

    def seen_of(self, role, service, name, thing):
        return any((call.role, call.service, call.name) == (role, service, name) and thing in [each for _, each in call.on]
                   for call in self.all())

    def all(self):
        """With the names of topics that were told by their ids."""
        with self.lock:
            calls = dict(self.seen)
            ids = dict(self.topic_ids)
        named = {}
        for call, times in calls.items():
            on = tuple(sorted((("topicName", ids[name]) if kind == "topicId" else (kind, name)) for kind, name in call.on))
            named[dataclasses.replace(call, on=on)] = times
        return named


def contexts(tls: pathlib.Path):
    """As broker to clients, and as client to brokers."""
    to_clients = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    to_clients.load_cert_chain(tls / "broker.chain")
    return to_clients, ssl.create_default_context(cafile=tls / "ca.pem")


class RoleProxy(Proxy):
    """The brokers as one role sees them."""

    def __init__(self, role, nodes, tls, descriptions, calls):
        super().__init__(nodes, *contexts(tls))
        self.role, self.descriptions, self.calls = role, descriptions, calls
        self.asked = {}  # (connection, correlation id) -> Asked

    def saw(self, connection, frame):
        try:
            self.write_down(connection, frame)
        except Exception as error:
            self.calls.unread.append(f"{self.role}: {error!r} in {frame[:80]!r}")
            raise

    def write_down(self, connection, frame):
        asked: Asked = self.descriptions.request(frame)
        self.calls.add(self.role, "kafka-cluster", asked.api, self.named(asked))
        if asked.key == METADATA:
            self.asked[connection, asked.correlation] = asked

    def saw_answer(self, connection, frame):
        asked = self.asked.pop((connection, int.from_bytes(frame[4:8], "big")), None)
        if asked is None:
            return
        for topic in self.descriptions.answer(frame, asked)["Topics"]:
            if topic.get("TopicId"):
                self.calls.topic_ids[str(topic["TopicId"])] = topic["Name"]

    @staticmethod
    def named(asked):
        on = {(kind, str(name)) for kind, names in asked.names.items() for name in names
              if kind in ("topicName", "topicId", "groupId", "transactionalId")}
        if asked.api == "FindCoordinator":
            kind = ("groupId", "transactionalId")[asked.fields["KeyType"]]
            on |= {(kind, key) for key in asked.fields.get("CoordinatorKeys") or [asked.fields["Key"]]}
        if asked.api == "DescribeConfigs":
            kinds = {2: "topicName", 4: "broker"}
            on |= {(kinds[one["ResourceType"]], one["ResourceName"]) for one in asked.fields["Resources"]}
        if asked.api == "Metadata" and asked.fields["Topics"] is None:
            on |= {("every", "topic")}
        return on


class RecordingAws(Aws):
    """`proxies`: role's ARN -> its RoleProxy, whose address GetBootstrapBrokers tells it. `gate` decides."""

    def __init__(self, token_file):
        self.proxies, self.roles, self.gate = {}, {}, None
        super().__init__(token_file, life=900)

    def role_of(self, identity):
        return self.proxies[self.roles[identity]]

    def role_that_signed(self, headers):
        return self.role_of(headers["Authorization"].split("Credential=")[1].split("/")[0])

    def assume(self, form):
        proxy = self.proxies[form["RoleArn"]]
        proxy.calls.add(proxy.role, "sts", form["Action"], [("role", form["RoleArn"])])
        if not self.gate.may_take(proxy.role):
            return 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not this role</Message></Error></ErrorResponse>"
        before = set(self.given)
        answer = super().assume(form)
        self.roles |= dict.fromkeys(set(self.given) - before, form["RoleArn"])
        return answer

    def handle(self, request, body):
        if request.path == "/authorize":
            return (200 if self.gate.may_by_acl(body.decode()) else 403), ""
        if request.path.startswith("/v1/clusters/"):
            proxy = self.role_that_signed(request.headers)
            self.brokers = proxy.bootstrap
            arn = urllib.parse.unquote(request.path).removeprefix("/v1/clusters/").removesuffix("/bootstrap-brokers")
            proxy.calls.add(proxy.role, "kafka", "GetBootstrapBrokers", [("cluster", arn)])
            if not self.gate.may(proxy.role, "kafka:GetBootstrapBrokers", arn):
                return 403, json.dumps({"message": "not authorized"})
        return super().handle(request, body)

    def validate(self, token):
        """The principal is the gate's name and the role's, so that the brokers' authorizer can ask for it."""
        status, told = super().validate(token)
        if status != 200:
            return status, told
        proxy = self.role_of(self.told_of(token)["X-Amz-Credential"].split("/")[0])
        allowed = self.gate.may(proxy.role, "kafka-cluster:Connect", self.gate.rights.cluster)
        return (200, f"{self.gate.name}/{proxy.role} {told.split()[1]}") if allowed else (403, "")


class RecordingDynamoDb(DynamoDbProxy):
    """Before DynamoDB Local; who asks is known by the key that `aws` gave out."""

    def __init__(self, server_port, aws):
        self.aws = aws
        super().__init__(server_port)

    def asked(self, headers, operation, body):
        proxy, gate = self.aws.role_that_signed(headers), self.aws.gate
        request = json.loads(body)
        tables = request["RequestItems"] if "RequestItems" in request else [request["TableName"]] if "TableName" in request else []
        on = [("table", table) for table in tables]
        if isinstance(request.get("Key", {}).get("id", {}).get("S"), str):  # a position's
            on.append(("key", request["Key"]["id"]["S"]))
        call = proxy.calls.add(proxy.role, "dynamodb", operation, on)
        if not all([gate.may(proxy.role, *right) for right in gate.rights.of(call)]):
            return 400, self.refused("AccessDeniedException")
        return None

    def refusal(self, operation, body, token):
        return None  # credentials are the AWS double's affair

    def account(self, operation, body):
        pass
