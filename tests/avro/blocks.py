"""Datums written by hand: arrays and maps in any number of blocks, with and without the blocks' sizes in bytes."""
import struct

import generate
import recursive


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return varint(len(value)) + value


PLAIN = {"null": lambda _: b"", "boolean": lambda value: bytes([value]), "int": varint, "long": varint,
         "float": lambda value: struct.pack("<f", value), "double": lambda value: struct.pack("<d", value),
         "bytes": text, "string": text, "fixed": bytes}


class Writer:
    """Of values as generate.Generator makes them. Without `random`: one block each, as every library writes."""

    def __init__(self, schema, random=None):
        self.schema = schema
        self.random = random
        self.known = {generate.branch_name(one): one for one in recursive.definitions(schema, recursive.NAMED)}

    def datum(self, value):
        return self.write(self.schema, value)

    def write(self, schema, value):
        if isinstance(schema, list):
            index = [generate.branch_name(branch) for branch in schema].index(value[0])
            return varint(index) + self.write(schema[index], value[1])
        if isinstance(schema, str):
            schema = self.known.get(schema, schema)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("record", "error"):
            return b"".join(self.write(field["type"], value[field["name"]]) for field in schema["fields"])
        if kind == "enum":
            return varint(schema["symbols"].index(value))
        if kind == "array":
            return self.blocks([self.write(schema["items"], item) for item in value])
        if kind == "map":
            items = [text(key) + self.write(schema["values"], item) for key, item in value.items()]
            return self.blocks(self.with_former(schema, value) + items)
        return PLAIN[kind](value)

    def with_former(self, schema, value):
        """At times a key that comes again: the later value counts."""
        if not value or self.random is None or self.random.random() < 0.8:
            return []
        return [text(next(reversed(value))) + self.write(schema["values"], next(iter(value.values())))]

    def blocks(self, items):
        out = b""
        while items:
            count = self.random.randint(1, len(items)) if self.random else len(items)
            block, items = b"".join(items[:count]), items[count:]
            sized = self.random is not None and self.random.random() < 0.5
            out += (varint(-count) + varint(len(block)) if sized else varint(count)) + block
        return out + b"\0"
