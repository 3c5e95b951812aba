"""A strict double of Amazon Redshift for tests: PostgreSQL's protocol in front, a real PostgreSQL behind, Redshift's rules in between.

usage: double.py --socket PATH --s3 FOLDER [--port N] [--log FILE] [--data]        prints port=N (and data=URL) when it is ready

What it keeps to: forms of statements from a list (grammar.py), everything else is refused; simple queries only; no key is enforced; writers of
one table wait for each other, each transaction sees one snapshot, and where two transactions can not have happened one after the other
the later one gets error 1023; COPY FORMAT AVRO from S3 inside the transaction (copy_load.py), its bad rows in sys_load_error_detail;
VARCHAR counts bytes, and blanks at the end do not count in comparisons; MERGE fails when two source rows meet one target row; names fold to
lower case; PostgreSQL's version is 8.0.2; logins are passwords in clear text that may end.

What it does not do, so that nobody believes it: roles and rights (IAM_ROLE has to be there and is not looked at), regions, WLM queues and
their limits, system tables beyond four, the order in which a cluster of several nodes sorts or returns rows, the Redshift planner's use of
an informational key, SUPER beyond JSON_PARSE, cursors, prepared statements, TLS, Redshift's own SQLSTATEs where nobody has written them down
(XX000 then, with Redshift's words), limits of time. Cycles of more than two transactions are not found.

A query that begins with `--double ` is a command to the double itself, JSON; its answer is what it counted, as JSON:
  refuse: [column, limit] | null    COPY and INSERT refuse rows with more than that in this column
  raise_1023: N                     the next N statements that write to a target fail so
  cut: "before" | "after" | null    the next COMMIT's connection is cut before it is done, or after
  login: [user, password, seconds]  one more login, which ends
  data_cut: [after, done], data_away: true | false    of the Data API (--data): a request that is lost, or all of them
  planted: NAME | null              a client with a bug of ours: on_conflict, key_relied, position_outside, undeduplicated
"""
import argparse
import asyncio
import json
import pathlib
import re
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(pathlib.Path(__file__).resolve().parent / "requirements.txt")

from copy_load import FolderS3, LoadError, load  # noqa: E402
from grammar import Refusal, Statement, name_of, split  # noqa: E402
from wire import Backend, ServerError, error_message, fields_of, pack, row_of  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
VERSION = "8.0.2"
FOUND_NAMES = {"varchar": "character varying", "decimal": "numeric", "time": "time without time zone", "varbyte": "binary varying",
               "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone"}
SYSTEM_NAMES = {"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
WRITES = {"update", "delete", "insert values", "insert select", "merge", "merge remove", "copy"}
READS = {"update", "delete", "merge", "merge remove"}  # what is written depends on what was there


class Cut(Exception):
    pass


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class World:
    def __init__(self, options):
        self.socket, self.log = options.socket, options.log and open(options.log, "a", encoding="utf-8")
        self.s3 = FolderS3(options.s3) if isinstance(options.s3, str) else options.s3
        self.commands = {"refuse": None, "raise_1023": 0, "cut": None, "planted": None}
        self.logins = {("penstock", "penstock"): float("inf")}
        self.counts = {"statements": 0, "transactions": 0, "raised": 0, "cuts": 0, "refused": 0, "copies": 0}
        self.clock, self.history, self.shapes = 0, [], set()
        self.away, self.writers = False, set()
        self.data = None  # a RedshiftHttp

    async def start(self):
        self.admin = await Backend.open(self.socket, "penstock", "penstock")
        await self.admin.rows("DROP SCHEMA IF EXISTS penstock_double CASCADE")
        await self.admin.rows((HERE / "world.sql").read_text())

    def command(self, text: str) -> str:
        asked = json.loads(text)
        if "login" in asked:
            user, password, seconds = asked.pop("login")
            self.logins[(user, password)] = time.monotonic() + seconds
        left = self.data is not None and self.data.cut is not None
        if self.data and "data_cut" in asked:
            self.data.cut = asked.pop("data_cut")
        if self.data and "data_away" in asked:
            self.data.away = asked.pop("data_away")
        self.commands.update(asked)
        return json.dumps(self.counts | {"data_cut_left": left})

    def write_down(self, statement):
        kind_and_begin = (statement.kind, statement.shape[:400])
        if self.log and kind_and_begin not in self.shapes:
            self.shapes.add(kind_and_begin)
            text = re.sub(r" (?=[.,)])|(?<=[.(]) ", "", " ".join(value for _, value in statement.tokens[:2000]))
            print(json.dumps({"kind": statement.kind, "sql": text}), file=self.log, flush=True)


class Session:
    def __init__(self, world: World, reader, writer):
        self.world, self.reader, self.writer = world, reader, writer
        self.temps: dict[str, dict] = {}
        self.keyed = False  # the last of them
        self.end_transaction()

    def end_transaction(self):
        self.snapshot, self.reads, self.writes = None, set(), set()

    # ---- the connection

    async def run(self):
        while True:
            size, code = struct.unpack("!II", await self.reader.readexactly(8))
            body = await self.reader.readexactly(size - 8)
            if code not in (80877103, 80877104):
                break
            self.writer.write(b"N")  # no TLS
        if code != 196608:
            return
        asked = body.split(b"\0")
        facts = dict(zip((x.decode() for x in asked[::2]), (x.decode() for x in asked[1::2])))
        self.writer.write(pack(b"R", struct.pack("!I", 3)))
        kind, body = await self.message()
        login = (facts["user"], body.rstrip(b"\0").decode())
        if kind != b"p" or time.monotonic() > self.world.logins.get(login, 0):
            self.writer.write(error_message("28000", f'password authentication failed for user "{facts["user"]}"', "FATAL"))
            return
        self.backend = await Backend.open(self.world.socket, "penstock", facts.get("database", "dev"))
        try:
            await self.backend.rows('SET search_path = "$user", public, penstock_double; SET timezone = \'UTC\'; '
                                    "SET enable_nestloop = off; SET enable_mergejoin = off; SET work_mem = '64MB'; SET jit = off")
            known = {"server_version": VERSION, "server_encoding": "UNICODE", "client_encoding": "UTF8", "integer_datetimes": "on"}
            self.writer.write(pack(b"R", struct.pack("!I", 0)) + b"".join(
                pack(b"S", name.encode() + b"\0" + value.encode() + b"\0") for name, value in known.items()) +
                pack(b"K", struct.pack("!II", self.backend.pid, 0)) + pack(b"Z", b"I"))
            while True:
                kind, body = await self.message()
                if kind == b"X":
                    return
                if kind != b"Q":
                    self.writer.write(error_message("0A000", "the double takes simple queries only") + pack(b"Z", self.backend.status))
                    continue
                await self.query(body[:-1].decode())
                await self.writer.drain()
        finally:
            self.backend.close()

    async def message(self):
        head = await self.reader.readexactly(5)
        return head[:1], await self.reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)

    # ---- a query: statements, up to the first that fails

    async def query(self, text: str):
        if text.startswith("--double "):
            answer = self.world.command(text[9:]).encode()
            self.writer.write(pack(b"T", struct.pack("!H", 1) + b"double\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0)) +
                              pack(b"D", struct.pack("!HI", 1, len(answer)) + answer) + pack(b"C", b"SELECT 1\0") +
                              pack(b"Z", self.backend.status))
            return
        try:
            statements = [Statement(tokens) for tokens in split(text)]
        except Refusal as refusal:
            self.world.counts["refused"] += 1
            print(f"double: refused: {refusal.message}: {text[:300]}", file=sys.stderr, flush=True)
            await self.fail(refusal.state, refusal.message)
            statements = []
        # Several statements are one transaction, unless a BEGIN among them makes it one that stays.
        kinds = {one.kind for one in statements}
        implicit = self.backend.status == b"I" and "begin" not in kinds and bool(kinds - {"set"})
        if implicit:
            await self.backend.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
        good = True
        for statement in statements:
            self.world.counts["statements"] += 1
            self.world.write_down(statement)
            good = await self.statement(statement)
            if not good:
                break
        if implicit and self.backend.status != b"I":
            if good and self.conflict():
                good = await self.violated()
            await self.backend.rows("COMMIT" if good else "ROLLBACK")
            self.ended(good)
        self.writer.write(pack(b"Z", self.backend.status))

    async def fail(self, state: str, message: str) -> bool:
        """The server below raises it, so that a transaction is aborted as it would be."""
        self.backend.send(f"DO $d$BEGIN RAISE EXCEPTION USING ERRCODE = {literal(state)}, MESSAGE = {literal(message)}; END$d$")
        await self.forward(self.backend, None)
        return False

    async def forward(self, backend, statement) -> bool:
        good = True
        async for kind, body in backend.answer():
            if kind == b"E":
                good = False
                self.writer.write(self.translated(fields_of(body)))
            elif kind == b"C" and statement is not None and statement.kind == "copy":
                self.writer.write(pack(b"C", b"COPY\0"))
            elif kind in (b"T", b"D", b"C"):
                self.writer.write(pack(kind, body))
        return good

    @staticmethod
    def translated(fields: dict[str, str]) -> bytes:
        state, message = fields.get("C", "XX000"), fields.get("M", "")
        if state == "23514" and (found := re.search(r"(\d+)$", fields.get("n", ""))):
            state, message = "22001", f"value too long for type character varying({found[1]})"
        if state == "40001":
            state, message = "XX000", "1023"
        return error_message(state, message, fields.get("S", "ERROR"))

    # ---- statements

    async def statement(self, statement) -> bool:
        kind = statement.kind
        if self.backend.status == b"E" and kind not in ("rollback", "commit"):
            return await self.fail("25P02", "current transaction is aborted, commands ignored until end of transaction block")
        if kind == "begin":
            self.world.counts["transactions"] += 1
            self.backend.send("BEGIN ISOLATION LEVEL REPEATABLE READ")
            return await self.forward(self.backend, statement)
        if kind in ("commit", "rollback"):
            return await self.finish(kind)
        if kind in ("set", "system", "lock", "drop", "schema", "key"):
            if kind == "key":  # PostgreSQL knows none
                schema, table = (value for word, value in statement.tokens if word == "str" and value != "'p'")
                self.backend.send(f"SELECT definition FROM penstock_double.keys WHERE schema_name = {schema} AND table_name = {table}")
                return await self.forward(self.backend, statement)
            if kind == "drop":
                self.temps.pop(statement.target[-1], None)
            self.backend.send(statement.text())
            return await self.forward(self.backend, statement)
        try:
            if kind in ("create", "create temp", "alter"):
                return await self.define(statement)
            return await self.work(statement)
        except Refusal as refusal:
            return await self.fail(refusal.state, refusal.message)
        except ServerError as error:  # of a question of the double's own
            self.writer.write(self.translated(error.fields))
            return False

    async def finish(self, kind: str) -> bool:
        cut = self.world.commands["cut"] if kind == "commit" and self.writes else None
        if cut == "before":
            self.was_cut()
        if kind == "commit" and self.backend.status == b"T" and self.conflict():
            return await self.violated()
        good = kind == "commit" and self.backend.status == b"T"
        self.backend.send(kind.upper())
        if cut == "after":
            async for _ in self.backend.answer():
                pass
            self.ended(good)
            self.was_cut()
        done = await self.forward(self.backend, None)
        self.ended(good and done)
        return done

    def was_cut(self):
        self.world.commands["cut"] = None
        self.world.counts["cuts"] += 1
        raise Cut()

    def ended(self, committed: bool):
        if committed and (self.reads or self.writes):
            self.world.clock += 1
            self.world.history = self.world.history[-999:] + [(self.world.clock, frozenset(self.reads), frozenset(self.writes))]
        if not committed:
            self.temps.clear()
        self.end_transaction()

    # ---- who came first

    def conflict(self) -> bool:
        """Is there a transaction that ended since our snapshot, before which and after which we would have to be?"""
        return self.snapshot is not None and any(
            end > self.snapshot and writes & self.reads and reads & self.writes for end, reads, writes in self.world.history)

    async def violated(self) -> bool:
        self.world.counts["raised"] += 1
        return await self.fail("XX000", "1023")

    def is_temp(self, name) -> bool:
        return len(name) == 1 and name[0] in self.temps

    def full(self, name) -> tuple[str, str]:
        return ("public", name[0]) if len(name) == 1 else name

    async def work(self, statement) -> bool:
        kind, target = statement.kind, statement.target
        to_target = kind in WRITES and not self.is_temp(target)
        for name in (target, statement.source):
            if name is None or self.is_temp(name):
                continue
            self.snapshot = self.world.clock if self.snapshot is None else self.snapshot
            if name is statement.source or kind in READS:
                self.reads.add(self.full(name))
            if name is target and kind in WRITES:
                self.writes.add(self.full(name))
        if to_target:
            table = ".".join(map(quoted, self.full(target)))
            try:
                await self.backend.rows(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            except ServerError as error:
                self.writer.write(self.translated(error.fields))
                return False
            asked = self.world.commands["raise_1023"] > 0 and "penstock_positions" not in table
            if asked:
                self.world.commands["raise_1023"] -= 1
            if asked or self.conflict():
                return await self.violated()
        return await self.perform(statement)

    async def perform(self, statement) -> bool:
        kind, planted = statement.kind, self.world.commands["planted"]
        if kind == "copy":
            return await self.copy(statement)
        if kind == "merge":
            if planted in ("on_conflict", "key_relied"):
                return await self.as_insert(statement, planted)
            if await self.meets_twice(statement):
                return await self.fail("XX000", "Found multiple matches to update the same tuple.")
        if kind == "merge remove":
            raise Refusal("0A000", "the double has no REMOVE DUPLICATES")
        self.backend.send(statement.text())
        good = await self.forward(self.backend, statement)
        if good and kind == "insert values" and planted == "position_outside" and ("ident", '"fates"') in statement.tokens:
            await self.backend.rows("COMMIT")
            await self.backend.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
        if good and kind == "insert values" and self.is_temp(statement.target):
            return await self.after_insert(statement, planted)
        return good

    async def after_insert(self, statement, planted) -> bool:
        table, refuse = quoted(statement.target[-1]), self.world.commands["refuse"]
        if refuse and refuse[0] in self.temps[statement.target[-1]]:
            bad = await self.backend.rows(f"SELECT 1 FROM {table} WHERE {quoted(refuse[0])} > {refuse[1]} LIMIT 1")
            if bad:
                return await self.fail("22003", "Numeric data overflow (refused on purpose)")
        if planted == "undeduplicated" and self.keyed:
            await self.backend.rows(f"INSERT INTO {table} SELECT * FROM {table}")
        return True

    async def meets_twice(self, statement) -> bool:
        tokens = statement.tokens
        begin = tokens.index(("word", "on")) + 1
        condition = statement.text(tokens[begin:tokens.index(("word", "when"))])
        target, source = (".".join(map(quoted, name)) for name in (statement.target, statement.source))
        rows = await self.backend.rows(f"SELECT 1 FROM {target} JOIN {source} ON {condition} GROUP BY {quoted(statement.target[-1])}.ctid "
                                       "HAVING count(*) > 1 LIMIT 1")
        return bool(rows)

    async def as_insert(self, statement, planted) -> bool:
        """What a client would send that believes in keys."""
        tokens = statement.tokens
        insert = len(tokens) - 1 - tokens[::-1].index(("word", "insert"))
        values = tokens.index(("word", "values"), insert)
        text = f"insert into {'.'.join(map(quoted, statement.target))} {statement.text(tokens[insert + 1:values])} select " \
               f"{statement.text(tokens[values + 2:-1])} from {quoted(statement.source[-1])}"
        if planted == "on_conflict":
            Statement(split(text + ' on conflict ("id") do nothing')[0])
        self.backend.send(text)
        return await self.forward(self.backend, statement)

    # ---- COPY

    async def copy(self, statement) -> bool:
        table = statement.target
        columns = self.temps[table[0]] if self.is_temp(table) else await self.columns_of(self.full(table))
        listed = []
        at = next(i for i, token in enumerate(statement.tokens) if token == ("word", "from"))
        listed = [name_of(value) for kind, value in statement.tokens[1 + 2 * len(table) - 1:at] if kind == "ident"]
        columns = {name: columns[name] for name in listed or columns}
        self.world.counts["copies"] += 1
        try:
            lines, bad = await asyncio.to_thread(load, self.world.s3, statement, columns, self.world.commands["refuse"])
        except LoadError as error:
            await self.write_errors(error.rows)
            return await self.fail("XX000", f"Load into table '{table[-1]}' failed.  Check 'sys_load_error_detail' system table for "
                                   "details." if error.rows else error.message)
        await self.write_errors(bad)
        if self.world.commands["planted"] == "undeduplicated" and self.keyed:
            lines = lines + lines
        self.backend.send(f"COPY {'.'.join(map(quoted, table))} ({', '.join(map(quoted, columns))}) FROM STDIN")
        kind, body = await self.backend.message()
        if kind == b"G":
            for i in range(0, len(lines), 2000):
                self.backend.writer.write(pack(b"d", ("\n".join(lines[i:i + 2000]) + "\n").encode()))
                await self.backend.writer.drain()
            self.backend.writer.write(pack(b"c"))
        elif kind == b"E":
            self.writer.write(self.translated(fields_of(body)))
        return await self.forward(self.backend, statement) and kind == b"G"

    async def write_errors(self, rows):
        for file, line, column, kind, code, message in rows:
            await self.world.admin.rows(
                "INSERT INTO penstock_double.load_errors (session_id, file_name, line_number, column_name, column_type, error_code, "
                f"error_message) VALUES ({self.backend.pid}, {literal(file)}, {line}, {literal(column)}, {literal(kind)}, {code}, "
                f"{literal(message)})")

    async def columns_of(self, name):
        rows = await self.backend.rows("SELECT column_name, data_type, length, digits, scale FROM penstock_double.columns WHERE schema_name = "
                                       f"{literal(name[0])} AND table_name = {literal(name[1])}")
        names = {long: short for short, long in FOUND_NAMES.items()}
        return {row[0]: (names.get(row[1], row[1]), int(row[2] or row[3] or 0), int(row[4] or 0), True) for row in rows}

    # ---- tables

    async def define(self, statement) -> bool:
        tokens, name = statement.tokens, self.full(statement.target)
        temp = statement.kind == "create temp"
        if statement.kind == "alter":
            columns = self.read_columns([tokens[tokens.index(("word", "column")) + 1:]])
            head, tail = f"ALTER TABLE {'.'.join(map(quoted, name))} ADD COLUMN ", ""
        else:
            begin = tokens.index(("op", "("))
            columns = self.read_columns(self.parts(tokens, begin))
            keys = [", ".join(name_of(value) for word, value in part if word == "ident") for part in self.parts(tokens, begin)
                    if part[0] == ("word", "primary")]
            words = "CREATE TEMP TABLE " if temp else "CREATE TABLE "
            head, tail = words + ".".join(map(quoted, statement.target if temp else name)) + " (", ")"
            self.check_keys(tokens[begin:], columns)
        exists = not temp and await self.backend.rows(f"SELECT to_regclass({literal('.'.join(map(quoted, name)))})")
        if exists and exists[0][0] and ("word", "exists") in tokens:
            self.writer.write(pack(b"C", b"CREATE TABLE\0"))
            return True
        self.backend.send(head + ", ".join(below for _, _, below in columns) + tail)
        if not await self.forward(self.backend, statement):
            return False
        if temp:
            self.keyed = ("word", "distkey") in tokens
            self.temps[name[1]] = {column: (kind, a, b, nullable) for column, (kind, a, b, nullable), _ in columns}
            return True
        for key in keys if statement.kind == "create" else []:
            await self.backend.rows(f"INSERT INTO penstock_double.keys VALUES ({literal(name[0])}, {literal(name[1])}, "
                                    f"{literal(f'PRIMARY KEY ({key})')})")
        for column, (kind, size, scale, _), _ in columns:
            text, digits = (size, "NULL") if kind in ("varchar", "varbyte") else ("NULL", size or "NULL")
            await self.backend.rows(
                f"INSERT INTO penstock_double.columns VALUES ({literal(name[0])}, {literal(name[1])}, {literal(column)}, "
                f"{literal(FOUND_NAMES.get(kind, kind))}, {text}, {digits}, {scale})")
        return True

    @staticmethod
    def parts(tokens, begin):
        """What stands between the commas of one pair of brackets."""
        parts, depth = [[]], 0
        for token in tokens[begin:]:
            depth += {"(": 1, ")": -1}.get(token[1], 0) if token[0] == "op" else 0
            if depth == 0:
                return parts
            if token == ("op", ",") and depth == 1:
                parts.append([])
            elif not (token == ("op", "(") and depth == 1 and parts == [[]]):
                parts[-1].append(token)
        return parts

    @staticmethod
    def read_columns(parts):
        """(name, (type, length or digits, scale, nullable), the column as PostgreSQL has it)"""
        columns = []
        for part in parts:
            if part[0][0] != "ident":
                continue  # PRIMARY KEY: for the planner only
            name = name_of(part[0][1])
            numbers = [int(value) for kind, value in part if kind == "num"]
            words = [value for kind, value in part if kind == "word"]
            nullable = words[-2:] != ["not", "null"]
            kind = " ".join(words if nullable else words[:-2])
            size, scale = numbers[0] if numbers else 0, numbers[1] if len(numbers) > 1 else 0
            if name in SYSTEM_NAMES or len(name.encode()) > 127:
                raise Refusal("42701", f'column name "{name}" conflicts with a system column name, or is too long')
            if kind == "varchar" and not 1 <= size <= 65535 or kind == "varbyte" and not 1 <= size <= 1024000:
                raise Refusal("22023", f"length for type {kind} cannot be {size}")
            if kind == "decimal" and not (1 <= size <= 38 and scale <= min(37, size)):
                raise Refusal("22023", f"DECIMAL precision {size} must be between 1 and 38")
            below = {"varchar": f'bpchar CONSTRAINT "bytes of {name[:40]} {size}" CHECK (octet_length({quoted(name)}) <= {size})',
                     "varbyte": f'penstock_double.varbyte CONSTRAINT "bytes of {name[:40]} {size}" CHECK (octet_length({quoted(name)}) <= '
                                f"{size * 2})", "decimal": f"numeric({size}, {scale})", "super": "penstock_double.super"}.get(kind, kind)
            columns.append((name, (kind, size, scale, nullable), f"{quoted(name)} {below}{'' if nullable else ' NOT NULL'}"))
        names = [name for name, _, _ in columns]
        if len(set(names)) < len(names) or len(names) > 1600:
            raise Refusal("42701", "a column is there twice, or there are more than 1600")
        return columns

    @staticmethod
    def check_keys(tokens, columns):
        kinds = {name: kind for name, (kind, *_), _ in columns}
        for word in ("distkey", "sortkey", "key"):
            if ("word", word) not in tokens:
                continue
            for kind, value in tokens[tokens.index(("word", word)) + 1:]:
                if kind == "ident" and kinds.get(name_of(value), "super") in ("super", "varbyte"):
                    raise Refusal("42601", f"{value} cannot be part of a key")
                if (kind, value) == ("op", ")"):
                    break


async def serve(options, ready):
    world = World(options)
    await world.start()
    sessions = set()  # asyncio itself keeps no hold of them

    async def client(reader, writer):
        if world.away:
            writer.close()
            return
        sessions.add(asyncio.current_task())
        world.writers.add(writer)
        session = Session(world, reader, writer)
        try:
            await session.run()
        except (asyncio.IncompleteReadError, ConnectionError, Cut):
            pass
        finally:
            sessions.discard(asyncio.current_task())
            world.writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", options.port, limit=1 << 24)
    ready(world, server.sockets[0].getsockname()[1])
    await server.serve_forever()


def tell(world, port, with_data):
    if with_data:
        sys.path.insert(0, str(HERE.parent / "stores"))
        import data_api
        from redshift_http import RedshiftHttp
        world.data = RedshiftHttp(execute=lambda sqls: data_api.run(port, sqls), database="penstock", looks=0)
        world.data.__enter__()
        print(f"port={port} data={world.data.url}", flush=True)
    else:
        print(f"port={port}", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--socket", required=True, help="of PostgreSQL: …/.s.PGSQL.PORT")
    options.add_argument("--s3", required=True)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--log")
    options.add_argument("--data", action="store_true")
    try:
        given = options.parse_args()

        def ready(world, port):
            tell(world, port, given.data)

        asyncio.run(serve(given, ready))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
