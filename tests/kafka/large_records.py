#!/usr/bin/env python3
"""Records larger than their topics allow: each is a dead letter with its bytes, the others flow; limits that change are followed.

One broker. What another program wrote is compared with what another program reads.
"""
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import confluent_kafka  # noqa: E402
import fastavro  # noqa: E402
import outside  # noqa: E402
from broker import Broker  # noqa: E402
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402
from pipeline_fixture import check  # noqa: E402

NOTE = {"type": "record", "name": "Note", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "int"}, {"name": "text", "type": "string"}]}
COPY = NOTE | {"fields": [*NOTE["fields"], {"name": "again", "type": ["null", "string"]}]}
LETTER = {"type": "record", "name": "Letter", "fields": [
    *({"name": name, "type": "string"} for name in ("stage", "topic", "lineage")), {"name": "partition", "type": "int"},
    {"name": "offset", "type": "long"}, *({"name": name, "type": "string"} for name in ("step", "reason", "detail")),
    {"name": "timestamp", "type": "long"}, {"name": "key", "type": ["null", "bytes"]}, {"name": "value", "type": ["null", "bytes"]}]}
PIPELINE = """\
pipeline: notes
version: 1
schemas: {note: note.avsc}
topics:
  written: {schema: note, framing: bare, key: id, partitions: 3}
  copied: {framing: bare, key: id, partitions: 3}
stages:
  copy:
    from: written
    steps:
      - set: {again: text}
    to: copied
targets:
  kafka: {log: {kafka: "${env:BROKERS}"}, topics: {replicas: 1}}
"""
KEYS, PATIENCE = 7, 60


class Trial:
    def __init__(self, broker, folder):
        self.broker, self.folder = broker, folder
        self.environment = {"BROKERS": broker.bootstrap}
        self.admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        self.producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap})
        self.written, self.told = [], 0

    def call(self, verb, *words):
        return subprocess.run([os.environ["PENSTOCK_BINARY"], verb, self.folder, "-t", "kafka", "--data", self.folder / "data", *words],
                              check=False, capture_output=True, text=True, env=os.environ | self.environment)

    def limit(self, topic, bytes_=None):
        """Sets max.message.bytes and waits until the broker keeps to it; or asks for it."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        if bytes_ is not None:
            resource.add_incremental_config(ConfigEntry("max.message.bytes", str(bytes_), incremental_operation=AlterConfigOpType.SET))
            self.admin.incremental_alter_configs([resource])[resource].result(30)
            wait_until(lambda: self.limit(topic) == bytes_, PATIENCE)
            self.told += 1  # the broker takes things up in their order: a topic made after it is there when the limit holds
            name = f"told-{self.told}"
            self.admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)
            wait_until(lambda: name in self.admin.list_topics(timeout=30).topics, PATIENCE)
            return bytes_
        return int(self.admin.describe_configs([resource])[resource].result(30)["max.message.bytes"].value)

    def write(self, *sizes):
        """One note for each size, keys in turns."""
        for size in sizes:
            n = len(self.written)
            note = {"id": f"k{n % KEYS}", "n": n, "text": "x" * size}
            value = io.BytesIO()
            fastavro.schemaless_writer(value, NOTE, note)
            self.written.append((note, value.getvalue()))
            self.producer.produce("written", value.getvalue(), key=note["id"])
        check(self.producer.flush(60) == 0, f"{len(sizes)} notes are written, {len(self.written)} in all")

    def copies(self):
        return [(message.key().decode(), fastavro.schemaless_reader(io.BytesIO(message.value()), COPY))
                for message in outside.read_all(self.broker.bootstrap, "copied")]

    def letters(self):
        return [fastavro.schemaless_reader(io.BytesIO(message.value()[10:]), LETTER)
                for message in outside.read_all(self.broker.bootstrap, "dead.copy")]

    def account(self, dead):
        """Every note is copied, in its key's order, but for those of these numbers, which are dead letters with their bytes."""
        copies, letters = self.copies(), self.letters()
        for key in (f"k{k}" for k in range(KEYS)):
            wanted = [note | {"again": note["text"]} for note, _ in self.written if note["id"] == key and note["n"] not in dead]
            check([copy for its, copy in copies if its == key] == wanted, f"{key}: its {len(wanted)} small notes are copied once, in order")
        check(sorted(letter["value"] for letter in letters) == sorted(self.written[n][1] for n in dead),
              f"the {len(dead)} large ones are dead letters, with the bytes that came")
        check({letter["reason"] for letter in letters} == {"record.too_large"}, "and their reason is record.too_large")
        return letters


def main():
    with tempfile.TemporaryDirectory() as temporary, Broker() as broker:
        folder = pathlib.Path(temporary)
        (folder / "pipeline.yaml").write_text(PIPELINE)
        (folder / "note.avsc").write_text(json.dumps(NOTE))
        trial = Trial(broker, folder)
        made = trial.admin.create_topics([NewTopic("copied", 3, 1, config={"max.message.bytes": "3000"})])
        made["copied"].result(30)
        applied = trial.call("apply")
        check(applied.returncode == 0, f"apply makes the other topics {applied.stderr}")
        check(trial.limit("dead.copy") > trial.limit("written"), "dead letters may be larger than what they come from")
        worker = Process(folder, "run", ["run", folder, "-t", "kafka", "--data", folder / "data"], trial.environment)
        flows(trial, worker)
        limit_lowered(trial, worker)
        letter_too_large(trial, worker)
        refused_at_the_door(trial)
        worker.signal(15)
        check(worker.wait(30) == 0, "SIGTERM drains, exit 0")


def done(trial, worker):
    if not wait_until(lambda: worker.metric("records_committed_total") == len(trial.written), PATIENCE):
        sys.exit(f"FAILED: not all was read\n{worker.told()}")


def flows(trial, worker):
    trial.write(*([20, 700, 2000, 50, 1400] * 60))
    done(trial, worker)
    large = [n for n in range(300) if n % 5 == 2]
    for letter in trial.account(large):
        n = next(n for n in large if trial.written[n][1] == letter["value"])
        again = io.BytesIO()
        fastavro.schemaless_writer(again, COPY, trial.written[n][0] | {"again": trial.written[n][0]["text"]})
        # A batch's header; of its record: length, attributes, two differences, key and value with their lengths, count of headers.
        bytes_ = 61 + 2 + 1 + 2 + 1 + len(letter["key"]) + 2 + len(again.getvalue()) + 1
        check(letter["detail"] == f"{bytes_} bytes, copied takes 3000 (E005)", f"note {n}: {letter['detail']}")
    check(worker.metric("commit_aborts_total") == 0, "no epoch had to be given up for it")


def limit_lowered(trial, worker):
    trial.limit("copied", 1000)
    before = set(range(len(trial.written)))
    trial.write(*([20, 700, 30] * 20))
    done(trial, worker)
    trial.account([n for n in before if n % 5 == 2] + [n for n in range(300, 360) if n % 3 == 1])
    aborts = worker.metric("commit_aborts_total")
    check(aborts <= 10, f"the limit was lowered while it ran: {aborts:.0f} epochs were given up for it, and all is accounted for")


def letter_too_large(trial, worker):
    before = len(trial.letters())
    trial.limit("dead.copy", 1500)
    trial.write(20, 2000, 30)
    told = wait_until(lambda: "E006" in worker.output(), PATIENCE)
    check(told, f"a dead letter that its topic does not take: the stage says so {worker.told() if not told else ''}")
    check(len(trial.letters()) == before, "and nothing is written of it")
    aborts = worker.metric("commit_aborts_total")
    trial.limit("dead.copy", 5000)
    done(trial, worker)
    check(len(trial.letters()) == before + 1, "it goes on by itself when the limit was raised")
    check(worker.metric("commit_aborts_total") <= aborts + 10, "and was never busy with waiting")


def refused_at_the_door(trial):
    trial.limit("written", 500)
    before = len(outside.read_all(trial.broker.bootstrap, "written"))
    file = trial.folder / "notes.jsonl"
    file.write_text("".join(json.dumps({"id": "k0", "n": n, "text": "y" * size}) + "\n" for n, size in enumerate((10, 600, 10))))
    sent = trial.call("send", "--to", "written", file)
    check(sent.returncode == 1 and "E005" in sent.stderr and "notes.jsonl:2" in sent.stderr, f"send names the line that is too large: {sent.stderr}")
    after = [message.value() for message in outside.read_all(trial.broker.bootstrap, "written")]
    check(not any(b"y" * 600 in value for value in after) and len(after) <= before + 1, "and has sent neither that line nor one behind it")


if __name__ == "__main__":
    main()
