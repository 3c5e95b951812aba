"""A TCP proxy that speaks Kafka's framing: it can delay, cut, hold and repeat single requests.

One Proxy stands before all nodes of a cluster, a port for each; it answers for them by its own ports, so clients stay behind it.
A request is a frame: size, api key, api version, correlation id (KIP-482 and older alike begin so).

Thread: its own event loop; the methods may be called from any thread.
"""
import asyncio
import dataclasses
import struct
import threading

PRODUCE, FETCH, METADATA, FIND_COORDINATOR, JOIN_GROUP, DESCRIBE_CLUSTER = 0, 1, 3, 10, 11, 60
INIT_PRODUCER_ID, ADD_PARTITIONS, ADD_OFFSETS, END_TXN, TXN_OFFSET_COMMIT = 22, 24, 25, 26, 28
NAMES_BROKERS = (METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER)


@dataclasses.dataclass
class Rule:
    """What befalls the next `times` requests of an api key."""
    api: int
    what: str  # delay: held back for `seconds`; cut: the client's connection breaks instead; cut_after: it was delivered, and then;
    #            hold: cut, and delivered when release() is called; repeat: delivered twice, answered once;
    #            before, delivered, answered: `action` is run before the request is delivered (which it then is not), when it
    #            was, or when its answer is here and not handed on yet
    times: int = 1
    seconds: float = 0.0
    action: object = None  # called in the proxy's thread


class Connection:
    def __init__(self, proxy, client_reader, client_writer, node):
        self.proxy, self.node = proxy, node
        self.client_reader, self.client_writer = client_reader, client_writer
        self.upstream_reader = self.upstream_writer = None
        self.apis = {}  # correlation id -> api key, of requests on their way
        self.swallowed = set()  # correlation ids whose answer nobody waits for
        self.answering = {}  # correlation id -> the action to run before its answer is handed on
        self.late = set()  # correlation ids of what was held, then delivered, and is not answered yet
        self.detached = False  # the client is gone, what was held may still be sent

    async def run(self):
        try:
            self.upstream_reader, self.upstream_writer = await asyncio.open_connection("127.0.0.1", self.node, ssl=self.proxy.to_brokers)
            tasks = [asyncio.ensure_future(self.requests()), asyncio.ensure_future(self.answers())]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # whoever hung up: the other side is told so
        except OSError:
            pass
        finally:
            self.proxy.connections.discard(self)
            if not self.detached:
                self.close()

    def close(self):
        for writer in (self.client_writer, self.upstream_writer):
            if writer is not None:
                writer.close()

    async def frame(self, reader):
        size = await reader.readexactly(4)
        return size + await reader.readexactly(struct.unpack(">i", size)[0])

    async def requests(self):
        while True:
            frame = await self.frame(self.client_reader)
            api, _, correlation = struct.unpack(">hhi", frame[4:12])
            self.proxy.count(api)
            self.proxy.saw(self, frame)
            self.apis[correlation] = api
            rule = self.proxy.take(api)
            if rule is None:
                self.upstream_writer.write(frame)
            elif rule.what == "delay":
                await asyncio.sleep(rule.seconds)
                self.upstream_writer.write(frame)
            elif rule.what == "repeat":
                self.swallowed.add(correlation)
                self.upstream_writer.write(frame + frame)
            elif rule.what == "delivered":
                self.upstream_writer.write(frame)
                await self.upstream_writer.drain()
                rule.action()
            elif rule.what == "answered":
                self.answering[correlation] = rule.action
                self.upstream_writer.write(frame)
            elif rule.what == "cut_after":
                self.upstream_writer.write(frame)
                await self.upstream_writer.drain()
                self.client_writer.close()
                self.detached = True
                await asyncio.sleep(0.5)  # so that the broker reads it before the end of the stream
                self.upstream_writer.close()
                return
            else:  # before, cut, hold
                if rule.action is not None:
                    rule.action()
                self.client_writer.close()
                if rule.what == "hold":
                    self.detached = True
                    self.proxy.held.append((self, correlation, frame))
                else:
                    self.upstream_writer.close()
                return
            await self.upstream_writer.drain()

    async def answers(self):
        while True:
            frame = await self.frame(self.upstream_reader)
            correlation = struct.unpack(">i", frame[4:8])[0]
            if correlation in self.swallowed:
                self.swallowed.discard(correlation)  # the first of two; the second is handed on
                continue
            self.proxy.saw_answer(self, frame)
            if self.apis.pop(correlation, None) in NAMES_BROKERS:
                frame = self.proxy.renamed(frame)
            if action := self.answering.pop(correlation, None):
                result = action()
                if asyncio.iscoroutine(result):
                    await result
            if self.detached:
                self.late.discard(correlation)
                continue
            self.client_writer.write(frame)
            await self.client_writer.drain()


class Proxy:
    """`with Proxy([port of node 1, …]) as proxy:` listens on proxy.ports; proxy.bootstrap names them. With the two ssl contexts it
    speaks TLS to both sides."""

    def __init__(self, nodes, to_clients=None, to_brokers=None):
        self.nodes, self.to_clients, self.to_brokers = nodes, to_clients, to_brokers
        self.ports, self.connections, self.held = [], set(), []
        self.rules, self.seen = [], {}
        self.away = False  # nobody gets through
        self.lock = threading.Lock()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.on_loop(self.listen())
        return self

    def __exit__(self, *_):
        self.on_loop(self.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def on_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def listen(self):
        self.servers = []
        for node in self.nodes:
            server = await asyncio.start_server(lambda r, w, node=node: self.accept(r, w, node), "127.0.0.1", 0, ssl=self.to_clients)
            self.servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])

    async def accept(self, reader, writer, node):
        if self.away:
            return writer.close()
        connection = Connection(self, reader, writer, node)
        self.connections.add(connection)
        await connection.run()

    async def close(self):
        for server in self.servers:
            server.close()
        for connection in list(self.connections):
            connection.close()
        for _ in range(100):
            if not self.connections:
                return
            await asyncio.sleep(0.01)  # poll: until each has ended by itself

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def renamed(self, frame):
        """Host and port stand side by side in every answer that names brokers; a port is four bytes."""
        for node, port in zip(self.nodes, self.ports):
            frame = frame.replace(b"127.0.0.1" + struct.pack(">i", node), b"127.0.0.1" + struct.pack(">i", port))
        return frame

    # ---- for who only looks; called in the proxy's thread

    def saw(self, connection, frame):
        pass

    def saw_answer(self, connection, frame):
        pass

    # ---- faults

    def add(self, rule):
        with self.lock:
            self.rules.append(rule)

    def take(self, api):
        with self.lock:
            for rule in self.rules:
                if rule.api == api:
                    rule.times -= 1
                    if rule.times <= 0:
                        self.rules.remove(rule)
                    return rule
        return None

    def pending(self):
        with self.lock:
            return len(self.rules)

    def count(self, api):
        with self.lock:
            self.seen[api] = self.seen.get(api, 0) + 1

    def seen_of(self, api):
        with self.lock:
            return self.seen.get(api, 0)

    def cut_all(self):
        """Every connection breaks; how many there were."""
        async def cut():
            count = len(self.connections)
            for connection in list(self.connections):
                connection.close()
            return count
        return self.on_loop(cut())

    def go_away(self):
        """Every connection breaks, and none is taken until come_back()."""
        self.away = True
        return self.cut_all()

    def come_back(self):
        self.away = False

    def release(self):
        """Delivers what was held; how many requests that were."""
        return self.on_loop(self.deliver())

    async def deliver(self):
        """release() for an action: comes back when the broker has answered, or hung up."""
        held, self.held = self.held, []
        for connection, correlation, frame in held:
            connection.late.add(correlation)
            connection.upstream_writer.write(frame)
            await connection.upstream_writer.drain()
            while connection.late and not connection.upstream_reader.at_eof():
                await asyncio.sleep(0.005)  # poll: the connection's own task reads the answer
        return len(held)
