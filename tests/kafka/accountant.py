"""Answers for every record: reads all topics by a client that is not ours (outside.py) and compares what is there with what must be.

A record of the trial is {"id": "k17", "n": 1234, "copy": 0, "at": …}: n counts per key, and each is sent three times (copies 0, 1, 2).
What the stages of TRIAL do to them stands in fate().
"""
import collections
import io
import json
import sqlite3

import fastavro
import outside

INPUT = {"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "string"}, {"name": "n", "type": "long"}, {"name": "copy", "type": "int"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "pad", "type": "string"}]}

TRIAL = """pipeline: trial
version: 1
schemas: {{event: event.avsc}}
topics:
  ingest: {{schema: event, key: id, partitions: {partitions}, keep: 24h}}
  middle: {{key: id, partitions: {partitions}, keep: 24h}}
  final: {{key: id, partitions: {partitions}, keep: 24h}}
stages:
  first:
    from: ingest
    steps:
      - drop: {{when: "n % 10 == 3"}}
      - reject: {{when: "n % 100 == 7", reason: seven}}
      - unique: {{by: [id, n], at: at, within: 1h}}
      - set: {{first_status: "'Done'"}}
    to: middle
  second:
    from: middle
    steps:
      - set: {{second_status: "'Done'"}}
    to: final
  keeper:
    from: middle
    steps:
      - set: {{keeper_status: "'Done'"}}
    to: rows
stores:
  rows: {{redshift: events}}
dead_letters: {{topic: dead.<stage>, keep: 14d, stop_above: 100% over 1m}}
targets:
  kafka:
    log: {{kafka: "${{env:BROKERS}}"}}
    topics: {{replicas: {replicas}}}
    stores: {{rows: sqlite}}
    epoch: {{rows: {epoch_rows}, every: {epoch_every}}}
"""
OUTPUTS = {"trial.first": ("middle", "dead.first"), "trial.second": ("final", "dead.second")}


def fate(n):
    if n % 10 == 3:
        return "dropped"
    return "dead" if n % 100 == 7 else "passes"


def framed(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


class Decoder:
    """Values framed as single objects, by the schemas in <pipeline>.schemas."""

    def __init__(self, bootstrap, pipeline):
        self.schemas = {}
        for message in outside.read_all(bootstrap, f"{pipeline}.schemas"):
            self.schemas[bytes.fromhex(message.key().decode())[::-1]] = fastavro.parse_schema(json.loads(message.value()))

    def __call__(self, value):
        assert value[:2] == b"\xc3\x01", value[:10]
        return fastavro.schemaless_reader(io.BytesIO(value[10:]), self.schemas[value[2:10]])


class Account:
    def __init__(self, bootstrap, store):
        self.problems, self.counts = [], {}
        decode = Decoder(bootstrap, "trial")
        produced = [(message.partition(), message.offset(), decode(message.value())) for message in outside.read_all(bootstrap, "ingest")]
        once = {(record["id"], record["n"]) for _, _, record in produced if fate(record["n"]) == "passes"}
        self.counts = {"produced": len(produced), "to pass": len(once)} | dict.fromkeys(("lost", "repeated", "out of order", "strange"), 0)
        self.decode, self.places = decode, {"middle": {}, "final": {}}
        for partition, offset, record in produced:
            if record["copy"] == 0:
                self.places["middle"][record["id"], record["n"]] = partition, offset
        for topic in ("middle", "final"):
            messages = outside.read_all(bootstrap, topic)
            if hidden := outside.behind_open_transactions(bootstrap, topic):
                self.problems.append(f"{topic}: behind a transaction that has not ended, by partition: {hidden}")
            records = [decode(message.value()) for message in messages]
            if topic == "middle":
                for message, record in zip(messages, records):
                    self.places["final"][record["id"], record["n"]] = message.partition(), message.offset()
            self.each_once(topic, once, [(record["id"], record["n"]) for record in records])
            self.in_order(topic, records)
            later = sum(record["copy"] != 0 for record in records)
            if later:
                self.problem("strange", later, f"{topic}: {later} passed as a later copy")
        letters = [decode(message.value()) for message in outside.read_all(bootstrap, "dead.first")]
        dead = {(partition, offset) for partition, offset, record in produced if fate(record["n"]) == "dead"}
        self.counts["dead"] = len(dead)
        self.each_once("dead.first", dead, [(letter["partition"], letter["offset"]) for letter in letters])
        with sqlite3.connect(store) as database:
            self.each_once("rows", once, database.execute("select id, n from events").fetchall())

    def origin(self, topic, value):
        """Where the record stood of which this one was made."""
        record = self.decode(value)
        return (record["partition"], record["offset"]) if topic.startswith("dead.") else self.places[topic][record["id"], record["n"]]

    def problem(self, kind, count, text):
        self.counts[kind] += count
        self.problems.append(text)

    def each_once(self, where, wanted, found):
        counts = collections.Counter(found)
        for kind, which in (("lost", wanted - counts.keys()), ("strange", counts.keys() - wanted),
                            ("repeated", {identity for identity, count in counts.items() if count > 1})):
            if which:
                self.problem(kind, len(which), f"{where}: {len(which)} {kind}: {sorted(which)[:5]}")

    def in_order(self, topic, records):
        last = {}
        wrong = 0
        for record in records:
            wrong += record["n"] < last.get(record["id"], -1)
            last[record["id"]] = record["n"]
        if wrong:
            self.problem("out of order", wrong, f"{topic}: {wrong} stand behind a later one of their key")
