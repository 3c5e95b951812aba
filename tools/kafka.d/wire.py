"""The few requests of Kafka's protocol that tell whether a cluster is ready, without starting a Java tool for each."""
import socket
import struct
import time

METADATA, OFFSET_FETCH, FIND_COORDINATOR, INIT_PRODUCER_ID = 3, 9, 10, 22
COORDINATOR_ERRORS = (14, 15, 16)  # loading, not available, not this one


class Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, form: str):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self) -> str | None:
        size = self.take("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at].decode()


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def ask(port: int, key: int, version: int, body: bytes, seconds: float = 5) -> Reader:
    """One request to 127.0.0.1 and its answer. Raises OSError when nobody answers in time."""
    frame = struct.pack(">hhi", key, version, 1) + text("penstock-harness") + body
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
        wire.sendall(struct.pack(">i", len(frame)) + frame)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            more = wire.recv(65536)
            if not more:
                raise ConnectionError("the broker hung up")
            answer += more
    reader = Reader(answer)
    reader.at = 8  # size and correlation
    return reader


def cluster(port: int) -> tuple[str | None, list[int]]:
    """(cluster id, ids of the brokers that are alive)"""
    answer = ask(port, METADATA, 4, struct.pack(">i?", 0, False))
    answer.take("i")
    brokers = []
    for _ in range(answer.take("i")):
        brokers.append(answer.take("i"))
        answer.text(), answer.take("i"), answer.text()
    return answer.text(), brokers


def coordinator(port: int, key: str, kind: int) -> int | None:
    """The port of the coordinator of a group (kind 0) or a transactional id (kind 1), or None when there is none yet."""
    answer = ask(port, FIND_COORDINATOR, 1, text(key) + struct.pack(">b", kind))
    answer.take("i")
    error = answer.take("h")
    answer.text(), answer.take("i"), answer.text()
    return answer.take("i") if error == 0 else None


def groups_ready(port: int) -> bool:
    at = coordinator(port, "penstock-harness", 0)
    if at is None:
        return False
    answer = ask(at, OFFSET_FETCH, 2, text("penstock-harness") + struct.pack(">i", 0))
    answer.take("i")  # no topics
    return answer.take("h") == 0


def transactions_ready(port: int) -> bool:
    at = coordinator(port, "penstock-harness", 1)
    if at is None:
        return False
    answer = ask(at, INIT_PRODUCER_ID, 0, text("penstock-harness") + struct.pack(">i", 1000))
    answer.take("i")
    return answer.take("h") == 0


def wait(condition, seconds: float, pause: float = 0.05) -> bool:
    """Asks until it holds. An OSError is a no: the broker may be on its way up."""
    until = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return True
        except OSError:
            pass
        if time.monotonic() > until:
            return False
        time.sleep(pause)
