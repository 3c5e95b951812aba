"""Our answers beside fastavro's."""
import datetime
import decimal
import math
import struct
import uuid

import generate
import logical
import recursive

BYTES_DEFAULT = "fastavro gives a default of bytes as text; the specification: its code points are the bytes"
FIRST_BRANCH = ("fastavro takes a union's first branch that promotion allows; we take the writer's own type where the "
                "union has it, as Apache's Java does: no precision is lost "
                "(docs/decisions/0005-reader-union-branch.md)")
WRITERS_LOGICAL = ("fastavro gives a value by the writer's logical type, a default as it stands; the value is the reader's: "
                   "ours is what fastavro itself gives for the resolved datum")
OUTSIDE_PYTHON = ("Python's dates have the years 1 to 9999 and its days end at midnight: fastavro refuses, or wraps around; "
                  "a datum of the base type is whole, we write its number")
NOT_A_UUID = "the peer refuses a text that is no uuid; a datum of the base type is whole"
DIGITS = ("fastavro rounds a decimal that has more digits than its precision; we write the digits that are there, "
          "and refuse them where they are read")
OUTSIDE_YEARS = "we write the number of a date outside of the years 1 to 9999, and of a time outside of its day"
SHORT_UUID = "Java makes a uuid of text with too few digits; a datum of the base type is whole, we write it as it is"
UNKNOWN_TO_PEER = "fastavro does not know nanoseconds, a fixed uuid, duration: its value of the base type is what we compare with"


PRINTED = {"array": list, "map": dict, "boolean": bool}  # the others are text and whole numbers


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


def real(value):
    return float(value.replace("Infinity", "inf") if isinstance(value, str) else value)


def is_real(printed):
    return type(printed) in (int, float) or printed in ("NaN", "Infinity", "-Infinity")


def same_real(ours, theirs):
    return (math.isnan(ours) and math.isnan(theirs)) or ours == theirs


class Comparison:
    """Our tagged JSON beside fastavro's Python value, under the reader's schema; remembers what it had to excuse."""

    def __init__(self, schema):
        self.excuses = set()
        self.known = {generate.branch_name(one): one for one in recursive.definitions(schema, recursive.NAMED)}

    def meant(self, schema):
        """What a name stands for."""
        return self.known.get(schema, schema) if isinstance(schema, str) else schema

    def equal(self, schema, ours, theirs, default=False):
        if isinstance(schema, list):
            return self.union(schema, ours, theirs, default)
        schema = self.meant(schema)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("bytes", "fixed"):
            if default and theirs == ours:
                self.excuses.add(BYTES_DEFAULT)
                return True
            return theirs == ours.encode("latin-1")
        if kind == "double":
            return isinstance(theirs, (int, float)) and same_real(real(ours), float(theirs))
        if kind == "float":
            return isinstance(theirs, (int, float)) and same_real(single(real(ours)), single(float(theirs)))
        if kind == "record":
            return (list(ours) == [f["name"] for f in schema["fields"]] and theirs.keys() == ours.keys() and
                    all(self.equal(f["type"], ours[f["name"]], theirs[f["name"]], "default" in f)
                        for f in schema["fields"]))
        if kind == "array":
            return len(ours) == len(theirs) and all(self.equal(schema["items"], *pair) for pair in zip(ours, theirs))
        if kind == "map":
            return ours.keys() == theirs.keys() and all(self.equal(schema["values"], ours[k], theirs[k]) for k in ours)
        return type(ours) is type(theirs) and ours == theirs

    def union(self, schema, ours, theirs, default):
        if ours is None:
            return theirs is None
        (tag, inner), = ours.items()
        index = [generate.branch_name(b) for b in schema].index(tag)
        if self.equal(schema[index], inner, theirs, default):
            return True
        for promoted in schema[:index]:
            if (tag, promoted) in generate.PROMOTIONS and self.promoted(tag, promoted, inner, theirs):
                self.excuses.add(FIRST_BRANCH)
                return True
        return False

    @staticmethod
    def promoted(tag, to, ours, theirs):
        if tag == "string":
            return theirs == ours.encode()
        if tag == "bytes":
            return theirs == ours.encode("latin-1").decode(errors="replace")
        return isinstance(theirs, (int, float)) and same_real(single(real(ours)), single(float(theirs)))


class Printed(Comparison):
    """Our text for people beside fastavro's value. `theirs` is None where fastavro could not give any."""

    def equal(self, schema, ours, theirs, default=False):
        if logical.counts(schema):
            return self.logical(schema, schema["logicalType"], ours, theirs)
        return super().equal(schema, ours, theirs, default)

    def union(self, schema, ours, theirs, default):
        return any(self.equal(branch, ours, theirs, default) for branch in schema if self.could_be(branch, ours))

    def could_be(self, schema, printed):
        schema = self.meant(schema)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "null" or printed is None:
            return kind == "null" and printed is None
        if kind == "record":
            return isinstance(printed, dict) and list(printed) == [field["name"] for field in schema["fields"]]
        if kind in ("float", "double"):
            return is_real(printed)
        return isinstance(printed, PRINTED.get(kind, (str, int))) and isinstance(printed, bool) == (kind == "boolean")

    def logical(self, schema, kind, ours, theirs):
        if kind == "decimal":
            return isinstance(theirs, decimal.Decimal) and self.same_decimal(schema, decimal.Decimal(ours), theirs)
        if kind == "uuid" and schema["type"] == "string":
            return isinstance(theirs, uuid.UUID) and uuid.UUID(ours) == theirs
        if kind == "duration" or kind.endswith("nanos") or kind == "uuid":
            self.excuses.add(UNKNOWN_TO_PEER)
            return self.same_as_base(kind, ours, theirs)
        if isinstance(ours, int):
            self.excuses.add(OUTSIDE_PYTHON)
            return not representable(kind, ours)
        if kind == "date":
            return type(theirs) is datetime.date and ours == theirs.isoformat()
        if kind.startswith("time-"):
            return isinstance(theirs, datetime.time) and datetime.time.fromisoformat(ours) == theirs
        return isinstance(theirs, datetime.datetime) and datetime.datetime.fromisoformat(ours) == theirs

    def same_decimal(self, schema, ours, theirs):
        with decimal.localcontext(prec=schema["precision"]) as context:
            if len(ours.as_tuple().digits) > schema["precision"]:
                self.excuses.add(DIGITS)
            return context.plus(ours) == theirs

    @staticmethod
    def same_as_base(kind, ours, theirs):
        if kind == "duration":
            return ours.encode("latin-1") == theirs
        if kind == "uuid":
            return uuid.UUID(ours).bytes == theirs
        if isinstance(ours, int):
            return ours == theirs and not representable(kind, ours)
        whole, _, fraction = ours.rstrip("Z").partition(".")
        at = datetime.datetime.fromisoformat(whole) - datetime.datetime(1970, 1, 1)
        nanos = (at.days * logical.DAY_SECONDS + at.seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)
        return nanos == theirs and ours.endswith("Z") != kind.startswith("local")


class Tagged(Comparison):
    """Both in Avro's JSON."""

    def equal(self, schema, ours, theirs, default=False):
        schema = self.meant(schema)
        kind = schema if isinstance(schema, (str, list)) else schema["type"]
        if kind in ("bytes", "fixed"):
            return ours == theirs
        if kind in ("float", "double"):
            theirs = real(theirs)
        return super().equal(schema, ours, theirs, default)

    def union(self, schema, ours, theirs, default):
        if not isinstance(ours, dict) or not isinstance(theirs, dict) or ours.keys() != theirs.keys():
            return ours is None and theirs is None
        (tag, inner), = ours.items()
        index = [generate.branch_name(b) for b in schema].index(tag)
        return self.equal(schema[index], inner, theirs[tag], default)


class JavasPlain(Printed):
    """Our text for people beside the text of Java's classes for dates, times, decimals and uuids."""

    def equal(self, schema, ours, theirs, default=False):
        schema = self.meant(schema)
        kind = schema if isinstance(schema, (str, list)) else schema["type"]
        if kind in ("float", "double"):
            theirs = real(theirs) if is_real(theirs) else theirs
        if kind in ("bytes", "fixed") and not logical.counts(schema):
            return ours == theirs
        return super().equal(schema, ours, theirs, default)

    def logical(self, schema, kind, ours, theirs):
        if kind == "decimal":
            return decimal.Decimal(ours) == decimal.Decimal(theirs)
        if kind == "uuid" and len(ours) != 36:
            self.excuses.add(SHORT_UUID)
            return True
        if kind == "uuid":
            return ours.lower() == theirs.lower()
        if kind == "duration":
            return ours == theirs
        if isinstance(ours, int):
            self.excuses.add(OUTSIDE_YEARS)
            return not representable(kind, ours)
        return padded(ours) == padded(theirs)


def padded(text):
    """A time with nine digits behind its point, and its seconds."""
    day, mark, time = text.rpartition("T") if "T" in text else ("", "", text)
    if ":" not in time:
        return text
    zone = "Z" if time.endswith("Z") else ""
    whole, _, fraction = time.rstrip("Z").partition(".")
    return f"{day}{mark}{whole if whole.count(':') == 2 else whole + ':00'}.{fraction.ljust(9, '0')}{zone}"


def representable(kind, number):
    """Is this date, or time, one that people write: a year of four digits, a time within its day?"""
    first, end = logical.span(kind)
    return first <= number < end


def outside_peer(schema, printed):
    """Is there a value that fastavro can not hold in a type of Python's? Which, or None."""
    if isinstance(schema, list):
        found = (outside_peer(branch, printed) for branch in schema if branch != "null" and printed is not None)
    elif not isinstance(schema, dict):
        return None
    elif "logicalType" in schema and logical.fits(schema):
        return outside(schema["logicalType"], schema["type"], printed)
    elif schema["type"] == "record":
        found = (outside_peer(field["type"], printed[field["name"]]) for field in schema["fields"])
    elif schema["type"] in ("array", "map"):
        values = printed.values() if isinstance(printed, dict) else printed
        found = (outside_peer(schema.get("items", schema.get("values")), value) for value in values)
    else:
        return None
    return next(filter(None, found), None)


def outside(kind, base, printed):
    if kind == "uuid" and base == "string":
        try:
            uuid.UUID(printed)
        except ValueError:
            return NOT_A_UUID
    if kind in logical.BASES and not kind.endswith("nanos") and isinstance(printed, int):
        return OUTSIDE_PYTHON
    return None
