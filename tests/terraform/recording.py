"""A pipeline on Amazon's services, as its pods run it: `apply`, each stage, the producers and the scaler in a process and a role of their own.

    with Recording(folder) as recording:
        calls = recording.record("exactly", gate, STAGES, EXACTLY)
    calls.all()                    # {Call: times}
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "kafka"), str(HERE.parent / "stores")]

from broker import Broker, KAFKA  # noqa: E402
from doubles import Calls, RecordingAws, RecordingDynamoDb, RoleProxy  # noqa: E402
from kafka_requests import Descriptions  # noqa: E402
from msk import validator  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402

ACCOUNT, REGION = "111122223333", "eu-north-1"
MSK_ARN = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/penstock/0f2c8a55-4c2b-4b7e-9d35-0c6f3c6a9d11-7"
FIELDS = [("id", "string"), ("at", {"type": "long", "logicalType": "timestamp-millis"}), ("kwh", "double")]
# What there is to be called: state, a copy aside, dead letters of both kinds of stages, both kinds of items, expiry, tables that
# Penstock makes and tables that are there.
PIPELINE = """pipeline: metering
version: 1
schemas: {reading: reading.avsc}
topics:
  ingest: {schema: reading, key: id, partitions: 2, replicas: 1, keep: 24h}
  clean:  {key: id, partitions: 2, replicas: 1, keep: 24h}
  odd:    {key: id, partitions: 1, replicas: 1, keep: 24h}
  ready:  {key: id, partitions: 2, replicas: 1, keep: 24h}
producers:
  meters: {to: ingest, every: 20ms, clients: 4, generate: {id: [a, b, c, d], kwh: 0..100, at: 1760000000000..1760000600000}}
stages:
  dedupe:
    from: ingest
    steps:
      - reject: {when: "kwh > 95.0", reason: implausible}
      - unique: {by: [id, at], at: at, within: 1d}
      - send: odd
    to: clean
  enrich:
    from: clean
    steps: [{reject: {when: "kwh > 90.0", reason: high}}, {set: {wh: kwh * 1000.0}}]
    to: ready
  writer:
    from: ready
    steps: [{reject: {when: "kwh > 80.0", reason: suspicious}}]
    to: [latest, history]
stores:
  latest:  {dynamodb: meter_latest, key: id, newest_by: at, expire_after: 30d}
  history: {dynamodb: meter_history, key: [id, at], immutable: true}
targets:
  exactly:
    log: {msk: "${env:MSK_ARN}", auth: msk-iam, ca: CA}
    stores: {latest: {region: eu-north-1, create: true}, history: {region: eu-north-1, create: true}}
  loosely:
    log: {msk: "${env:MSK_ARN}", auth: msk-iam, ca: CA, delivery: at_least_once}
    stores: {latest: {region: eu-north-1, create: true}, history: {region: eu-north-1, create: true}}
"""
STAGES = ["dedupe", "enrich", "writer.latest", "writer.history"]


def role_arn(role):
    return f"arn:aws:iam::{ACCOUNT}:role/metering-{role.replace('.', '-')}"


class Recording:
    def __init__(self, folder):
        self.folder, self.stack = pathlib.Path(folder), contextlib.ExitStack()
        self.target, self.calls = None, None

    def __enter__(self):
        (self.folder / "token").write_text("canary-web-identity\n")
        self.aws = RecordingAws(self.folder / "token")
        os.environ["PENSTOCK_TEST_AWS"] = self.aws.url  # for the broker's validator
        jar = validator(self.folder, HERE / "IamAuthorizer.java")
        self.broker = self.stack.enter_context(Broker(sasl=True, classes=jar, properties={
            "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class": "MskValidator", "authorizer.class.name": "IamAuthorizer"}))
        port = int(os.environ["PENSTOCK_TEST_DYNAMODB"].rsplit(":", 1)[1])
        self.dynamodb = RecordingDynamoDb(port, self.aws)
        jars = pathlib.Path(Broker.call("fetch").strip())
        self.descriptions = Descriptions(next(jars.glob("kafka-clients-*.jar")))
        self.pipeline = self.folder / "p"
        self.pipeline.mkdir()
        (self.pipeline / "pipeline.yaml").write_text(PIPELINE.replace("CA", self.broker.facts["ca"]))
        (self.pipeline / "reading.avsc").write_text(json.dumps({"type": "record", "name": "Reading",
                                                                "fields": [{"name": n, "type": t} for n, t in FIELDS]}))
        return self

    def __exit__(self, *_):
        self.stack.close()

    def environment(self, role):
        """A pod's, with its identity as EKS hands it over, and brokers of its own."""
        sasl = [int(each.rsplit(":", 1)[1]) for each in self.broker.facts["sasl"].split(",")]
        tls = pathlib.Path(self.broker.facts["ca"]).parent
        self.aws.proxies[role_arn(role)] = self.stack.enter_context(RoleProxy(role, sasl, tls, self.descriptions, self.calls))
        return {"MSK_ARN": MSK_ARN, "AWS_ENDPOINT_URL": self.aws.url, "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{self.dynamodb.port}",
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.aws.token_file), "AWS_ROLE_ARN": role_arn(role), "AWS_REGION": REGION,
                "HOME": str(self.folder)}

    def penstock(self, *words, environment=None):
        done = subprocess.run([os.environ["PENSTOCK_BINARY"], *words], capture_output=True, text=True, timeout=120,
                              env=os.environ | (environment or {"MSK_ARN": MSK_ARN}), check=False)
        if done.returncode != 0:
            sys.exit(f"FAILED: {words} {self.refused() if self.calls else ''}\n{done.stdout}{done.stderr}")
        return done.stdout

    def refused(self):
        return "".join(f"\n  {role} was refused {action} on {resource} {keys or ''}" for role, action, resource, keys in self.aws.gate.denied)

    def start(self, role, *words):
        data = self.folder / f"data-{self.target}-{role}"
        return Process(self.folder, f"{self.target}-{role}", [*words, self.pipeline, "-t", self.target, "--data", data], self.environment(role))

    def record(self, target, gate, stages, signs, again=()):
        """Until each sign was seen, and each process has drained; and once more with the groups' offsets expired, where there is more to
        be seen then."""
        self.target, self.calls, self.aws.gate = target, Calls(), gate
        self.penstock("apply", self.pipeline, "-t", target, environment=self.environment("apply"))
        self.until(stages, signs)
        if again:
            own = [stage for stage in stages if stage in {role for role, *_ in again}]
            groups = [word for stage in own for word in ("--group", f"metering.{stage}")]
            self.broker.tool("ConsumerGroupCommand", "--delete", *groups)
            self.until(own, again)
        return self.calls

    def until(self, stages, signs):
        running = [self.start(stage, "run", "--stage", stage) for stage in stages]
        running += [self.start(verb, verb) for verb in ("produce", "scaler")]
        told = lambda: f"{self.refused()}{self.calls.unread}\n" + "\n".join(one.told() for one in running)  # noqa: E731
        try:
            for sign in signs:
                wait_until(lambda: self.calls.seen_of(*sign) or self.aws.gate.denied or not all(one.running() for one in running), 90)
                if not self.calls.seen_of(*sign) or self.aws.gate.denied:
                    sys.exit(f"FAILED: {sign} was not seen {told()}")
        finally:
            for one in reversed(running):
                one.signal(15)
            codes = [one.wait(60) for one in reversed(running)]
        if any(codes) or self.calls.unread or self.aws.gate.denied:
            sys.exit(f"FAILED: a process ended with {codes} {told()}")


# What each has done when it has done everything: role, service, request, something that it names.
EXACTLY = [
    ("dedupe", "kafka-cluster", "Produce", "dead.dedupe"),
    ("dedupe", "kafka-cluster", "Produce", "metering.dedupe.state"),
    ("dedupe", "kafka-cluster", "Produce", "odd"),
    ("enrich", "kafka-cluster", "Produce", "dead.enrich"),
    ("enrich", "kafka-cluster", "Produce", "ready"),
    ("writer.latest", "kafka-cluster", "Produce", "dead.writer"),
    ("writer.latest", "kafka-cluster", "OffsetCommit", "ready"),
    ("writer.latest", "dynamodb", "PutItem", "meter_latest"),
    ("writer.latest", "dynamodb", "UpdateItem", "penstock_positions"),
    ("writer.history", "kafka-cluster", "Produce", "dead.writer"),
    ("writer.history", "kafka-cluster", "OffsetCommit", "ready"),
    ("writer.history", "dynamodb", "BatchWriteItem", "meter_history"),
    ("writer.history", "dynamodb", "UpdateItem", "penstock_positions"),
    ("scaler", "kafka-cluster", "OffsetFetch", "metering.writer.latest"),
    ("scaler", "kafka-cluster", "DescribeConfigs", "ready"),
]
# What each asks for when its group's offsets are gone, and of topics that are there only now.
AGAIN = [
    ("dedupe", "kafka-cluster", "Fetch", "metering.dedupe.state"),
    ("dedupe", "kafka-cluster", "Fetch", "metering.positions"),
    ("enrich", "kafka-cluster", "Fetch", "metering.positions"),
    ("produce", "kafka-cluster", "Fetch", "metering.positions"),
]
LOOSELY = [
    ("enrich", "kafka-cluster", "Produce", "dead.enrich"),
    ("enrich", "kafka-cluster", "Produce", "ready"),
    ("enrich", "kafka-cluster", "OffsetCommit", "clean"),
]


def under_dynamodb():
    """Begins again under a DynamoDB Local of its own."""
    if "PENSTOCK_TEST_DYNAMODB" not in os.environ:
        tool = KAFKA.parent / "with_dynamodb"
        os.execv(tool, [str(tool), sys.executable, *sys.argv])
