"""Generated (writer, reader, value) cases, each of one kind of resolution. Seeded: the same seed, the same cases."""
import copy
import random

import logical
import mixed
import recursive

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
PROMOTIONS = [("int", "long"), ("int", "float"), ("int", "double"), ("long", "float"), ("long", "double"),
              ("float", "double"), ("string", "bytes"), ("bytes", "string")]
DEFAULTS = [("int", 7), ("long", -5_000_000_000), ("string", "väl"), ("boolean", True), ("double", 2.5),
            ("bytes", "\u00ff\u0001"), (["null", "int"], None), (["int", "null"], 3),
            ({"type": "array", "items": "int"}, [1, 2]), ({"type": "map", "values": "string"}, {"k": "v"}),
            ("null", None)]


class Generator(logical.LogicalSchemas, recursive.RecursiveSchemas, mixed.MixedSchemas):
    DEFAULTS = DEFAULTS

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0
        self.known = {}  # records that are met by name
        self.start()

    def start(self):
        """Before each case."""
        self.room = recursive.ROOM  # how many records may stand inside each other in a value
        self.to_the_end = False     # as many as there is room for

    def name(self, stem):
        self.names += 1
        return f"{stem}{self.names}"

    # --- schemas and values

    def schema(self, depth=2):
        r = self.random
        if depth == 0 or r.random() < 0.5:
            return r.choice(PRIMITIVES)
        kind = r.choice(["record", "enum", "fixed", "array", "map", "union"])
        if kind == "record":
            return self.record(depth)
        if kind == "enum":
            return self.enum()
        if kind == "fixed":
            return {"type": "fixed", "name": self.name("F"), "size": r.randint(0, 6)}
        if kind == "union":
            return self.union(depth)
        return {"type": kind, "items" if kind == "array" else "values": self.schema(depth - 1)}

    def enum(self):
        count = self.random.randint(2, 5)
        return {"type": "enum", "name": self.name("E"), "symbols": [f"S{i}" for i in range(count)]}

    def record(self, depth=2, count=None):
        count = count or self.random.randint(1, 5)
        return {"type": "record", "name": self.name("R"), "namespace": "t",
                "fields": [{"name": f"f{i}", "type": self.schema(depth - 1)} for i in range(count)]}

    def union(self, depth):
        branches = self.random.sample(PRIMITIVES, self.random.randint(1, 3))
        if self.random.random() < 0.5:
            branches.append(self.record(max(depth, 1), 2))
        if self.random.random() < 0.3:
            branches.append({"type": "array", "items": self.schema(0)})
        self.random.shuffle(branches)
        return branches

    def integer(self, bits):
        size = self.random.randint(0, bits - 1)
        return self.random.randint(-(1 << size), (1 << size) - 1)

    def value(self, schema):
        """A value as fastavro writes it; a union's as (branch's name, value)."""
        r = self.random
        if isinstance(schema, list):
            return self.branch_value(schema)
        if logical.counts(schema):
            return self.logical_value(schema)
        if isinstance(schema, str) and schema in self.known:
            return self.value(self.known[schema])
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "null":
            return None
        if kind == "boolean":
            return r.random() < 0.5
        if kind == "int":
            return self.integer(32)
        if kind == "long":
            return self.integer(64)
        if kind in ("float", "double"):
            number = r.choice([0.0, -1.5, float(r.randint(-10**6, 10**6)), r.uniform(-1e9, 1e9),
                               float("nan"), float("inf"), float("-inf")])
            return number
        if kind == "bytes":
            return bytes(r.choices(range(256), k=r.randint(0, 5)))
        if kind == "string":
            return "".join(r.choices("aé€😀z0 \"\n", k=r.randint(0, 5)))
        if kind == "record":
            self.room -= 1
            value = {f["name"]: self.value(f["type"]) for f in schema["fields"]}
            self.room += 1
            return value
        if kind == "enum":
            return r.choice(schema["symbols"])
        if kind == "fixed":
            return bytes(r.choices(range(256), k=schema["size"]))
        if kind == "array":
            return [self.value(schema["items"]) for _ in range(self.count())]
        if kind == "map":
            return {f"k{i}": self.value(schema["values"]) for i in range(self.count())}
        raise AssertionError(kind)

    def branch_value(self, union):
        branches = union
        if self.room <= 0 and "null" in union:
            branches = ["null"]
        elif self.to_the_end:
            branches = union[:1]
        elif self.room > recursive.ROOM:  # a long chain: mostly on
            branches = [b for b in union if b != "null" or self.random.random() < 0.1] or union
        branch = self.random.choice(branches)
        return (branch_name(branch), self.value(branch))

    def count(self):
        return self.random.randint(0, 3) if self.room > 0 else 0

    # --- kinds of resolution: each gives (writer, reader or None)

    def same(self):
        return self.schema(3), None

    def defaults(self):
        writer = self.record()
        reader = copy.deepcopy(writer)
        for _ in range(self.random.randint(1, 3)):
            kind, initial = self.random.choice(DEFAULTS)
            field = {"name": self.name("new"), "type": kind, "default": initial}
            reader["fields"].insert(self.random.randint(0, len(reader["fields"])), field)
        return writer, reader

    def promotion(self):
        one, other = self.random.choice(PROMOTIONS)
        if self.random.random() < 0.5:
            return one, other
        return self.around(one, other)

    def around(self, one, other):
        """The two types as a field, an item or a map's value."""
        shape = self.random.choice(["record", "array", "map"])
        if shape == "record":
            name = self.name("R")
            return tuple({"type": "record", "name": name, "fields": [{"name": "a", "type": "string"},
                                                                     {"name": "b", "type": t}]}
                         for t in (one, other))
        key = "items" if shape == "array" else "values"
        return {"type": shape, key: one}, {"type": shape, key: other}

    def union_to_union(self):
        writer = self.union(2)
        reader = copy.deepcopy(writer)
        self.random.shuffle(reader)
        unused = [p for p in PRIMITIVES if p not in reader]
        reader.insert(self.random.randint(0, len(reader)), self.random.choice(unused))
        return writer, reader

    def type_to_union(self):
        writer = self.schema(1)
        if isinstance(writer, list):
            writer = "long"
        others = [p for p in PRIMITIVES if p != writer]
        reader = self.random.sample(others, 2)
        reader.insert(self.random.randint(0, 2), copy.deepcopy(writer))
        return writer, reader

    def union_to_type(self):
        one, other = self.random.choice([("int", "long"), ("string", "string"), ("float", "double"),
                                         ("boolean", "boolean"), ("int", "double")])
        return [one] if self.random.random() < 0.5 else ["null", one], other

    def enum_default(self):
        writer = self.enum()
        reader = copy.deepcopy(writer)
        reader["symbols"] = self.random.sample(writer["symbols"], len(writer["symbols"]) - 1) + ["OTHER"]
        self.random.shuffle(reader["symbols"])
        if self.random.random() < 0.6:
            reader["default"] = "OTHER"
        return writer, reader

    def record_alias(self):
        writer = self.record()
        reader = copy.deepcopy(writer)
        reader["name"] = self.name("Renamed")
        reader["aliases"] = [writer["name"]]
        return writer, reader

    def field_alias(self):
        writer = self.record()
        reader = copy.deepcopy(writer)
        field = self.random.choice(reader["fields"])
        field["aliases"] = [field["name"]]
        field["name"] = self.name("renamed")
        return writer, reader

    def nested_record(self):
        inner, inner_reader = self.defaults()
        name = self.name("Outer")
        return tuple({"type": "record", "name": name, "fields": [{"name": "a", "type": "int"},
                                                                 {"name": "inner", "type": t}]}
                     for t in (inner, inner_reader))

    def array(self):
        one, other = self.random.choice([self.promotion, self.defaults, self.enum_default])()
        return {"type": "array", "items": one}, {"type": "array", "items": other}

    def map(self):
        one, other = self.random.choice([self.promotion, self.defaults, self.union_to_union])()
        return {"type": "map", "values": one}, {"type": "map", "values": other}

    def fixed(self):
        writer = {"type": "fixed", "name": self.name("F"), "size": self.random.randint(0, 8)}
        reader = copy.deepcopy(writer)
        if self.random.random() < 0.2:
            reader["size"] += 1
        return writer, reader

    def reordered(self):
        writer = self.record(count=4)
        reader = copy.deepcopy(writer)
        self.random.shuffle(reader["fields"])
        return writer, reader

    def removed(self):
        writer = self.record(count=4)
        reader = copy.deepcopy(writer)
        for _ in range(self.random.randint(1, 3)):
            reader["fields"].pop(self.random.randrange(len(reader["fields"])))
        return writer, reader

    # --- kinds that must fail

    def other_name(self):
        writer = self.random.choice([self.record, self.enum])()
        reader = copy.deepcopy(writer)
        reader["name"] = self.name("Else")
        return writer, reader

    def no_default(self):
        writer = self.record()
        reader = copy.deepcopy(writer)
        reader["fields"].append({"name": self.name("new"), "type": "int"})
        return writer, reader

    def wrong_type(self):
        return self.around(*self.random.choice([("string", "int"), ("long", "int"), ("double", "float"), ("boolean", "int"),
                                                ("bytes", "long"), ("double", "long"), ("null", "string")]))

    def not_in_union(self):
        return ["string", "boolean"], ["null", "long"]


def branch_name(branch):
    if isinstance(branch, str):
        return branch
    if "name" not in branch:
        return branch["type"]
    return f"{branch['namespace']}.{branch['name']}" if branch.get("namespace") else branch["name"]


RESOLUTIONS = ["same", "defaults", "promotion", "union_to_union", "type_to_union", "union_to_type", "enum_default",
               "record_alias", "field_alias", "nested_record", "array", "map", "fixed", "reordered", "removed",
               *logical.RESOLUTIONS, *recursive.RESOLUTIONS, *mixed.RESOLUTIONS]
MISFITS = ["other_name", "no_default", "wrong_type", "not_in_union", *logical.MISFITS, *recursive.MISFITS]
DAMAGES = ["truncated", "trailing", "wrong_union_index", "wrong_enum_index", "wrong_length", "wrong_boolean"]
