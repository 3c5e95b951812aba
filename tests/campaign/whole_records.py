"""What every record of the meters pipeline must be, byte for byte, in every topic; and in every row; and whether it is.

Nothing here asks penstock: framing, fingerprints and datums are made anew from the Avro specification. Of each key the
records must stand in one partition, in the order in which they were sent.
"""
import collections
import csv
import datetime
import json
import sqlite3
import struct
import subprocess

READING_FIELDS = [("meter_id", "string"), ("at", "long"), ("kwh", "double"), ("kvarh", "double")]
DEAD_FIELDS = [("stage", "string"), ("topic", "string"), ("lineage", "string"), ("partition", "int"), ("offset", "long"),
               ("step", "string"), ("reason", "string"), ("detail", "string"), ("timestamp", "long"),
               ("key", ["null", "bytes"]), ("value", ["null", "bytes"])]


def added(*names):
    """Fields that a stage adds: nullable in the topic."""
    return [(name, ["null", "double" if name == "kw" else "string"]) for name in names]


PREPROCESSED_FIELDS = READING_FIELDS + added("preprocessing_status")
USAGE_FIELDS = PREPROCESSED_FIELDS + added("tenant", "site", "tariff", "kw", "processing_status")


def canonical(name, fields):
    """The Parsing Canonical Form of a record of simple fields."""
    parts = [{"name": field, "type": kind} for field, kind in fields]
    return json.dumps({"name": name, "type": "record", "fields": parts}, separators=(",", ":"))


def fingerprint(text):
    """CRC-64-AVRO, little-endian as single-object framing has it."""
    empty = value = 0xC15D213AA4D7A795
    for byte in text.encode():
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (empty if value & 1 else 0)
    return value.to_bytes(8, "little")


def header(name, fields):
    return b"\xc3\x01" + fingerprint(canonical(name, fields))


READING = header("energy.Reading", READING_FIELDS)
PREPROCESSED = header("energy.Reading", PREPROCESSED_FIELDS)
USAGE = header("energy.Reading", USAGE_FIELDS)
DEAD = header("penstock.DeadLetter", DEAD_FIELDS)


def zigzag(number):
    """Avro's long."""
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def text(value):
    return zigzag(len(value.encode())) + value.encode()


def present(datum):
    """The second branch of a union with null."""
    return b"\2" + datum


def reading_bytes(row):
    """The datum that a row of the csv becomes."""
    meter, at, kwh, kvarh = row
    millis = int(datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()) * 1000
    return text(meter) + zigzag(millis) + struct.pack("<dd", float(kwh), float(kvarh))


def ingest_value(row):
    return READING + reading_bytes(row)


def preprocessed_value(row):
    return PREPROCESSED + reading_bytes(row) + present(text("Done"))


def usage_value(row, meter):
    appended = [text("Done"), *(text(meter[name]) for name in ("tenant", "site", "tariff")),
                struct.pack("<d", float(row[2]) * 4.0), text("Done")]
    return USAGE + reading_bytes(row) + b"".join(map(present, appended))


def table_row(row, meter):
    at = row[1].replace("Z", ".000Z")
    return (row[0], at, float(row[2]), float(row[3]), "Done", meter["tenant"], meter["site"], meter["tariff"],
            float(row[2]) * 4.0, "Done", "Done")


class Expected:
    """Topic → key → values in order; broken records, which were sent beside, as a count of (key, value)."""

    def __init__(self, meters_csv):
        with open(meters_csv, newline="") as file:
            self.meters = {row["meter_id"]: row for row in csv.DictReader(file)}
        self.topics = collections.defaultdict(lambda: collections.defaultdict(list))
        self.broken = collections.Counter()
        self.letters = collections.Counter()  # (stage, topic, reason, key, value)
        self.rows = []
        self.counts = {"dropped": 0, "absorbed": 0}

    def sent(self, row, becomes):
        """A row that stands in the csv. `becomes`: "row", "again", "dropped" or the reason of a dead letter."""
        key = row[0].encode()
        self.topics["ingest"][key].append(ingest_value(row))
        self.counts["dropped"] += becomes == "dropped"
        self.counts["absorbed"] += becomes == "again"
        if becomes == "implausible":
            self.letters["preprocessing", "ingest", becomes, key, ingest_value(row)] += 1
        if becomes in ("row", "join.no_match"):
            self.topics["preprocessed"][key].append(preprocessed_value(row))
        if becomes == "join.no_match":
            self.letters["processing", "preprocessed", becomes, key, preprocessed_value(row)] += 1
        if becomes == "row":
            self.rows.append(table_row(row, self.meters[row[0]]))
            meter = self.meters[row[0]]
            self.topics[f"usage.{meter['tenant']}"][key].append(usage_value(row, meter))

    def sent_broken(self, key, value):
        self.broken[key.encode(), value] += 1
        self.letters["preprocessing", "ingest", "broken", key.encode(), value] += 1


class Datum:
    """Reads a dead letter's fields."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def long(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)

    def bytes(self):
        size = self.long()
        self.at += size
        return self.data[self.at - size:self.at]

    def field(self, kind):
        if isinstance(kind, list):
            return self.bytes() if self.long() == 1 else None
        return self.bytes() if kind == "string" else self.long()


def records_of(program, data):
    """Topic → [(partition, offset, key, value)], in order of partition and offset."""
    done = subprocess.run([program, str(data / "log")], capture_output=True, text=True, check=True)
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        key, value = (None if record[name] is None else bytes.fromhex(record[name]) for name in ("key", "value"))
        found[record["topic"]].append((record["partition"], record["offset"], key, value))
    return found


def dead_letter(value):
    """The fields of a dead letter's record, or None where it is none."""
    if not value.startswith(DEAD):
        return None
    datum = Datum(value[len(DEAD):])
    letter = {name: datum.field(kind) for name, kind in DEAD_FIELDS}
    return letter if datum.at == len(datum.data) else None


def problems(program, data, expected):
    """Everything in the topics that is not as expected; a list of texts."""
    found = records_of(program, data)
    out = []
    for topic, records in found.items():
        out += gaps(topic, records)
        if not topic.startswith("dead."):
            out += topic_problems(topic, records, expected)
    out += [f"{topic}: no records" for topic in expected.topics if topic not in found]
    return out + letter_problems(found, expected) + row_problems(data, expected)


def row_problems(data, expected):
    """Every column of every row: all readings in one store, each meter's newest in the other."""
    newest = {row[0]: row for row in sorted(expected.rows, key=lambda row: row[1])}
    out = []
    for store, table, wanted in (("warehouse", "readings", expected.rows), ("latest", "meter_latest", newest.values())):
        with sqlite3.connect(data / "stores" / f"{store}.sqlite") as database:
            found = collections.Counter(database.execute(f"select * from {table}"))
        if found != collections.Counter(wanted):
            out.append(f"{table}: {found.total()} rows, expected {len(wanted)}, or others: "
                       f"{list(found - collections.Counter(wanted))[:1]}")
    return out


def gaps(topic, records):
    """Offsets without a gap or a repeat."""
    following = collections.Counter()
    out = []
    for partition, offset, _, _ in records:
        if offset != following[partition]:
            out.append(f"{topic}/{partition}: offset {offset} where {following[partition]} must be")
        following[partition] = offset + 1
    return out


def topic_problems(topic, records, expected):
    values, places, broken = collections.defaultdict(list), collections.defaultdict(set), collections.Counter()
    for partition, _, key, value in records:
        places[key].add(partition)
        if topic == "ingest" and (key, value) in expected.broken:
            broken[key, value] += 1
        else:
            values[key].append(value)
    out = [f"{topic}: key {key} in partitions {where}" for key, where in places.items() if len(where) > 1]
    if topic == "ingest" and broken != expected.broken:
        out.append(f"{topic}: {broken.total()} broken records, expected {expected.broken.total()}, or others")
    wanted = expected.topics[topic]
    for key in sorted(values.keys() | wanted.keys(), key=str):
        if values[key] != wanted[key]:
            out.append(f"{topic}: key {key}: {difference(values[key], wanted[key])}")
    return out


def difference(found, wanted):
    for at, (one, other) in enumerate(zip(found, wanted)):
        if one != other:
            return f"record {at} of {len(wanted)} is {one.hex()}, expected {other.hex()}"
    return f"{len(found)} records, expected {len(wanted)}"


def letter_problems(found, expected):
    """A log's stage: each dead letter exactly once, and it is the record of the place that it names."""
    at_place = {(topic, partition, offset): (key, value)
                for topic, records in found.items() for partition, offset, key, value in records}
    letters, out = collections.Counter(), []
    for topic, records in found.items():
        if not topic.startswith("dead."):
            continue
        for partition, offset, _, value in records:
            letter = dead_letter(value)
            if letter is None:
                out.append(f"{topic}/{partition}@{offset}: no dead letter: {value.hex()}")
                continue
            stage, source, reason = (letter[name].decode() for name in ("stage", "topic", "reason"))
            if topic != f"dead.{stage}":
                out.append(f"{topic}/{partition}@{offset}: of stage {stage}")
            if at_place.get((source, letter["partition"], letter["offset"])) != (letter["key"], letter["value"]):
                out.append(f"{topic}/{partition}@{offset}: other bytes than {source}/{letter['partition']}@{letter['offset']}")
            known = reason if reason in ("implausible", "join.no_match") else "broken"
            letters[stage, source, known, letter["key"], letter["value"]] += 1
    if letters != expected.letters:
        more, less = letters - expected.letters, expected.letters - letters
        out.append(f"dead letters: {letters.total()}, expected {expected.letters.total()}; "
                   f"{more.total()} too many {list(more)[:2]}, {less.total()} missing {list(less)[:2]}")
    return out
