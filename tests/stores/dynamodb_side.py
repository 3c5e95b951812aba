"""A DynamoDB Local behind a proxy that fails, and what stands in its tables."""
import http.client
import json
import os
import pathlib
import sys
import time

from campaign import ROWS, Side, check, check_newest, check_sums, wait_until
from dynamodb_proxy import Proxy

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "with_dynamodb"
SERVER = "PENSTOCK_TEST_DYNAMODB"


def server_port():
    """Of the DynamoDB Local that this script runs beside: it begins again under one."""
    if SERVER not in os.environ:
        os.execv(TOOL, [str(TOOL), sys.executable, *sys.argv])
    return int(os.environ[SERVER].rsplit(":", 1)[1])


class Tables:
    """What stands in the tables of an access key, read without signatures: DynamoDB Local looks at the key's name only."""

    def __init__(self, server_port, key):
        self.server_port, self.key = server_port, key

    def ask(self, operation, request):
        connection = http.client.HTTPConnection("127.0.0.1", self.server_port, timeout=60)
        sign = f"AWS4-HMAC-SHA256 Credential={self.key}/20260101/eu-north-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
        connection.request("POST", "/", json.dumps(request), {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": sign,
                                                             "X-Amz-Date": "20260101T000000Z",
                                                             "Content-Type": "application/x-amz-json-1.0"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise SystemExit(f"FAILED: {operation}: {body}")
        return body

    def items(self, table):
        start = {}
        while True:
            page = self.ask("Scan", {"TableName": table, "ConsistentRead": True, **start})
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


class DynamoDbSide(Side):
    surely = ["kill -9 before the position", "part BatchWriteItem", "expired"]
    # What a put and a position meet most.
    often = ["kill -9 before the position", "throttle PutItem", "part BatchWriteItem", "cut after UpdateItem", "cut after PutItem"]

    def __init__(self, server_port):
        self.proxy = Proxy(server_port)
        self.tables = Tables(server_port, self.proxy.key)
        self.refuse, self.allow = self.proxy.refuse, self.proxy.allow
        self.environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.proxy.port}/credentials",
                            "AWS_REGION": "eu-north-1"}
        self.faults = {f"{fault} {operation}": (lambda fault=fault, operation=operation: self.fail(operation, fault))
                       for fault in ("throttle", "500", "cut before", "cut after")
                       for operation in ("PutItem", "BatchWriteItem", "UpdateItem")}
        self.faults |= {"part BatchWriteItem": lambda: self.fail("BatchWriteItem", "part"),
                        "garbage PutItem": lambda: self.fail("PutItem", "garbage"),
                        "garbage BatchWriteItem": lambda: self.fail("BatchWriteItem", "garbage"),
                        "garbage UpdateItem": lambda: self.fail("UpdateItem", "garbage"),
                        "slow": self.slow, "hot key": self.hot, "expired": self.expire, "no rights": self.deny,
                        "storm": self.storm, "kill -9 before the position": self.kill_between}

    def use(self):
        os.environ.update(self.environment)

    def settings(self):
        return f"{{endpoint: \"http://127.0.0.1:{self.proxy.port}\", create: true}}"

    def count(self):
        return len(self.proxy.rows)

    # ---- faults

    def fail(self, operation, fault, times=3):
        for _ in range(times):
            self.proxy.arm(operation, fault)
        bites = wait_until(lambda: not self.proxy.armed, 20)
        self.proxy.armed.clear()
        return bites

    def storm(self):
        """Throttled from all sides."""
        for operation in ("PutItem", "BatchWriteItem", "UpdateItem"):
            for _ in range(20):
                self.proxy.arm(operation, "throttle")
        wait_until(lambda: not self.proxy.armed, 5)
        bites = len(self.proxy.armed) < 40
        self.proxy.armed.clear()
        return bites

    def kill_between(self):
        """When rows are there and their positions are not."""
        for _ in range(200):
            self.proxy.arm("UpdateItem", "throttle")
        bites = wait_until(lambda: len(self.proxy.armed) < 195, 20)
        self.kill(self.proxy.armed.clear)
        return bites

    def slow(self):
        self.proxy.delay = 0.05
        before = self.count()
        wait_until(lambda: self.count() > before + 200, 10)
        self.proxy.delay = 0.0

    def for_a_while(self, met):
        """Until it was met, and then two seconds more."""
        bites = wait_until(met, 20)
        moment = time.monotonic() + 2.0
        wait_until(lambda: time.monotonic() > moment, 10)
        return bites

    def hot(self):
        meter = next(iter(self.proxy.newest))
        self.proxy.hot, self.proxy.hot_met = f'"{meter}"'.encode(), 0
        bites = self.for_a_while(lambda: self.proxy.hot_met > 0)
        self.proxy.hot = None
        return bites

    def expire(self):
        """Only who asks for the new ones goes on."""
        before = self.proxy.counts["expired"]
        self.proxy.token += 1
        return wait_until(lambda: self.proxy.counts["expired"] > before, 20)

    def deny(self):
        before = self.proxy.counts["refused"]
        self.proxy.refusing = "AccessDeniedException"
        bites = self.for_a_while(lambda: self.proxy.counts["refused"] > before)
        self.proxy.refusing = None
        return bites

    # ---- what is there, read around the proxy

    def check_rows(self, table="readings"):
        found, count = {}, 0
        for item in self.tables.items(table):
            count += 1
            key, kwh = (item["meter_id"]["S"], item["at"]["S"][:10]), float(item["kwh"]["N"])
            sum_, peak, rows = found.get(key, (0.0, 0.0, 0))
            found[key] = (sum_ + kwh, max(peak, kwh), rows + 1)
        check(count == ROWS, f"DynamoDB: {count} rows of {ROWS}: every row once")
        check_sums("DynamoDB", found)
        check(not self.proxy.broken_limits, f"DynamoDB: batches keep the service's limits {self.proxy.broken_limits[:3]}")

    def check_latest(self):
        check_newest("DynamoDB", {item["meter_id"]["S"]: float(item["kwh"]["N"]) for item in self.tables.items("meter_latest")})
        check(not self.proxy.gone_back, f"DynamoDB: no item ever went back to an older reading {self.proxy.gone_back[:3]}")
