"""Whole schemas in which many things differ at once, as a kind of resolution for generate.Generator."""
import copy

import recursive

WIDER = {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"], "string": ["bytes"],
         "bytes": ["string"]}
CHANGES = 0.25  # of the places where something can differ


class MixedSchemas:
    """Needs of its host: random, name(), schema(), union(), enum(), logical(), known, add_defaults(), DEFAULTS."""

    def mixed(self):
        """A deep schema, and a reader that differs from it in any number of places."""
        writer = self.deep(3)
        for one in recursive.definitions(writer, recursive.NAMED):
            one.setdefault("namespace", self.random.choice(["", "t", "t.u", "v"]))
        self.name_again(writer)
        return writer, self.changed(copy.deepcopy(writer), True)

    def deep(self, depth):
        """A record of every kind of type."""
        fields = [{"name": f"f{at}", "type": self.deep_type(depth - 1)} for at in range(self.random.randint(1, 4))]
        if self.random.random() < 0.2:
            fields[0]["doc"] = 'väl "so"'
        return {"type": "record", "name": self.name("M"), "fields": fields}

    def deep_type(self, depth):
        what = self.random.random()
        if what < 0.3:
            return self.logical()
        if depth <= 0 or what < 0.5:
            return self.schema(0) if what < 0.45 else self.enum()
        if what < 0.65:
            return {"type": "array", "items": self.deep_type(depth - 1)}
        if what < 0.75:
            return {"type": "map", "values": self.deep_type(depth - 1)}
        if what < 0.85:
            return self.union(depth)
        return self.deep(depth)

    def name_again(self, writer):
        """A last field of a type that is defined before it."""
        named = [one for one in recursive.definitions([field["type"] for field in writer["fields"]], recursive.NAMED)
                 if one["namespace"]]
        if named and self.random.random() < 0.5:
            one = self.random.choice(named)
            full = f"{one['namespace']}.{one['name']}"
            self.known[full] = one
            writer["fields"].append({"name": "again", "type": self.random.choice([full, ["null", full]])})

    # --- what differs

    def here(self):
        return self.random.random() < CHANGES

    def changed(self, schema, outermost=False):
        """The reader's form of a type."""
        if isinstance(schema, list):
            branches = [self.changed_branch(branch) for branch in schema]
            if self.here():
                self.random.shuffle(branches)
            return branches
        if not isinstance(schema, dict):
            return self.changed_plain(schema)
        if schema["type"] == "record":
            self.change_record(schema)
        for key in ("items", "values"):
            if key in schema:
                schema[key] = self.changed(schema[key])
        if schema["type"] == "enum" and self.here():
            self.change_symbols(schema)
        if "logicalType" in schema and schema["type"] in WIDER and self.here():
            return schema["type"]
        return ["null", schema] if not outermost and self.random.random() < 0.05 else schema

    def changed_branch(self, branch):
        """Never a union, nor a type that may stand there already."""
        if isinstance(branch, dict) and branch["type"] in ("record", "array", "map"):
            changed = self.changed(branch)
            return changed[1] if isinstance(changed, list) else changed
        return branch

    def changed_plain(self, name):
        if name in WIDER and self.here():
            return self.random.choice(WIDER[name])
        if name in ("int", "long", "string") and self.random.random() < 0.1:
            return self.random.choice([["null", name], [name, "null"], ["double", "null", name]])
        return name

    def change_record(self, record):
        for field in record["fields"]:
            field["type"] = self.changed(field["type"])
            if self.random.random() < 0.1:
                field["aliases"], field["name"] = [field["name"]], self.name("renamed")
        if len(record["fields"]) > 1 and self.random.random() < 0.15:
            self.drop_field(record)
        if self.here():
            self.reorder(record)
        if self.here():
            self.add_defaults(record, self.DEFAULTS)
        if self.random.random() < 0.1 and not record["namespace"]:
            record["aliases"], record["name"] = [record["name"]], self.name("Renamed")

    def drop_field(self, record):
        """A field that defines nothing that may be named elsewhere."""
        at = self.random.randrange(len(record["fields"]))
        defines = any(True for _ in recursive.definitions(record["fields"][at]["type"], recursive.NAMED))
        if not defines:
            record["fields"].pop(at)

    def reorder(self, record):
        """Definitions stay before what names them."""
        last = record["fields"][-1]
        if "again" not in (last["name"], *last.get("aliases", [])):
            self.random.shuffle(record["fields"])

    def change_symbols(self, schema):
        self.random.shuffle(schema["symbols"])
        if self.here():
            schema["symbols"].append("MORE")
        if self.here():
            schema["default"] = self.random.choice(schema["symbols"])
            if len(schema["symbols"]) > 1:
                schema["symbols"].remove(next(s for s in schema["symbols"] if s != schema["default"]))


RESOLUTIONS = ["mixed"]
