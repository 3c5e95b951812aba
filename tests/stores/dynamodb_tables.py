"""A table of DynamoDB for each tenant, what `plan` says of them, and the capacity used on /metrics, on a real DynamoDB Local."""
import json
import pathlib
import tempfile

from campaign import Process, check, penstock, wait_until
from dynamodb_side import DynamoDbSide, server_port

PIPELINE = """pipeline: p
version: 1
schemas: {{reading: reading.avsc}}
topics: {{ingest: {{schema: reading, key: meter_id, partitions: 2}}}}
tenants: [alpine, baltic]
stages: {{writer: {{from: ingest, to: usage}}}}
stores: {{usage: {{dynamodb: "usage_<tenant>", key: [meter_id, at], newest_by: at, expire_after: 30d}}}}
dead_letters: {{stop_above: 100% over 1m}}
targets: {{dynamo: {{log: embedded, stores: {{usage: {settings}}}}}}}
"""
FIELDS = [("meter_id", "string"), ("tenant", "string"), ("at", "long")]


def scenario(folder):
    side = DynamoDbSide(server_port())
    side.use()
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(PIPELINE.format(settings=side.settings()))
    (folder / "reading.avsc").write_text(json.dumps({"type": "record", "name": "Reading",
                                                     "fields": [{"name": name, "type": type_} for name, type_ in FIELDS]}))
    text = penstock("plan", folder, "-t", "dynamo")
    check('table "usage_alpine" is not there' in text and 'table "usage_baltic" is not there' in text, "plan shows the tables that are missing")
    check('table "usage_baltic": key meter_id (S, partition key), at (N, sort key); on demand; items leave by penstock_expires' in text,
          "and keys, billing and expiry of those to be made")
    run = Process(folder, "run", ["run", folder, "-t", "dynamo"], {})
    check(wait_until(lambda: run.metric("worker_ready") > 0, 60), "it runs")
    lines = [{"meter_id": "m1", "tenant": tenant, "at": 1} for tenant in ("alpine", "baltic", "nordic")]
    penstock("send", folder, "-t", "dynamo", "--to", "ingest", "-", stdin="".join(json.dumps(line) + "\n" for line in lines))

    def tenants(table):
        return [item["tenant"]["S"] for item in side.tables.items(table)]

    check(wait_until(lambda: tenants("usage_alpine") and tenants("usage_baltic"), 30), "rows arrive")
    check((tenants("usage_alpine"), tenants("usage_baltic")) == (["alpine"], ["baltic"]), "each tenant's in its own table, one key in both")
    letters = wait_until(lambda: json.loads(penstock("dead", folder, "-t", "dynamo", "-o", "json"))["letters"], 30)
    check([letter["reason"] for letter in letters] == ["route.unknown"], "a tenant that is not declared is a dead letter")
    check(set(side.tables.ask("ListTables", {})["TableNames"]) == {"penstock_positions", "usage_alpine", "usage_baltic"}, "and has no table")
    # Two rows, and the claims and swaps of two partitions' positions.
    check(wait_until(lambda: run.metric("store_write_units_total") >= 4, 30), "metrics tell the capacity used")
    check(run.metric("store_requests_total") >= 6 and run.metric("store_throttled_total") == 0, "and the requests")
    side.proxy.retry_after = 1500  # ms; our own pause would be a second at the most
    side.proxy.arm("PutItem", "throttle")
    penstock("send", folder, "-t", "dynamo", "--to", "ingest", "-", stdin=json.dumps(lines[0] | {"at": 2}) + "\n")
    check(wait_until(lambda: run.metric("store_throttled_total") == 1, 30), "and the throttles")
    check(wait_until(lambda: len(tenants("usage_alpine")) == 2, 30), "what was throttled comes again")
    puts = [moment for operation, moment in side.proxy.arrivals if operation == "PutItem"]
    check(puts[-1] - puts[-2] >= 1.5, "when the service wanted it")
    run.signal(15)
    check(run.wait(60) == 0, "the run ends well")
    check("as the records need it" in penstock("plan", folder, "-t", "dynamo"), "plan says that the tables fit")
    side.tables.ask("DeleteTable", {"TableName": "usage_alpine"})
    side.tables.ask("CreateTable", {"TableName": "usage_alpine", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                             "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                             "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 7}})
    text = penstock("plan", folder, "-t", "dynamo").split("what differs from the records:")[1].split("as it is to be:")[0]
    for words in ("has the key id (S, partition key)", "is provisioned for 7 write units a second", "lets no item expire yet"):
        check(f'table "usage_alpine" {words}' in text, f"plan says that a table {words}")
    check("usage_baltic" not in text, "and nothing of one that fits")


if __name__ == "__main__":
    server_port()
    with tempfile.TemporaryDirectory() as temporary:
        scenario(pathlib.Path(temporary) / "p")
