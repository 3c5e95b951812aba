"""Answers for every record: reads topics by a client that is not ours (confluent-kafka, read_committed) and compares.

The records of a trial are {"id": "k17", "n": 1234}: n counts per key. What the two stages of TRIAL do to them stands in fate().
"""
import collections
import io

import confluent_kafka
import fastavro

INPUT = {"type": "record", "name": "Event", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "long"},
                                                       {"name": "pad", "type": "string"}]}

TRIAL = """pipeline: {name}
version: 1
schemas: {{event: event.avsc}}
topics:
  ingest: {{schema: event, key: id, partitions: {partitions}, replicas: {replicas}, keep: 24h}}
  middle: {{key: id, partitions: {partitions}, replicas: {replicas}, keep: 24h}}
  final: {{key: id, partitions: {partitions}, replicas: {replicas}, keep: 24h}}
stages:
  first:
    from: ingest
    steps:
      - drop: {{when: "n % 10 == 3"}}
      - reject: {{when: "n % 100 == 7", reason: seven}}
      - set: {{first_status: "'Done'"}}
    to: middle
  second:
    from: middle
    steps:
      - set: {{second_status: "'Done'"}}
    to: final
{more}
targets:
  kafka:
    log: {{kafka: "${{env:BROKERS}}"}}
    topics: {{replicas: {replicas}}}
    epoch: {{rows: {epoch_rows}, every: {epoch_every}}}
"""


def fate(n):
    if n % 10 == 3:
        return "dropped"
    return "dead" if n % 100 == 7 else "final"


def framed(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def read_all(bootstrap, topic):
    """Every committed record of a topic: (partition, offset, key, value), partition by partition in order."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "accountant", "isolation.level": "read_committed",
                                         "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    try:
        metadata = consumer.list_topics(topic, timeout=30).topics[topic]
        partitions = [confluent_kafka.TopicPartition(topic, p, 0) for p in metadata.partitions]
        consumer.assign(partitions)
        records, ended = [], set()
        while len(ended) < len(partitions):
            for message in consumer.consume(10_000, 1.0):
                if message.error():
                    if message.error().code() != confluent_kafka.KafkaError._PARTITION_EOF:
                        raise RuntimeError(str(message.error()))
                    ended.add(message.partition())
                else:
                    records.append((message.partition(), message.offset(), message.key(), message.value()))
        return records
    finally:
        consumer.close()


class Account:
    """What was put into `ingest` against what lies in `final` and in the dead letters."""

    def __init__(self, produced):
        self.produced = produced  # key -> how many, n from 0

    def differences(self, bootstrap, pipeline):
        problems = []
        expected = {(key, n): fate(n) for key, count in self.produced.items() for n in range(count)}
        found = collections.Counter()
        last = {}
        for partition, offset, key, value in read_all(bootstrap, "final"):
            # C3 01, the fingerprint, then the datum; the fields of the input come first.
            record = fastavro.schemaless_reader(io.BytesIO(value[10:]), INPUT)
            found[record["id"], record["n"]] += 1
            if record["n"] <= last.get(record["id"], -1):
                problems.append(f"out of order: {record['id']} {record['n']} after {last[record['id']]} at {partition}@{offset}")
            last[record["id"]] = record["n"]
        wanted = {identity for identity, end in expected.items() if end == "final"}
        lost = wanted - found.keys()
        repeated = [identity for identity, count in found.items() if count > 1]
        strange = found.keys() - wanted
        self.counts = {"produced": len(expected), "final": len(found), "lost": len(lost), "repeated": len(repeated), "strange": len(strange)}
        for name, which in (("lost", lost), ("repeated", repeated), ("not expected", strange)):
            if which:
                problems.append(f"{len(which)} {name}: {sorted(which)[:5]}")
        dead = sum(end == "dead" for end in expected.values())
        self.counts["dead"] = dead
        letters = len(read_all(bootstrap, "dead.first"))
        if letters != dead:
            problems.append(f"{letters} dead letters, expected {dead}")
        return problems
