"""Pipeline files that are valid and unlike each other: names, topics, tenants, stores of each kind, logins, scales. By seed, so always the same."""
import dataclasses
import json
import pathlib
import random

import yaml

SCHEMA = {"type": "record", "name": "Reading", "fields": [
    {"name": "id", "type": "string"}, {"name": "tenant", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 0},
    {"name": "n", "type": "double"}, {"name": "note", "type": ["null", "string"], "default": None}]}
ARN = "arn:aws:kafka:eu-north-1:111122223333:cluster/demo/8a1c0f6e-0000-4000-8000-000000000000-1"
NAMES = ("a", "raw", "Orders", "eu.west", "step_2", "x-1", "meter-readings", "2nd", "UPPER.case", "a" * 70, "very_long.name-of.a_step" * 4, "z.z.z")
LOGINS = ("none", "tls", "mtls", "plain", "scram", "oauthbearer")
MSK_LOGINS = ("msk-iam", "scram", "tls")
LARGE_TABLE_BYTES = 600_000


@dataclasses.dataclass
class Case:
    """A pipeline, and what its values have to say for the chart."""
    seed: int
    folder: pathlib.Path
    file: dict
    auth: str = "none"
    large_table: bool = False
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    secrets: list[str] = dataclasses.field(default_factory=list)

    @property
    def path(self) -> pathlib.Path:
        return self.folder / "pipeline.yaml"

    def values(self) -> dict:
        values = {"environment": self.environment, "podMonitor": {"enabled": True}, "alerts": {"enabled": True},
                  "dashboard": {"enabled": True}, "producers": {"enabled": bool(self.file.get("producers"))}}
        if self.secrets:
            values["secrets"] = {"existing": "penstock"}
        if self.large_table:
            values["tables"] = {"volume": {"persistentVolumeClaim": {"claimName": "tables"}}}
        if "msk" in self.log or "BROKERS" in self.log.get("kafka", ""):
            values["kafka"] = {"bootstrapServers": "b-1.demo.example:9098,b-2.demo.example:9098"}
        if self.auth == "oauthbearer":
            values["keda"] = {"oauthbearer": {"tokenEndpoint": "https://login.example/token", "secret": "keda-login"}}
        return values

    @property
    def log(self) -> dict:
        return self.file["targets"]["prod"]["log"]


class Maker:
    def __init__(self, seed: int, folder: pathlib.Path):
        self.random = random.Random(seed)
        self.case = Case(seed, folder, {"pipeline": self.name(), "version": 1, "schemas": {"reading": "reading.avsc"}})

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    def name(self, taken=()) -> str:
        while True:
            name = self.random.choice(NAMES) + self.random.choice(("", "", "-b", ".7", "_Q"))
            if name not in taken:
                return name

    def secret(self, name: str) -> str:
        self.case.secrets.append(name)
        return f"${{secret:{name}}}"

    def variable(self, name: str, value: str) -> str:
        self.case.environment[name] = value
        return f"${{env:{name}}}"

    def make(self) -> Case:
        case = self.case
        self.topics = {self.name(): {"schema": "reading"} | self.topic()}
        self.stages, self.stores, self.settings = {}, {}, {}
        case.file["topics"] = self.topics
        if self.maybe(0.6):
            case.file["tenants"] = [f"t{i}" for i in range(self.random.randint(1, 6))]
        if self.maybe(0.25):
            self.table()
        reads = next(iter(self.topics))
        if self.maybe(0.4):
            case.file["producers"] = {"clients": {"to": reads, "every": "1s", "generate": {
                "id": ["m1", "m2"], "tenant": case.file.get("tenants", ["t0"]), "n": "0..9"}}}
        for _ in range(self.random.randint(0, 3)):
            reads = self.to_topic(reads)
        for _ in range(self.random.randint(1, 2)):
            self.to_stores(reads)
        case.file["stages"], case.file["stores"] = self.stages, self.stores
        if self.maybe(0.5):
            case.file["scale"] = self.scale()
        case.file["targets"] = {"prod": {"log": self.log(), "stores": self.settings}}
        if self.maybe(0.3):
            case.file["targets"]["prod"]["topics"] = {"replicas": 1}
        self.write()
        return case

    def topic(self) -> dict:
        return {"key": "id", "partitions": self.random.choice((1, 2, 3, 5, 8, 11, 12, 30, 64)), "replicas": 3, "keep": "24h"}

    def scale(self) -> dict:
        scale = {}
        if self.maybe(0.5):
            scale["min"] = self.random.choice((0, 0, 1, 4))
        if self.maybe(0.5):
            scale["max"] = self.random.choice(("partitions", 4, 8, 100))
        if self.maybe(0.5):
            scale["lag_threshold"] = self.random.choice((1, 50, 100, 12345, 2_000_000))
        if self.maybe(0.5):
            scale["poll"] = self.random.choice(("5s", "30s", "2m", "1500ms"))
        if self.maybe(0.5):
            scale["cooldown"] = self.random.choice(("10s", "300s", "1h", "2500ms"))
        return scale

    def stage(self, reads: str, to) -> None:
        steps = [{"set": {"note": "'seen'"}}] if self.maybe(0.5) else [{"drop": {"when": "n < 0.0"}}]
        if isinstance(to, str) and to not in self.stores and self.maybe(0.2):
            steps.append({"unique": {"by": ["id", "at"], "at": "at", "within": "1h"}})
        if "tables" in self.case.file and self.maybe(0.5):
            steps.append({"join": {"table": "sites", "by": "id", "take": ["site"]}})
            steps.append({"unset": ["site"]})
        stage = {"from": reads, "steps": steps, "to": to}
        if self.maybe(0.3):
            stage["scale"] = self.scale()
        if self.maybe(0.2) and isinstance(to, str):
            stage["group"] = f"group {len(self.stages)} of (somebody's) \"own\"" if self.maybe(0.3) else f"own.group-{len(self.stages)}"
        self.stages[self.name(self.stages)] = stage

    def to_topic(self, reads: str) -> str:
        if "tenants" in self.case.file and self.maybe(0.5):
            prefix = f"out{len(self.topics)}."
            self.topics[prefix + "<tenant>"] = self.topic()
            self.stage(reads, prefix + "<tenant>")
            return prefix + "*"
        name = f"{self.name(self.topics)}{len(self.topics)}"
        self.topics[name] = self.topic()
        self.stage(reads, name)
        return name

    def to_stores(self, reads: str) -> None:
        names = []
        for _ in range(self.random.randint(1, 2)):
            names.append(self.name({*self.stores, *self.topics}))
            self.store(names[-1])
        self.stage(reads, names if len(names) > 1 else names[0])

    def store(self, name: str) -> None:
        table = f"table_{len(self.stores)}"
        kind = self.random.choice(("postgres", "dynamodb", "redshift"))
        if kind == "dynamodb":
            self.stores[name] = {kind: table, "key": "id"}
            self.settings[name] = {"region": "eu-north-1"}
        elif kind == "postgres":
            self.stores[name] = {kind: table, "upsert_on": ["id", "at"]}
            self.settings[name] = {"host": self.variable("PG_HOST", "db.example") if self.maybe(0.5) else "db.example", "database": "energy",
                                   "user": "penstock", "password": self.secret("pg"), "port": self.random.choice((5432, 6543))}
        else:
            self.stores[name] = {kind: table}
            self.settings[name] = {"host": self.variable("WAREHOUSE", "w.example"), "database": "energy", "staging": "s3://staging/x/",
                                   "role": "arn:aws:iam::111122223333:role/copy"}

    def table(self) -> None:
        self.case.large_table = self.maybe(0.2)
        self.case.file["tables"] = {"sites": {"csv": "data/sites.csv", "key": "id", "refresh": "1m"}}

    def log(self) -> dict:
        case = self.case
        if self.maybe(0.4):
            case.auth = self.random.choice(MSK_LOGINS)
            log = {"msk": self.variable("MSK_ARN", ARN)}
        else:
            case.auth = self.random.choice(LOGINS)
            brokers = "b1.example:9092,b2.example:9093"
            way = self.random.choice(("text", "variable", "fallback"))
            log = {"kafka": {"text": brokers, "variable": self.variable("BROKERS", brokers) if way == "variable" else "",
                             "fallback": f"${{env:BROKERS:-{brokers}}}"}[way]}
        log["auth"] = case.auth
        if case.auth in ("plain", "scram"):
            log |= {"user": "app", "password": self.secret("kafka-password")}
        elif case.auth == "mtls":
            log |= {"certificate": self.secret("client.crt"), "key": self.secret("client.key")}
        elif case.auth == "oauthbearer":
            log |= {"token": self.secret("token")}
        if case.auth not in ("none", "msk-iam") and self.maybe(0.4):
            log["ca"] = self.secret("ca.pem")
        return log

    def write(self) -> None:
        folder = self.case.folder
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "reading.avsc").write_text(json.dumps(SCHEMA))
        rows = LARGE_TABLE_BYTES // 12 if self.case.large_table else 2
        (folder / "data/sites.csv").write_text("id,site\n" + "".join(f"m{i},s{i % 10}\n" for i in range(rows)))
        self.case.path.write_text(yaml.dump(self.case.file, sort_keys=False, width=200))


def case(seed: int, folder: pathlib.Path) -> Case:
    folder.mkdir(parents=True, exist_ok=True)
    return Maker(seed, folder).make()
