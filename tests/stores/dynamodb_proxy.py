"""An HTTP proxy before DynamoDB Local that fails on demand, gives out credentials that expire, and keeps account of every put.

A request is named by its operation (PutItem, BatchWriteItem, UpdateItem for positions). arm() lets the next one fail: "throttle",
"500", "garbage", "part" (half of a batch is left unprocessed), "cut before" and "cut after" (it was done). While `refusing` is a
code, every request is refused by it. Batches that break the service's limits are refused, and told.

The account: what each put that took effect replaced. An item that goes back to an older reading is in `gone_back`.

Thread      a thread for each connection; the methods may be called from any thread.
"""
import collections
import http.client
import http.server
import json
import random
import socket
import socketserver
import threading
import time

CODES = {"throttle": (400, "ProvisionedThroughputExceededException"), "500": (500, "InternalServerError")}
BATCH_MAX = 25


# ---- clients with a bug, made of ours by what is changed in its requests and answers

def put_always(operation, request):
    """An item that may change, without a condition."""
    if operation == "PutItem":
        request.pop("ConditionExpression", None)
        request.pop("ExpressionAttributeValues", None)


def draw_keys_anew(operation, request):
    """A row that gets another key each time it is sent: a blind repeat is a row more."""
    if operation == "BatchWriteItem":
        for puts in request["RequestItems"].values():
            for put in puts:
                put["PutRequest"]["Item"]["at"]["S"] += f" {random.random()}"


PLANTED = {"put_always": put_always, "draw_keys_anew": draw_keys_anew, "forget_unprocessed": lambda *_: None}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.backend = None
        self.server.proxy.sockets.add(self.connection)

    def finish(self):
        self.server.proxy.sockets.discard(self.connection)
        if self.backend:
            self.backend.close()

    def do_GET(self):
        self.answer(200, json.dumps(self.server.proxy.credentials()).encode())

    def do_POST(self):
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rsplit(".", 1)[1]
        time.sleep(proxy.delay)  # poll: the slowness itself
        refused = proxy.asked(self.headers, operation, body) or proxy.refusal(operation, body, self.headers.get("X-Amz-Security-Token"))
        if refused:
            return self.answer(*refused)
        fault = proxy.fault_for(operation)
        if fault in CODES:
            return self.answer(CODES[fault][0], proxy.refused(CODES[fault][1]))
        if fault == "cut before":
            return self.cut()
        body = proxy.planted_in(operation, body)
        left, body = proxy.split(body) if fault == "part" else (None, body)
        with proxy.one_put_at_a_time(operation):
            status, answer = self.forward(body)
            if status == 200:
                proxy.account(operation, body)
        if fault == "cut after":
            return self.cut()
        if left and proxy.planted != "forget_unprocessed":
            answer = json.dumps(json.loads(answer) | {"UnprocessedItems": left}).encode()
        if fault == "garbage":
            answer = b'{"Attributes":\xff[' + answer[:20]
        self.answer(status, answer)

    def forward(self, body):
        """Tables belong to an access key: always to the same."""
        words = self.headers["Authorization"].split("/", 1)
        headers = {name: self.headers[name] for name in ("X-Amz-Target", "Content-Type", "X-Amz-Date")}
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={self.server.proxy.key}/{words[1]}"
        if self.backend is None:
            self.backend = http.client.HTTPConnection("127.0.0.1", self.server.proxy.server_port, timeout=60)
            self.backend.connect()
            self.backend.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.backend.request("POST", "/", body, headers)
        answer = self.backend.getresponse()
        return answer.status, answer.read()

    def answer(self, status, body):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            if status != 200 and self.server.proxy.retry_after is not None:
                self.send_header("x-amz-retry-after", str(self.server.proxy.retry_after))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # whoever asked is gone
            self.close_connection = True

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # a connection that was cut


class Proxy:
    def __init__(self, server_port, key="AKIATEST"):
        self.server_port, self.key, self.port, self.delay = server_port, key, 0, 0.0
        self.sockets, self.lock, self.puts_lock = set(), threading.Lock(), threading.Lock()
        self.armed, self.refusing, self.hot, self.hot_met = [], None, None, 0
        self.planted, self.retry_after, self.arrivals = None, None, collections.deque(maxlen=100)
        self.token, self.counts = 1, collections.Counter()
        self.newest, self.gone_back, self.broken_limits, self.rows = {}, [], [], set()
        self.allow()

    # ---- away

    def allow(self):
        self.listener = Listener(("127.0.0.1", self.port), Handler)
        self.listener.proxy, self.port = self, self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def refuse(self):
        """Connections end, and new ones are refused, until allow()."""
        self.listener.shutdown()
        self.listener.server_close()
        for each in list(self.sockets):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it ended by itself

    def asked(self, headers, operation, body):
        """For who looks before anything else: a refusal, or None."""

    # ---- faults

    def arm(self, operation, fault):
        with self.lock:
            self.armed.append((operation, fault))

    def fault_for(self, operation):
        with self.lock:
            self.counts[operation] += 1
            self.arrivals.append((operation, time.monotonic()))
            for each in self.armed:
                if each[0] == operation:
                    self.armed.remove(each)
                    return each[1]
        return None

    def credentials(self):
        return {"AccessKeyId": self.key, "SecretAccessKey": "secret", "Token": f"token-{self.token}", "Expiration": "2099-01-01T00:00:00Z"}

    def refusal(self, operation, body, token):
        if token != f"token-{self.token}":
            self.counts["expired"] += 1
            return 400, self.refused("ExpiredTokenException")
        if self.refusing:
            self.counts["refused"] += 1
            return 400, self.refused(self.refusing)
        if self.hot and operation == "PutItem" and self.hot in body:
            self.hot_met += 1
            return 400, self.refused("ThrottlingException")
        if operation == "BatchWriteItem" and self.breaks_limits(body):
            return 400, self.refused("ValidationException")
        return None

    @staticmethod
    def refused(code):
        return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "as the test wants it"}).encode()

    def breaks_limits(self, body):
        for table, requests in json.loads(body)["RequestItems"].items():
            if len(requests) > BATCH_MAX:
                self.broken_limits.append(f"{len(requests)} items in {table}")
                return True
        return False

    def planted_in(self, operation, body):
        if self.planted is None:
            return body
        request = json.loads(body)
        PLANTED[self.planted](operation, request)
        return json.dumps(request).encode()

    @staticmethod
    def split(body):
        """What stays undone, and the request without it."""
        request = json.loads(body)
        left = {table: puts[len(puts) // 2:] for table, puts in request["RequestItems"].items()}
        kept = {table: puts[:len(puts) // 2] for table, puts in request["RequestItems"].items()}
        if not all(kept.values()):
            return None, body
        return left, json.dumps(request | {"RequestItems": kept}).encode()

    # ---- the account

    def one_put_at_a_time(self, operation):
        """So that the account is in the order of the service."""
        return self.puts_lock if operation == "PutItem" else threading.Lock()

    def account(self, operation, body):
        if operation == "PutItem":
            item = json.loads(body)["Item"]
            meter, at = item["meter_id"]["S"], item["at"].get("S") or int(item["at"]["N"])
            if at < self.newest.get(meter, at):
                self.gone_back.append((meter, at, self.newest[meter]))
            self.newest[meter] = at
        elif operation == "BatchWriteItem":
            with self.lock:
                self.rows |= {(put["PutRequest"]["Item"]["meter_id"]["S"], str(put["PutRequest"]["Item"]["at"]))
                              for puts in json.loads(body)["RequestItems"].values() for put in puts}
