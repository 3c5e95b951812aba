#!/usr/bin/env python3
"""All framings in one stream, both ways, with Confluent's and AWS's own serializers; hostile bytes; a flood of strange ids.

usage: framings.py --raw-records PROGRAM [--apicurio]
"""
import argparse
import collections
import io
import json
import pathlib
import sys
import tempfile
import uuid
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
sys.path.insert(0, str(HERE))

import fastavro  # noqa: E402
import place  # noqa: E402
from aws_schema_registry import DataAndSchema  # noqa: E402
from aws_schema_registry.serde import KafkaDeserializer, KafkaSerializer  # noqa: E402
from aws_schema_registry.avro import AvroSchema  # noqa: E402
from aws_schema_registry.codec import encode  # noqa: E402
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer  # noqa: E402
from confluent_kafka.schema_registry.serde import SchemaId  # noqa: E402
from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: E402
from pipeline_fixture import check, look, penstock  # noqa: E402
from registry_double import RegistryDouble  # noqa: E402

VALUE = SerializationContext("ingest", MessageField.VALUE)
STRANGE = 300  # ids that nobody knows, three records each


def datum(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def fingerprint(schema):
    return bytes.fromhex(fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def confluent_value(at, schema, record):
    return AvroSerializer(at.registry, json.dumps(schema))(record, VALUE)


def glue_values(at, record):
    """One as AWS's serializer makes it, one that its codec compresses."""
    plain = KafkaSerializer(at.glue).serialize("ingest", DataAndSchema(record("glue"), AvroSchema(json.dumps(place.READING))))
    version = uuid.UUID(bytes=plain[2:18])
    return [plain, encode(datum(place.READING, record("zlib")), version, compression=True)]


def referring_value(double, record):
    """By a schema that uses a name which another subject defines."""
    site = {"type": "record", "name": "Site", "namespace": "common", "fields": [{"name": "code", "type": "int"}]}
    text = {**place.READING, "fields": place.READING["fields"] + [{"name": "at", "type": "common.Site"}]}
    double.put("common.Site", json.dumps(site))
    number = double.put("refers-value", json.dumps(text), [{"name": "common.Site", "subject": "common.Site", "version": 1}])
    whole = {**text, "fields": text["fields"][:-1] + [{"name": "at", "type": site}]}
    return b"\x00" + number.to_bytes(4, "big") + datum(whole, record | {"at": {"code": 7}})


def good_values(at, double):
    def record(name, kwh=2.5):
        return {"id": name, "kwh": kwh}

    values = [confluent_value(at, place.OLDER, record("older", 2)), confluent_value(at, place.READING, record("plain"))]
    values.append(confluent_value(at, place.NEWER, record("newer") | {"site": "s1"}))
    values += glue_values(at, record)
    values.append(b"\xc3\x01" + fingerprint(place.READING) + datum(place.READING, record("single")))
    values.append(datum(place.READING, record("bare")))
    if double is not None:
        guid = double.definitions[double.put("by-guid", json.dumps(place.NEWER))][1]
        values.append(SchemaId("AVRO", guid=guid).guid_to_bytes() + datum(place.NEWER, record("guid") | {"site": None}))
        values.append(referring_value(double, record("refers")))
    names = ["older", "plain", "newer", "glue", "zlib", "single", "bare"] + (["guid", "refers"] if double is not None else [])
    return names, values


def hostile_values(double):
    """Name of the reason -> values."""
    version = next(iter(double.glue_versions))
    glue = b"\x03\x05" + uuid.UUID(version).bytes
    json_id = double.put("json", '{"type": "object"}', kind="JSON")
    return {
        "avro.compressed": [glue + b"no zlib", glue + zlib.compress(bytes(10_000_000))],
        "avro.unknown_schema": [b"\x00" + number.to_bytes(4, "big") + b"x" for number in (json_id, 2**31, 2**32 - 1)]
        + [b"\x01" + bytes(16) + b"x", b"\x03\x00" + bytes(16) + b"x", b"\xc3\x01" + bytes(8) + b"x"]
        + [b"\x00" + (1_000_000 + number % STRANGE).to_bytes(4, "big") + b"x" for number in range(3 * STRANGE)],
    }


def rows_of(at):
    lines = [json.loads(line) for line in penstock("tail", at.folder, "rows", "-o", "json").splitlines()]
    return {row["id"]: row for row in lines}


def reasons_of(at):
    return collections.Counter(letter["reason"] for letter in look("dead", at.folder, "-n", "-1")["letters"])


def read_by_others(at, program, names, guids):
    want = {name: 8.0 if name == "older" else 10.0 for name in names}
    deserialize = AvroDeserializer(at.registry)
    for topic in ("clean", "guids") if guids else ("clean",):
        theirs = [deserialize(value, SerializationContext(topic, MessageField.VALUE)) for value in at.records(program, topic)]
        check({one["id"]: one["kw"] for one in theirs} == want, f"Confluent's deserializer reads all of {topic}")
    values = at.records(program, "glued")
    theirs = [KafkaDeserializer(at.glue).deserialize("glued", value).data for value in values]
    check({one["id"]: one["kw"] for one in theirs} == want, "AWS's deserializer reads all of glued")
    first = {topic: {value[0] for value in at.records(program, topic)} for topic in ("clean", "guids", "glued")}
    check(first == {"clean": {0}, "guids": {1 if guids else 0}, "glued": {3}}, f"each topic has its own framing: {first}")


def flood(at, double):
    hostile = hostile_values(double)
    double.asked.clear()
    at.send_raw([value for values in hostile.values() for value in values])
    penstock("run", at.folder, "--until-idle")
    reasons = reasons_of(at)
    wanted = {reason: len(values) for reason, values in hostile.items()}
    check(reasons == wanted, f"hostile values are dead letters, with their reason: {dict(reasons)}")
    most = max(count for what, count in double.asked.items() if "/schemas/" in what)
    asked = sum(1 for what in double.asked if what.startswith("GET /schemas/ids/1000"))
    check(most == 1 and asked == STRANGE and double.asked["GetSchemaVersion"] == 2, f"{STRANGE} strange ids in {3 * STRANGE} records: one request each ({asked}, {double.asked.most_common(2)})")


def all_ways(at, program, double):
    says = penstock("plan", at.folder)
    check("will be registered" in says and "is there" not in says, "plan says what a deploy will register")
    penstock("apply", at.folder)
    says = penstock("plan", at.folder)
    check("is there: id" in says and "will be registered" not in says, "after apply it is there")
    names, values = good_values(at, double)
    at.send_raw(values)
    penstock("run", at.folder, "--until-idle")
    rows = rows_of(at)
    check(sorted(rows) == sorted(names), f"every framing is read: {sorted(rows)}")
    check(all(row["kw"] == 4 * row["kwh"] for row in rows.values()), "by its own schema")
    read_by_others(at, program, names, double is not None)
    shown = penstock("tail", at.folder, "clean", "-o", "json")
    check('"kw":10' in shown and "undecodable" not in shown, "tail shows them")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--raw-records", required=True)
    options.add_argument("--apicurio", action="store_true")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, RegistryDouble(place.LOGIN) as double:
        if options.apicurio:
            from apicurio import Apicurio
            with Apicurio() as registry:
                at = place.Place(pathlib.Path(folder) / "p", registry.url, double.url, login=None, guids="confluent")
                all_ways(at, options.raw_records, None)
            return
        at = place.Place(pathlib.Path(folder) / "p", double.url, double.url)
        all_ways(at, options.raw_records, double)
        check(look("verify", at.folder) is not None, "the fates add up")
        flood(at, double)


if __name__ == "__main__":
    main()
