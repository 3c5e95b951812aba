"""PostgreSQL's protocol 3, as much as the double and its tests need: messages, a client that waits, one that does not."""
import asyncio
import socket
import struct


def pack(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(user: str, database: str) -> bytes:
    body = struct.pack("!I", 196608) + b"".join(x.encode() + b"\0" for x in ("user", user, "database", database)) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def error_message(state: str, message: str, severity: str = "ERROR") -> bytes:
    fields = {"S": severity, "V": severity, "C": state, "M": message}
    return pack(b"E", b"".join(name.encode() + text.encode() + b"\0" for name, text in fields.items()) + b"\0")


def fields_of(body: bytes) -> dict[str, str]:
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def row_of(body: bytes) -> list:
    count, at, row = struct.unpack_from("!H", body)[0], 2, []
    for _ in range(count):
        size = struct.unpack_from("!i", body, at)[0]
        at += 4
        row.append(None if size < 0 else body[at:at + size].decode())
        at += max(size, 0)
    return row


class ServerError(Exception):
    def __init__(self, fields: dict[str, str]):
        super().__init__(f"{fields.get('M')} ({fields.get('C')})")
        self.fields = fields


class Backend:
    """A connection to the PostgreSQL below, over its socket, which asks for no password."""

    @classmethod
    async def open(cls, path: str, user: str, database: str):
        self = cls()
        self.reader, self.writer = await asyncio.open_unix_connection(path, limit=1 << 20)
        self.writer.write(startup(user, database))
        self.pid, self.status = 0, b"I"
        async for kind, body in self.answer():
            if kind == b"K":
                self.pid = struct.unpack("!I", body[:4])[0]
            if kind == b"E":
                raise ServerError(fields_of(body))
        return self

    async def message(self):
        head = await self.reader.readexactly(5)
        return head[:1], await self.reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)

    async def answer(self):
        """Messages up to ReadyForQuery, whose status is kept."""
        while True:
            kind, body = await self.message()
            if kind == b"Z":
                self.status = body
                return
            if kind in (b"N", b"S", b"A"):
                continue
            yield kind, body

    def send(self, sql: str):
        self.writer.write(pack(b"Q", sql.encode() + b"\0"))

    async def rows(self, sql: str) -> list[list]:
        """For the double's own questions; an error is ServerError."""
        self.send(sql)
        rows, error = [], None
        async for kind, body in self.answer():
            if kind == b"D":
                rows.append(row_of(body))
            if kind == b"E":
                error = fields_of(body)
        if error:
            raise ServerError(error)
        return rows

    def close(self):
        self.writer.close()


class Client:
    """For scripts: waits for each answer."""

    def __init__(self, port: int, user: str = "penstock", password: str = "penstock", database: str = "penstock", host: str = "127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=120)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(startup(user, database))
        while True:
            kind, body = self.message()
            if kind == b"R" and struct.unpack("!I", body[:4])[0] == 3:
                self.socket.sendall(pack(b"p", password.encode() + b"\0"))
            if kind == b"E":
                raise ServerError(fields_of(body))
            if kind == b"Z":
                break

    def message(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise ConnectionError("the connection is gone")
        return head[:1], self.file.read(struct.unpack("!I", head[1:])[0] - 4)

    def run(self, sql: str) -> list[list]:
        self.socket.sendall(pack(b"Q", sql.encode() + b"\0"))
        rows, error = [], None
        while True:
            kind, body = self.message()
            if kind == b"D":
                rows.append(row_of(body))
            elif kind == b"E":
                error = fields_of(body)
            elif kind == b"Z":
                if error:
                    raise ServerError(error)
                return rows

    def close(self):
        self.file.close()
        self.socket.close()
