"""A TCP proxy that speaks PostgreSQL's framing: it cuts a connection at a chosen request, slows it, or refuses all.

A request is a Query or the end of a COPY. Each is named by what it begins with: begin, copy, merge (SAVEPOINT), commit, other.

Thread: its own event loop; the methods may be called from any thread.
"""
import asyncio
import struct
import threading

KINDS = {b"BEGIN": "begin", b"SAVEPOINT": "merge", b"COMMIT": "commit"}


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.swallows = False  # the answer to the request is lost, and then the connection

    def close(self):
        for _, writer in (self.client, self.server):
            writer.close()

    async def requests(self):
        reader, (_, to_server) = self.client[0], self.server
        to_server.write(await self.message(reader, typed=False))
        while True:
            message = await self.message(reader)
            kind = kind_of(message)
            if kind is not None:
                await asyncio.sleep(self.proxy.delay)  # poll: the slowness itself
                cut = self.proxy.cut_for(kind)
                if cut == "before":
                    return self.close()
                self.swallows = self.swallows or cut == "after"
            to_server.write(message)
            await to_server.drain()

    async def answers(self):
        reader, (_, to_client) = self.server[0], self.client
        while True:
            message = await self.message(reader)
            if not self.swallows:
                to_client.write(message)
                await to_client.drain()
            elif message[:1] in b"ZG":  # ready, or ready for the COPY: it was done
                return self.close()

    async def message(self, reader, typed=True):
        head = await reader.readexactly(5 if typed else 4)
        size = struct.unpack(">i", head[-4:])[0]
        return head + await reader.readexactly(size - 4)


def kind_of(message):
    if message[:1] == b"c":
        return "copy"
    if message[:1] != b"Q":
        return None
    return next((kind for words, kind in KINDS.items() if message[5:].startswith(words)), "other")


class Proxy:
    def __init__(self, server_port):
        self.server_port, self.port, self.delay = server_port, 0, 0.0
        self.cuts = []  # (kind, "before" or "after")
        self.connections, self.listener = set(), None
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.call(self.listen())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def listen(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", self.port)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def serve(self, *client):
        try:
            server = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            return client[1].close()
        connection = Connection(self, client, server)
        self.connections.add(connection)
        try:
            await asyncio.gather(connection.requests(), connection.answers())
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(connection)
            connection.close()

    def cut_for(self, kind):
        if self.cuts and self.cuts[0][0] == kind:
            return self.cuts.pop(0)[1]
        return None

    def cut(self, kind, when):
        """The next request of that kind is lost, before or after it was done."""
        self.cuts.append((kind, when))

    def refuse(self):
        """Connections end, and new ones are refused, until allow()."""
        self.call(self.stop())

    async def stop(self):
        self.listener.close()
        await self.listener.wait_closed()
        for connection in list(self.connections):
            connection.close()

    def allow(self):
        self.call(self.listen())
