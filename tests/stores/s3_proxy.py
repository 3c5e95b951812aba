"""A proxy before an S3 that fails on demand: before or after a request took effect, by its answer, or by bytes that change on the way.

arm("PUT", "partNumber", kind, times) lets the next requests of that method whose address holds that text fail:
  500, slowdown    refused, not passed on          cut, cut after    the connection ends, without or with effect
  inside, inside after    200 with an error in it, without or with effect          slow    the answer trickles
  damage up, damage down  a byte of the request or of the answer is another one
The same over HTTP, for programs: POST /-/arm with the JSON of one; GET /-/log says what came and how it ended.

With `rate` each request fails with that probability, in one of the ways that a client has to bear.

Thread      a thread for each connection; the methods from any.
"""
import http.client
import http.server
import json
import random
import socket
import threading
import urllib.parse

from aws_signed import Refusal, Server

BORNE = ("500", "slowdown", "cut", "cut after", "damage up")
INSIDE = Refusal(200, "InternalError", "We encountered an internal error. Please try again.").body().encode()


class S3Proxy:
    def __init__(self, target: str, rate=0.0, seed=1):
        self.target = urllib.parse.urlsplit(target)
        self.rate, self.dice = rate, random.Random(seed)
        self.armed, self.log, self.lock = [], [], threading.Lock()
        self.server = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"proxy": self}))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def arm(self, method, part, kind, times=1):
        with self.lock:
            self.armed.append([method, part, kind, times])

    def next_fault(self, method, path):
        with self.lock:
            kind = ""
            for one in self.armed:
                if one[3] > 0 and one[0] == method and one[1] in path:
                    one[3] -= 1
                    kind = one[2]
                    break
            else:
                if self.rate and self.dice.random() < self.rate:
                    kind = self.dice.choice(BORNE)
            self.log.append({"method": method, "path": path, "fault": kind})
            return kind


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    proxy = None
    backend = None

    def log_message(self, *_):
        pass

    def finish(self):
        super().finish()
        if self.backend:
            self.backend.close()

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/-/"):
            return self.control(body)
        kind = self.proxy.next_fault(self.command, self.path)
        if kind in ("500", "slowdown"):
            code = ("InternalError", 500) if kind == "500" else ("SlowDown", 503)
            return self.answer(code[1], [], Refusal(code[1], code[0]).body().encode())
        if kind == "inside":
            return self.answer(200, [], INSIDE)
        if kind == "cut":
            return self.cut()
        status, headers, answer = self.forward(damaged(body) if kind == "damage up" else body)
        if kind == "cut after":
            return self.cut()
        if kind == "inside after":
            return self.answer(200, [], INSIDE)
        self.answer(status, headers, damaged(answer) if kind == "damage down" else answer, slowly=kind == "slow")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

    def control(self, body):
        if self.path == "/-/arm":
            self.proxy.arm(*json.loads(body))
            return self.answer(200, [], b"")
        with self.proxy.lock:
            return self.answer(200, [], json.dumps(self.proxy.log).encode())

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def forward(self, body):
        if self.backend is None:
            self.backend = http.client.HTTPConnection(self.proxy.target.hostname, self.proxy.target.port, timeout=60)
        self.backend.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self.backend.putheader(name, value)
        self.backend.endheaders(body)
        got = self.backend.getresponse()
        return got.status, got.getheaders(), got.read()

    def answer(self, status, headers, body, slowly=False):
        self.send_response_only(status)
        lengths = [v for n, v in headers if n.lower() == "content-length"] if self.command == "HEAD" else []
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", lengths[0] if lengths else str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if not slowly:
            self.wfile.write(body)
            return
        for at in range(0, len(body), max(1, len(body) // 20)):
            self.wfile.write(body[at:at + max(1, len(body) // 20)])
            self.wfile.flush()
            threading.Event().wait(0.01)  # a wire with little room


def damaged(body: bytes) -> bytes:
    return body[:len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1:] if body else body
