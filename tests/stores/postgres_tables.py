"""A reference table that a query fills, and a store with a table for each tenant, on a real PostgreSQL.

Each epoch joins with one version; a refresh brings the next; an outage keeps the last and tells; a tenant that is not declared is
a dead letter, and no table is made for it.
"""
import json
import os
import pathlib
import tempfile

from campaign import BINARY, Process, check, penstock, wait_until
from pg_proxy import Proxy
from postgres_side import PASSWORD, Server

PIPELINE = """pipeline: p
version: 1
schemas: {{reading: reading.avsc}}
topics: {{ingest: {{schema: reading, key: meter_id, partitions: 2}}}}
tenants: [alpine, baltic]
tables:
  meters: {{postgres: "select meter_id, tenant from meters", key: meter_id, refresh: 1s, types: {{meter_id: string, tenant: string}},
           host: 127.0.0.1, port: {port}, database: penstock, user: penstock, password: "${{secret:warehouse}}", tls: off}}
stages:
  writer:
    from: ingest
    steps: [{{join: {{table: meters, by: meter_id, take: [tenant]}}}}]
    to: usage
stores: {{usage: {{postgres: "usage_<tenant>", upsert_on: [meter_id, at], create: true}}}}
dead_letters: {{stop_above: 100% over 1m}}
targets:
  pg:
    log: embedded
    stores:
      usage: {{host: 127.0.0.1, port: {port}, database: penstock, user: penstock, password: "${{secret:warehouse}}", tls: off}}
"""
SCHEMA = {"type": "record", "name": "Reading", "fields": [{"name": "meter_id", "type": "string"}, {"name": "at", "type": "long"}]}


def main():
    os.environ.update(PASSWORD)
    with tempfile.TemporaryDirectory() as temporary:
        os.chmod(temporary, 0o755)
        with Server(pathlib.Path(temporary) / "pg") as server:
            scenario(pathlib.Path(temporary) / "p", server)


def scenario(folder, server):
    proxy = Proxy(server.port)
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(PIPELINE.format(port=proxy.port))
    (folder / "reading.avsc").write_text(json.dumps(SCHEMA))
    server.change("create table meters (meter_id text, tenant text); insert into meters values ('m1', 'alpine'), ('m2', 'baltic'), "
                   "('m3', 'nordic')")
    text = penstock("plan", folder, "-t", "pg")
    check('CREATE TABLE "public"."usage_alpine"' in text and '"usage_baltic"' in text, "plan shows the tables that are missing")
    run = Process(folder, "run", ["run", folder, "-t", "pg"], PASSWORD)
    check(wait_until((folder / ".penstock" / "control.sock").exists, 60), "it runs")

    def send(meter, at):
        penstock("send", folder, "-t", "pg", "--to", "ingest", "-", "--again",
                 stdin=json.dumps({"meter_id": meter, "at": at}) + "\n")

    def rows(tenant):
        return server.ask(f"select meter_id, at from usage_{tenant} order by 1, 2")

    for meter in ("m1", "m2", "m3"):
        send(meter, 1)
    check(wait_until(lambda: rows("alpine") == [["m1", "1"]] and rows("baltic") == [["m2", "1"]], 30), "each tenant has its own rows")
    letters = wait_until(lambda: json.loads(penstock("dead", folder, "-t", "pg", "-o", "json"))["letters"], 30)
    check([letter["reason"] for letter in letters] == ["route.unknown"], "a tenant that is not declared is a dead letter")
    check(server.ask("select to_regclass('usage_nordic') is null") == [["t"]], "and has no table")

    server.change("update meters set tenant = 'baltic' where meter_id = 'm1'")
    at = iter(range(2, 1000))
    check(wait_until(lambda: (send("m1", next(at)), ["m1"] in [row[:1] for row in rows("baltic")])[1], 30), "a refresh brings the change")
    proxy.refuse()
    check(wait_until(lambda: "the former version stays" in run.output(), 60), "an outage keeps the last version and is told")
    proxy.allow()
    send("m1", 1000)
    check(wait_until(lambda: ["m1", "1000"] in rows("baltic"), 60), "and afterwards it goes on")
    run.signal(15)
    check(run.wait(60) == 0, "the run ends well")
    text = penstock("plan", folder, "-t", "pg")
    check("as the records need it" in text, "plan says that the tables fit")
    server.change("alter table usage_alpine drop column tenant, add column extra int not null default 0; "
                  "alter table usage_alpine alter column extra drop default")
    text = penstock("plan", folder, "-t", "pg")
    check('needs a value in "extra"' in text, "plan says which column the records do not fill")
    check('ALTER TABLE "public"."usage_alpine" ADD COLUMN "tenant"' in text, "and the statement for the one that the table lacks")
    check("usage_baltic" not in text.split("what differs from the records:")[1], "and nothing of a table that fits")


if __name__ == "__main__":
    assert BINARY
    main()
