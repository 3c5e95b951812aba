"""Pipeline files drawn from what `penstock reference` says of each field: what it takes, and an example."""
import copy
import re
import subprocess

# Pages of parts, and the section of the file that they stand in.
PARTS = {"tables": "tables", "stores": "stores", "producers": "producers"}
# Sections that are a mapping from names of the user's own.
NAMED = {"schemas", "topics", "stages", "tables", "stores", "producers", "targets"}
# A row of a page: field, what it takes, default, sentence.
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*) \|$")
# What a store is in each target; a target sets all else.
OF_ROWS = {"key", "upsert_on", "newest_by"}
COLUMNS = {"id": "string", "site": "string", "meter_id": "string"}
BY_TYPE = {
    "a whole number": [1, 7, "3"], "a duration": ["24h", "7d", "90m", "250ms"], "a size": ["1MiB", 1048576, "64KiB"],
    "true or false": [True, False, "true"], "a share over a time": ["20% over 1m"], "a number": [1, 1.5],
}
# Where the example does not fit the drawn file.
VALUES = {
    ("file", "topics", "schema"): ["reading"], ("file", "topics", "key"): ["id", ["id"], ["id", "at"]],
    ("file", "topics", "partition"): ["key"], ("file", "scale", "min"): [0, 1], ("file", "scale", "max"): [5, "partitions"],
    ("file", "scale", "lag_threshold"): [20000], ("file", "file", "tenants"): [["a", "b"]], ("file", "stages", "group"): ["g", "my-group"],
    ("file", "tables", "key"): ["id", ["id"]], ("file", "file", "pipeline"): ["p", "meters"], ("file", "file", "version"): [1],
    ("tables", "csv", "csv"): ["meters.csv"], ("tables", "jsonl", "jsonl"): ["meters.jsonl"],
    ("producers", "generate", "generate"): [{"kwh": "0..1000", "tenant": ["a", "b"]}], ("producers", "meters", "meters"): ["meters"],
    ("steps", "drop", "when"): ["id.startsWith('T')"], ("steps", "reject", "when"): ["kwh < 0.0"],
    ("steps", "set", "FIELD"): ["kwh * 4.0", "'yes'"], ("steps", "unset", "fields"): [["note"]],
    ("steps", "join", "table"): ["meters"], ("steps", "join", "by"): ["id"], ("steps", "join", "take"): [["site"]],
    ("steps", "send", "to"): ["aside"], ("steps", "unique", "by"): [["id", "at"]], ("steps", "pseudonym", "fields"): [["tenant"], "tenant"],
    ("steps", "pseudonym", "bytes"): [8, 16], ("steps", "window", "by"): [["id", "at"]],
    ("steps", "window", "take"): [{"n": "count()", "kw": "sum(kwh)"}],
}


class Reference:
    """The fields of all sections and parts, as the reader has them: page, section or part, name."""

    def __init__(self, binary):
        def ask(*words):
            return subprocess.run([binary, "reference", *words], capture_output=True, text=True, check=True).stdout

        self.takes, self.required, self.example, self.parts = {}, set(), {}, {}
        for page in ask().split():
            part = None
            for line in ask(page).splitlines():
                if line.startswith("## "):
                    part = line[3:]
                    self.parts.setdefault(page, []).append(part)
                elif match := ROW.match(line):
                    self._add((page, part, match[1]), match)
        # What a target sets of a store is a place of its own.
        targets = [("target stores", part, name) for page, part, name in self.takes
                   if page == "stores" and name not in OF_ROWS | {part}]
        # Fields of a section that all of its parts have in words of their own.
        hidden = {("file", page, name) for page in PARTS for _, section, name in self.takes
                  if section == page and all((page, part, name) in self.takes for part in self.parts[page])}
        self.fields = [field for field in self.takes if field not in hidden] + targets
        self.wanted = set(self.fields)

    def _add(self, field, match):
        self.takes[field] = match[2]
        if match[3] == "required":
            self.required.add(field)
        if example := re.search(r" Example: `(.*)`$", match[4]):
            self.example[field] = example[1].replace("\\|", "|")

    def of(self, page, part):
        return [field for field in self.takes if field[:2] == (page, part)]

    def values(self, field):
        if field in VALUES:
            return VALUES[field]
        takes = self.takes[field]
        if takes in BY_TYPE:
            return BY_TYPE[takes]
        example = self.example.get(field, "x")
        if "," in takes and not takes.startswith("a "):
            return takes.split(", ")
        if field[2] in ("by", "key", "upsert_on") and "field" in takes:
            return ["id", ["id", "at"]]
        if takes == "a topic":
            return ["ingest"]
        if field[2] == "key" and "name" in takes:
            return ["id", ["id"]]
        if field[2] == "schema" and takes == "a file's path":
            return ["meter.avsc"]
        if field[2] == "types":
            return [{"id": "string"}, COLUMNS]
        if takes == "a mapping":
            return [{"compression.codec": "zstd"}, {"linger.ms": 5, "compression.codec": "lz4"}]
        return [example]


def parts_of(file, section):
    found = file.get(section)
    return found if isinstance(found, dict) else {}


def part_of(reference, page, body):
    """The part that a mapping is of: the first of its fields that names one."""
    names = reference.parts.get(page, [])
    return next((name for name in body if name in names), None) if isinstance(body, dict) else None


def field_of(file, path, reference):
    """The field that a path ends in, or None."""
    section, known = path[0], reference.takes
    of_file = ("file", section, path[-1])
    if len(path) == 1:
        found = ("file", "file", section)
    elif section in ("scale", "epoch", "dead_letters"):
        found = of_file if len(path) == 2 else None
    elif section in PARTS and len(path) == 3:
        part = part_of(reference, section, file[section][path[1]])
        found = (section, part, path[2])
        found = found if found in known else of_file
    elif section == "stages" and len(path) > 3:
        found = _of_stage(path, reference)
    elif section == "targets" and len(path) > 3:
        found = _of_target(file, path, reference)
    elif section in ("topics", "stages", "targets", "tests") and len(path) == 3:
        found = of_file
    else:
        found = None
    return found if found in reference.wanted else None


def _of_stage(path, reference):
    if path[2] != "steps":
        return ("file", path[2], path[3]) if len(path) == 4 else None
    if len(path) == 5 and path[4] == "unset":
        return ("steps", "unset", "fields")
    step = path[4] if len(path) == 6 else None
    return ("steps", step, "FIELD" if step == "set" else path[5]) if step else None


def _of_target(file, path, reference):
    body = file["targets"][path[1]][path[2]]
    if path[2] == "registry" and isinstance(body, list):
        return ("registries", part_of(reference, "registries", body[path[3]]), path[4]) if len(path) == 5 else None
    if path[2] == "stores":
        part = "sqlite" if path[1] == "local" else part_of(reference, "stores", parts_of(file, "stores")[path[3]])
        return ("target stores", part, path[4]) if len(path) == 5 else None
    page = {"log": "logs", "registry": "registries"}.get(path[2])
    if len(path) != 4:
        return None
    return (page, part_of(reference, page, body), path[3]) if page else ("file", path[2], path[3])


def is_named(path):
    """Whether the last key is a name of the user's own, or a place in a list."""
    return (isinstance(path[-1], int) or (len(path) == 2 and path[0] in NAMED) or (len(path) > 1 and path[-2] == "set")
            or (len(path) == 4 and path[0] == "targets" and path[2] == "stores"))


# Mappings whose content is the user's own affair.
FREE = {"given", "expect", "generate", "take", "types", "properties"}


def places(file, reference, node=None, path=(), above=None):
    """Paths of all that a schema says something of, each with its field, or with that of what it lies in."""
    node = file if not path else node
    field = above
    if path:
        field = field_of(file, path, reference) or above
        yield path, field
    if path and (path[-1] in FREE and isinstance(node, dict) or path[0] == "tests" and len(path) == 3):
        return
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(file, reference, value, (*path, key), field)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from places(file, reference, value, (*path, index), field)


class Writer:
    def __init__(self, reference, draw):
        self.reference, self.draw = reference, draw

    def fields(self, page, part, share=0.3, without=()):
        """A mapping of what is required and of some of the rest."""
        made = {}
        for field in self.reference.of(page, part):
            if field[2] not in without and (field in self.reference.required or self.draw.random() < share):
                made[field[2]] = copy.deepcopy(self.draw.choice(self.reference.values(field)))
        return made

    def some(self, share=0.4):
        return self.draw.random() < share

    def topic(self, partitions, framed, **more):
        topic = self.fields("file", "topics", 0.35, {"schema", "values", "partitions", "partition", "framing"})
        topic.setdefault("key", "id")
        topic["partitions"] = partitions
        if self.some():
            topic["framing"] = self.draw.choice(["confluent", "glue"] if framed and self.some() else ["bare", "single_object"])
        return topic | more

    def steps(self, window):
        names = ["drop", "reject", "set", "unset", "join", "send", "unique", "pseudonym"]
        steps = []
        for name in names:
            if not self.some():
                continue
            body = {"kw": "kwh * 4.0", "done": "'yes'"} if name == "set" else self.fields("steps", name)
            steps.append({name: self.draw.choice([["other"], "other"]) if name == "unset" and self.some() else body})
        return steps + ([{"window": self.fields("steps", "window")}] if window else [])

    def table(self):
        part = self.draw.choice(self.reference.parts["tables"])
        table = self.fields("tables", part)
        if part == "postgres" and not table.keys() & {"types", "schema"}:
            table["types"] = dict(COLUMNS)
        if "types" in table and (part == "postgres" or "schema" in table):
            table["types"] = dict(COLUMNS)
        return table

    def store(self):
        part = self.draw.choice(self.reference.parts["stores"])
        store = {part: "latest"} | self.fields("stores", part, without=OF_ROWS | {part, "immutable"})
        store |= self.draw.choice([{"upsert_on": ["id", "at"]}, {"upsert_on": "id"}, {"key": "id", "newest_by": "at"}, {"key": ["id"]}, {}])
        if part == "dynamodb" and "newest_by" not in store and self.some():
            store["immutable"] = True
        return store

    def log(self):
        part = self.draw.choice(self.reference.parts["logs"])
        return "embedded" if part == "embedded" or self.some(0.1) else self.fields("logs", part)

    def registry(self):
        both = [self.fields("registries", part) for part in self.reference.parts["registries"]]
        self.draw.shuffle(both)
        return self.draw.choice([both, both[0], both[:1]])

    def target(self, name, store):
        target = {} if name == "local" and self.some() else {"log": "embedded" if name == "local" else self.log()}
        if self.some():
            target["registry"] = self.registry()
        if self.some(0.6):
            part = "sqlite" if name == "local" else next(iter(store))
            settings = self.fields("stores", part, 0.35, OF_ROWS | {part} | ({"immutable"} if "newest_by" in store else set()))
            target["stores"] = {"latest": self.draw.choice([settings, settings, "sqlite", "${env:KIND}"])}
        if self.some():
            target["topics"] = self.draw.choice([{"replicas": 1}, {"keep": "7d"}, {"replicas": 3, "partitions": 2}])
        for section in ("epoch", "scale"):
            if self.some(0.3):
                target[section] = self.fields("file", section)
        return target

    def test(self):
        return {"name": "it is so", "stage": "work", "given": {"ingest": [{"id": "a"}]}, "expect": {"middle": []}} | (
            {"tables": {"meters": [{"id": "m1", "site": "s1"}]}} if self.some() else {})

    def stages(self, window):
        work = {"from": self.draw.choice(["ingest", ["ingest"]]), "steps": self.steps(window), "to": "middle"}
        work |= self.fields("file", "stages", 0.3, {"from", "to", "steps", "epoch", "scale"})
        for section in ("epoch", "scale"):
            if self.some(0.3):
                work[section] = self.fields("file", section)
        return {"work": work, "writer": {"from": "middle", "to": self.draw.choice(["latest", ["latest"]])},
                "route": {"from": "ingest", "to": "colour.<tenant>"}}

    def file(self):
        draw, partitions = self.draw, self.draw.choice([1, 5, "3"])
        store = self.store()
        targets = {name: self.target(name, store) for name in draw.choice([(), ("local",), ("local", "prod"), ("prod", "local")])}
        of_local = targets.get("local", {}).get("registry")
        framed = isinstance(of_local, list) and len(of_local) == 2
        same = {"partition": draw.choice(["same", "key"])} if self.some() else {}
        file = {"pipeline": draw.choice(["p", "meters"]), "version": 1, "schemas": {"reading": "reading.avsc"},
                "topics": {"ingest": self.topic(partitions, framed, schema="reading"), "middle": self.topic(partitions, framed, **same),
                           "aside": {"key": "id"}, "colour.<tenant>": self.topic(partitions, framed, values=["red", "green"])},
                "tables": {"meters": self.table()}, "stages": self.stages(self.some(0.2)), "stores": {"latest": store}}
        for section in ("scale", "epoch", "dead_letters"):
            if self.some():
                file[section] = self.fields("file", section, 0.5)
        if self.some():
            file["tenants"] = ["a", "b"]
        if self.some():
            file["producers"] = {"field": self.fields("producers", draw.choice(self.reference.parts["producers"]))}
        if targets:
            file["targets"] = targets
        if self.some():
            file["tests"] = [self.test()]
        return file
