"""Logical types as kinds of resolution for generate.Generator: added, removed, changed, promoted, with values at the edges."""
import copy
import uuid

BASES = {"date": "int", "time-millis": "int", "time-micros": "long", "timestamp-millis": "long",
         "timestamp-micros": "long", "timestamp-nanos": "long", "local-timestamp-millis": "long",
         "local-timestamp-micros": "long", "local-timestamp-nanos": "long"}
PER_SECOND = {"millis": 10**3, "micros": 10**6, "nanos": 10**9}
DAY_SECONDS = 86_400
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, the years that Python's dates know
FIXED_BYTES = {"uuid": 16, "duration": 12}


class LogicalSchemas:
    """Needs of its host: random, name(), integer(), around()."""

    def logical(self):
        kind = self.random.choice([*BASES, "uuid", "fixed uuid", "decimal", "fixed decimal", "duration"])
        if kind in BASES:
            return {"type": BASES[kind], "logicalType": kind}
        if kind == "uuid":
            return {"type": "string", "logicalType": "uuid"}
        if kind == "decimal":
            return self.decimal({"type": "bytes"}, 40)
        if kind == "fixed decimal":
            size = self.random.randint(1, 12)
            return self.decimal({"type": "fixed", "name": self.name("F"), "size": size}, (8 * size - 1) * 3 // 10)
        kind = kind.removeprefix("fixed ")
        return {"type": "fixed", "name": self.name("F"), "size": FIXED_BYTES[kind], "logicalType": kind}

    def decimal(self, base, most_digits):
        precision = self.random.randint(1, most_digits)
        schema = {**base, "logicalType": "decimal", "precision": precision}
        if self.random.random() < 0.8:
            schema["scale"] = self.random.randint(0, precision)
        return schema

    def another(self, schema):
        """Another logical type over the same base, where there is one."""
        base = schema["type"]
        if base in ("int", "long"):
            others = [k for k, b in BASES.items() if b == base and k != schema["logicalType"]]
            return {"type": base, "logicalType": self.random.choice(others)}
        bare = without_logical(schema)
        if base != "fixed":
            return bare
        others = [k for k, size in FIXED_BYTES.items() if size == schema["size"] and k != schema["logicalType"]]
        if others and self.random.random() < 0.5:
            return {**bare, "logicalType": others[0]}
        if schema["logicalType"] == "decimal":
            return bare
        return self.decimal(bare, (8 * schema["size"] - 1) * 3 // 10)

    def placed(self, one, other):
        """The two alone, in a record, an array, a map or a union with null."""
        where = self.random.random()
        if where < 0.3:
            return one, other
        return (["null", one], ["null", other]) if where < 0.5 else self.around(one, other)

    # --- values

    def logical_value(self, schema):
        kind = schema["logicalType"]
        if kind == "decimal":
            return self.decimal_value(schema)
        if kind == "uuid" and schema["type"] == "string":
            text = str(uuid.UUID(int=self.random.choice([0, 2**128 - 1, self.random.getrandbits(128)])))
            return self.random.choice([text, text, text, text.upper(), text[:-1], ""])
        if schema["type"] == "fixed":
            return self.random.choice([bytes(schema["size"]), b"\xff" * schema["size"],
                                       self.random.randbytes(schema["size"])])
        return self.time_value(kind, 32 if schema["type"] == "int" else 64)

    def time_value(self, kind, bits):
        per_day = days(kind, 1)
        unit = max(1, per_day // DAY_SECONDS)
        first, end = span(kind)
        what = self.random.random()
        if what < 0.6:
            value = self.random.randrange(first, end)
        elif what < 0.9:
            value = self.random.choice([0, -1, 1, first, first - 1, end - 1, end, -per_day, -per_day - 1, -per_day + 1,
                                        59 * per_day, unit - 1, -unit, 1 - unit])
        else:
            value = self.random.choice([-(1 << (bits - 1)), (1 << (bits - 1)) - 1, self.integer(bits)])
        return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))

    def decimal_value(self, schema):
        most = 10 ** schema["precision"] - 1
        number = self.random.choice([0, 1, -1, most, -most, 127, 128, -128, -129, most + 1,
                                     self.random.randint(-most, most), self.random.randint(-most, most)])
        least = ((number if number >= 0 else ~number).bit_length() + 8) // 8
        if schema["type"] == "fixed":
            return number.to_bytes(schema["size"], "big", signed=True) if least <= schema["size"] else \
                self.random.randbytes(schema["size"])
        if number == 0 and self.random.random() < 0.5:
            return b""
        return number.to_bytes(least + self.random.choice([0, 0, 0, 1, 5]), "big", signed=True)

    # --- kinds of resolution

    def logical_same(self):
        return self.placed(*2 * [self.logical()])[0], None

    def logical_added(self):
        schema = self.logical()
        return self.placed(without_logical(schema), schema)

    def logical_removed(self):
        schema = self.logical()
        return self.placed(schema, without_logical(schema))

    def logical_changed(self):
        schema = self.logical()
        return self.placed(schema, self.another(schema))

    def logical_promoted(self):
        one, other = self.random.choice([
            ({"type": "int", "logicalType": "date"}, {"type": "long", "logicalType": "timestamp-micros"}),
            ({"type": "int", "logicalType": "time-millis"}, {"type": "long", "logicalType": "time-micros"}),
            ({"type": "int", "logicalType": "date"}, "double"),
            ("int", {"type": "long", "logicalType": "local-timestamp-millis"}),
            ({"type": "long", "logicalType": "timestamp-micros"}, "double"),
            ({"type": "string", "logicalType": "uuid"}, "bytes"),
            ("bytes", {"type": "string", "logicalType": "uuid"}),
            ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, "string")])
        return self.placed(one, other)

    def logical_default(self):
        """The reader adds a field of a logical type with a default."""
        writer = {"type": "record", "name": self.name("R"), "fields": [{"name": "a", "type": "string"}]}
        reader = copy.deepcopy(writer)
        schema = self.logical()
        value = self.logical_value(schema)
        reader["fields"].append({"name": self.name("new"), "type": schema,
                                 "default": value.decode("latin-1") if isinstance(value, bytes) else value})
        return writer, reader

    def logical_unknown(self):
        """Names that nobody knows, and known ones over a base that they do not fit, count for nothing."""
        base, name = self.random.choice([("int", "fortnight"), ("long", "date"), ("string", "date"), ("int", "uuid"),
                                         ("double", "timestamp-millis"), ("bytes", "uuid"), ("int", "time-micros")])
        schema = {"type": base, "logicalType": name}
        return self.placed(base, schema) if self.random.random() < 0.5 else self.placed(schema, base)

    # --- a kind that must fail

    def decimals_disagree(self):
        precision, scale = self.random.randint(2, 30), self.random.randint(0, 1)
        if self.random.random() < 0.5:
            base, other = {"type": "bytes"}, [(precision, scale + 1), (precision + 1, scale)]
        else:
            base, other = {"type": "fixed", "name": self.name("F"), "size": 16}, [(precision, scale + 1)]
        two = [(precision, scale), self.random.choice(other)]
        self.random.shuffle(two)
        one, other = [{**base, "logicalType": "decimal", "precision": p, "scale": s} for p, s in two]
        return (one, other) if self.random.random() < 0.3 else self.around(one, other)


def days(kind, count):
    """So many days in the units of `kind`."""
    return count if kind == "date" else count * DAY_SECONDS * PER_SECOND[kind.rsplit("-", 1)[1]]


def span(kind):
    """What Python can hold of a date, a time or a timestamp: the first number, and the one after the last."""
    return (0, days(kind, 1)) if kind.startswith("time-") else (days(kind, FIRST_DAY), days(kind, LAST_DAY + 1))


def fits(schema):
    """Does the logical type count, over this base?"""
    kind, base = schema["logicalType"], schema["type"]
    if kind in BASES:
        return base == BASES[kind]
    if kind == "decimal":
        return base in ("bytes", "fixed")
    return kind in FIXED_BYTES and ((base == "fixed" and schema["size"] == FIXED_BYTES[kind]) or
                                    (kind, base) == ("uuid", "string"))


def counts(schema):
    return isinstance(schema, dict) and "logicalType" in schema and fits(schema)


def without_logical(schema):
    """The schema with its base types only, at any depth."""
    if isinstance(schema, list):
        return [without_logical(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: value for key, value in schema.items() if key not in ("logicalType", "precision", "scale")}
    for key in ("items", "values"):
        if key in out:
            out[key] = without_logical(out[key])
    if "fields" in out:
        out["fields"] = [{**field, "type": without_logical(field["type"])} for field in out["fields"]]
    return out["type"] if list(out) == ["type"] else out


RESOLUTIONS = ["logical_same", "logical_added", "logical_removed", "logical_changed", "logical_promoted",
               "logical_default", "logical_unknown"]
MISFITS = ["decimals_disagree"]
