"""A pipeline folder with a registry, and the independent implementations beside it."""
import json
import os
import pathlib
import subprocess
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
sys.path.append(str(HERE.parent / "scenarios"))  # behind: it has a secrets.py

import boto3  # noqa: E402
from aws_schema_registry import SchemaRegistryClient as GlueClient  # noqa: E402
from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: E402

LOGIN = "penstock:kanarienvogel-7f3a"
READING = {"type": "record", "name": "Reading", "namespace": "energy",
           "fields": [{"name": "id", "type": "string"}, {"name": "kwh", "type": "double"}]}
# What an older writer has, and one that sends more than we read.
OLDER = {**READING, "fields": [READING["fields"][0], {"name": "kwh", "type": "int"}]}
NEWER = {**READING, "fields": READING["fields"] + [{"name": "site", "type": ["null", "string"], "default": None}]}
PIPELINE = """pipeline: registries
version: 1
schemas: {reading: reading.avsc}
topics:
  ingest: {schema: reading, key: id, framing: confluent, unframed: bare}
  clean: {key: id, framing: confluent}
  guids: {key: id, framing: GUIDS}
  glued: {key: id, framing: glue}
stages:
  first:
    from: ingest
    steps:
      - set: {kw: "kwh * 4.0"}
      - send: guids
      - send: glued
    to: clean
  last: {from: clean, to: rows}
stores: {rows: {sqlite: readings}}
dead_letters: {stop_above: 100% over 1m}
targets:
  local:
    log: embedded
    registry:
      - {confluent: "${env:REGISTRY}", LOGIN}
      - {glue: energy, endpoint: "${env:GLUE}", region: eu-north-1}
"""


class Place:
    """`confluent`: the base address of a registry; `glue`: that of the double."""

    def __init__(self, folder, confluent, glue, login=LOGIN, guids="confluent_guid"):
        self.folder, self.login = pathlib.Path(folder), login
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "reading.avsc").write_text(json.dumps(READING))
        user = "user: penstock, password: \"${secret:registry}\"" if login else "subjects: topic"
        (self.folder / "pipeline.yaml").write_text(PIPELINE.replace("LOGIN", user).replace("GUIDS", guids))
        os.environ.update(REGISTRY=confluent, GLUE=glue, PENSTOCK_SECRET_REGISTRY=(login or ":").partition(":")[2],
                          AWS_ACCESS_KEY_ID="AKIATEST", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="eu-north-1")
        self.registry = SchemaRegistryClient({"url": confluent} | ({"basic.auth.user.info": login} if login else {}))
        session = boto3.Session(aws_access_key_id="AKIATEST", aws_secret_access_key="test", region_name="eu-north-1")
        self.glue = GlueClient(session.client("glue", endpoint_url=glue), registry_name="energy")

    def send_raw(self, values, *words):
        lines = "".join(json.dumps({"key": f"k{i}", "value_hex": value.hex()}) + "\n" for i, value in enumerate(values))
        file = self.folder / f"raw-{uuid.uuid4().hex}.jsonl"
        file.write_text(lines)
        from pipeline_fixture import penstock
        return penstock("send", self.folder, "--to", "ingest", "--raw", file, *words)

    def records(self, program, topic):
        """The values of a topic at rest, as bytes."""
        lines = subprocess.run([program, self.folder / ".penstock" / "log"], capture_output=True, text=True, check=True).stdout.splitlines()
        return [bytes.fromhex(record["value"]) for record in map(json.loads, lines) if record["topic"] == topic]
