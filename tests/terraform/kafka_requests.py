"""What a Kafka request names: read by Kafka's own descriptions of its messages, which lie in its jar.

    requests = Descriptions(jar)
    asked = requests.request(frame)          # asked.api "TxnOffsetCommit", asked.names {"topicName": {"in"}, "groupId": {"p.stage"}, …}
    requests.answer(frame, asked)            # the fields of the answer, as dicts and lists

A frame is what goes over the wire: size, api key, api version, correlation id, …
"""
import dataclasses
import json
import re
import struct
import uuid
import zipfile

NUMBERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d", "bool": ">?"}
COMMENT = re.compile(r"^\s*//.*$", re.M)


@dataclasses.dataclass
class Asked:
    api: str
    key: int
    version: int
    correlation: int
    names: dict  # entity type (topicName, groupId, transactionalId), and "topicId" -> set of values
    fields: dict


def within(versions, version):
    """"3+", "0-5", "4", "none"."""
    if versions in (None, "none"):
        return False
    low, _, high = versions.partition("-")
    if versions.endswith("+"):
        return version >= int(versions[:-1])
    return int(low) <= version <= int(high or low)


class Reader:
    def __init__(self, data, version, flexible, structs, names):
        self.data, self.at, self.version, self.flexible = data, 0, version, flexible
        self.structs, self.names = structs, names

    def take(self, count):
        self.at += count
        if self.at > len(self.data):
            raise ValueError("the message ends too early")
        return self.data[self.at - count:self.at]

    def number(self, kind):
        return struct.unpack(NUMBERS[kind], self.take(struct.calcsize(NUMBERS[kind])))[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def length(self, kind="int32"):
        """-1 is null."""
        return self.varint() - 1 if self.flexible else self.number(kind)

    def tags(self):
        for _ in range(self.varint() if self.flexible else 0):
            self.varint()
            self.take(self.varint())

    def value(self, kind, field, one_of_many=False):
        if kind.startswith("[]"):
            count = self.length()
            return None if count < 0 else [self.value(kind[2:], field, True) for _ in range(count)]
        if kind in NUMBERS:
            return self.number(kind)
        if kind == "uuid":
            value = uuid.UUID(bytes=self.take(16))
            if field["name"].lower().startswith("topicid") and value.int:
                self.names.setdefault("topicId", set()).add(value)
            return value
        if kind in ("string", "bytes", "records"):
            count = self.length("int16" if kind == "string" else "int32")
            value = None if count < 0 else self.take(count)
            if kind == "string" and value is not None:
                value = value.decode()
                if value and "entityType" in field:
                    self.names.setdefault(field["entityType"], set()).add(value)
            return value
        if not one_of_many and within(field.get("nullableVersions"), self.version) and self.number("int8") < 0:
            return None
        return self.fields(field.get("fields") or self.structs[kind])

    def fields(self, fields):
        values = {}
        for field in fields:
            if not within(field["versions"], self.version) or within(field.get("taggedVersions"), self.version):
                continue
            values[field["name"]] = self.value(field["type"], field)
        self.tags()
        return values


class Descriptions:
    def __init__(self, jar):
        self.of = {}
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if re.fullmatch(r"common/message/\w+(Request|Response)\.json", name):
                    told = json.loads(COMMENT.sub("", archive.read(name).decode()))
                    self.of[told["apiKey"], told["type"]] = told

    def read(self, described, data, version):
        names = {}
        structs = {one["name"]: one["fields"] for one in described.get("commonStructs", [])}
        self.collect(described["fields"], structs)
        flexible = within(described["flexibleVersions"], version)
        reader = Reader(data, version, flexible, structs, names)
        return reader.fields(described["fields"]), names

    def collect(self, fields, structs):
        """A struct's fields stand where it is named first."""
        for field in fields:
            if "fields" in field:
                structs.setdefault(field["type"].removeprefix("[]"), field["fields"])
                self.collect(field["fields"], structs)

    def request(self, frame):
        key, version, correlation, size = struct.unpack(">hhih", frame[4:14])
        described = self.of[key, "request"]
        body = frame[14 + max(size, 0):]
        if within(described["flexibleVersions"], version):
            header = Reader(body, version, True, {}, {})
            header.tags()
            body = body[header.at:]
        fields, names = self.read(described, body, version)
        return Asked(described["name"].removesuffix("Request"), key, version, correlation, names, fields)

    def answer(self, frame, asked):
        described = self.of[asked.key, "response"]
        body = frame[8:]
        if within(described["flexibleVersions"], asked.version) and asked.api != "ApiVersions":
            header = Reader(body, asked.version, True, {}, {})
            header.tags()
            body = body[header.at:]
        return self.read(described, body, asked.version)[0]
