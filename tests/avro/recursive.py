"""Records that hold themselves, alone or by way of another, as kinds of resolution for generate.Generator."""
import copy

ROOM = 12  # records inside each other, unless a kind sets its own
TOO_DEEP = 70  # beyond our bound of 64
NAMED = ("record", "enum", "fixed")


class RecursiveSchemas:
    """Needs of its host: random, name(), known (full name → schema), room, PRIMITIVES' values."""

    def link(self, target, shapes=("union", "array", "map")):
        """(shape, a type that leads to `target`, a definition or a name)."""
        shape = self.random.choice(shapes)
        if shape == "union":
            return shape, self.random.choice([["null", target], ["null", target, "long"], [target, "null"]])
        return shape, {"type": shape, "items" if shape == "array" else "values": target}

    def person(self, links):
        """A record with two scalars and `links` in between."""
        name = self.name("N")
        definition = {"type": "record", "name": name, "namespace": "t", "fields": []}
        scalars = [{"name": f"v{i}", "type": self.random.choice(["int", "string", "float", "boolean", "bytes"])}
                   for i in range(2)]
        definition["fields"] = [scalars[0], *links(f"t.{name}"), scalars[1]]
        self.known[f"t.{name}"] = definition
        return definition

    def selfish(self):
        """A record that holds itself in one to three ways."""
        count = self.random.randint(1, 3)
        kinds = []

        def links(name):
            for at in range(count):
                shape, kind = self.link(name)
                kinds.append(shape)
                yield {"name": f"l{at}", "type": kind}

        definition = self.person(links)
        self.room = self.random.choice([2, 20, 50] if kinds == ["union"] else [1, 2, 3])
        return definition

    def mutual(self, shapes=("union", "array", "map")):
        """(A, B): A holds B, which stands inside of it; B holds A and itself by name."""
        inner = []

        def back(other, name):
            yield {"name": "up", "type": self.link(other, shapes)[1]}
            if self.random.random() < 0.5:
                yield {"name": "self", "type": self.link(name, shapes)[1]}

        def links(name):
            inner.append(self.person(lambda own: back(name, own)))
            yield {"name": "down", "type": self.link(inner[0], shapes)[1]}
            if self.random.random() < 0.5:
                yield {"name": "twin", "type": self.link(f"t.{inner[0]['name']}", shapes)[1]}

        outer = self.person(links)
        self.room = self.random.randint(1, 4)
        return outer, inner[0]

    def either(self):
        return self.random.choice([self.selfish, lambda: self.mutual()[0]])()

    # --- what a reader may change, in every record of its schema

    def add_defaults(self, record, defaults):
        for _ in range(self.random.randint(1, 2)):
            kind, initial = self.random.choice(defaults)
            field = {"name": self.name("new"), "type": kind, "default": initial}
            record["fields"].insert(self.random.randint(0, len(record["fields"])), field)

    def rename_field(self, record):
        field = self.random.choice(record["fields"])
        field.setdefault("aliases", []).append(field["name"])
        field["name"] = self.name("renamed")

    def change_scalars(self, record):
        """The first removed, or promoted, or moved to the end; links stay where they are defined."""
        first = record["fields"].pop(0)
        wider = {"int": ["long", "double"], "float": ["double"], "string": ["bytes"]}.get(first["type"])
        what = self.random.choice(["removed", "moved", "promoted"])
        if what == "promoted" and wider:
            record["fields"].insert(0, {"name": first["name"], "type": self.random.choice(wider)})
        elif what != "removed":
            record["fields"].append(first)

    # --- kinds of resolution

    def recursive_same(self):
        return self.either(), None

    def recursive_defaults(self):
        writer = self.either()
        reader = copy.deepcopy(writer)
        for record in definitions(reader):
            self.add_defaults(record, self.DEFAULTS)
        return writer, reader

    def recursive_alias(self):
        """Records by another name, wherever they are named, and fields by another name."""
        writer = self.either()
        reader = copy.deepcopy(writer)
        for record in definitions(reader):
            former, record["name"] = record["name"], self.name("Renamed")
            record["aliases"] = [former]
            rename(reader, f"t.{former}", f"t.{record['name']}")
            if self.random.random() < 0.5:
                self.rename_field(record)
        return writer, reader

    def recursive_fields(self):
        writer = self.either()
        reader = copy.deepcopy(writer)
        for record in definitions(reader):
            self.change_scalars(record)
        return writer, reader

    def recursive_mutual(self):
        """Two records that hold each other; each changed in a way of its own."""
        writer = self.mutual()[0]
        reader = copy.deepcopy(writer)
        for record in definitions(reader):
            self.random.choice([self.rename_field, self.change_scalars,
                                lambda one: self.add_defaults(one, self.DEFAULTS)])(record)
        return writer, reader

    def recursive_partly(self):
        """The inner record does not fit: whether that matters is a question of the datum."""
        writer, inner = self.mutual(("union",))
        reader = copy.deepcopy(writer)
        self.spoil(next(r for r in definitions(reader) if r["name"] == inner["name"]))
        return writer, reader

    # --- kinds that must fail

    def spoil(self, record):
        if self.random.random() < 0.5:
            record["fields"].append({"name": self.name("new"), "type": "int"})
        else:
            record["fields"][0]["type"] = {"type": "array", "items": "int"}

    def recursive_misfit(self):
        writer = self.either()
        reader = copy.deepcopy(writer)
        self.spoil(reader)
        return writer, reader

    def too_deep(self):
        chain = self.person(lambda name: [{"name": "next", "type": [name, "null"]}])
        self.room = self.random.randint(TOO_DEEP, 2 * TOO_DEEP)
        self.to_the_end = True
        return chain, None


def definitions(schema, kinds=("record",)):
    """Every type of these kinds that is defined in `schema`."""
    if isinstance(schema, list):
        for branch in schema:
            yield from definitions(branch, kinds)
    elif isinstance(schema, dict):
        if schema["type"] in kinds:
            yield schema
        for field in schema.get("fields", []):
            yield from definitions(field["type"], kinds)
        for key in ("items", "values"):
            if key in schema:
                yield from definitions(schema[key], kinds)


def rename(schema, former, name):
    """The references to `former`, below `schema`."""
    entries = enumerate(schema) if isinstance(schema, list) else list(schema.items())
    for key, value in entries:
        if value == former and key not in ("name", "aliases"):
            schema[key] = name
        elif isinstance(value, (list, dict)) and key not in ("default", "aliases"):
            rename(value, former, name)


RESOLUTIONS = ["recursive_same", "recursive_defaults", "recursive_alias", "recursive_fields", "recursive_mutual",
               "recursive_partly"]
MISFITS = ["recursive_misfit", "too_deep"]
