"""Is the double as strict as it says? Run under tools/with_redshift."""
import io
import json
import os
import pathlib
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import fastavro  # noqa: E402
from wire import Client, ServerError  # noqa: E402

PORT = int(os.environ["PENSTOCK_TEST_REDSHIFT_PORT"])
BUCKET = pathlib.Path(os.environ["PENSTOCK_TEST_REDSHIFT_S3"]) / "bucket"
COPY = ("COPY \"stage\" (\"penstock_row\", \"c0\", \"c1\") FROM 's3://bucket/{}' IAM_ROLE 'arn:aws:iam::1:role/copy' FORMAT AVRO 'auto' "
        "TIMEFORMAT 'auto' DATEFORMAT 'auto' NULL AS 'penstock: no value' COMPUPDATE OFF STATUPDATE OFF")
STAGE = 'CREATE TEMP TABLE "stage" ("penstock_row" bigint, "c0" varchar(4), "c1" timestamptz)'
MERGE = ('MERGE INTO "public"."t" USING "stage" ON "t"."id" = "stage"."c0" WHEN MATCHED THEN UPDATE SET "id" = "stage"."c0" '
         'WHEN NOT MATCHED THEN INSERT ("id") VALUES ("stage"."c0")')
failures = []


def check(what, good):
    print(("ok    " if good else "FAILED"), what)
    if not good:
        failures.append(what)


def refusal(client, sql):
    try:
        client.run(sql)
    except ServerError as error:
        if client_is_broken(client):
            client.run("ROLLBACK")
        return f"{error.fields['C']} {error.fields['M']}"
    return ""


def client_is_broken(client):
    try:
        client.run("SELECT 1")
    except ServerError:
        return True
    return False


def stage_file(key, rows, **types):
    fields = [{"name": "penstock_row", "type": "long"}, {"name": "c0", "type": types.get("c0", ["null", "string"])},
              {"name": "c1", "type": types.get("c1", ["null", "string"])}]
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema({"type": "record", "name": "row", "fields": fields}), rows)
    (BUCKET / key).write_bytes(out.getvalue())


def refused_statements(client):
    for sql in ('INSERT INTO "t" ("id") SELECT "id" FROM "t" ON CONFLICT ("id") DO NOTHING', 'COPY "t" FROM STDIN',
                'UPDATE "t" SET "id" = \'a\' WHERE "id" = \'b\' RETURNING "id"', 'SELECT unnest("id") FROM "t"', "SELECT '{1}'::int[]",
                'CREATE TABLE "x" ("a" jsonb)', 'CREATE TABLE "x" ("a" bytea)', 'CREATE TABLE "x" ("a" text)', 'CREATE INDEX "i" ON "t" ("id")',
                "SELECT E'a'", "SELECT 'a\\b'", 'WITH "x" AS (DELETE FROM "t") SELECT 1', "SELECT pg_advisory_lock(1)", "SET lock_timeout TO 1",
                "SET idle_in_transaction_session_timeout TO 1", 'SELECT "id" FROM "t" FOR UPDATE', 'TRUNCATE "t"', "SAVEPOINT a",
                'SELECT ARRAY[1]', "VALUES (1)", 'SELECT "id" FROM "t" WHERE "id" = ANY (\'{}\')', "DO $$BEGIN END$$",
                'CREATE TABLE "x" ("a" varchar(65536))', 'CREATE TABLE "x" ("ctid" bigint)', 'CREATE TABLE "x" ("A" bigint, "a" bigint)',
                'CREATE TABLE "x" ("a" super) DISTKEY ("a")', 'INSERT INTO "t" ("id") VALUES (now())',
                MERGE.replace("WHEN MATCHED THEN", "WHEN MATCHED AND \"t\".\"id\" = 'a' THEN"), MERGE.split(" WHEN NOT")[0],
                MERGE.replace('INTO "public"."t"', 'INTO "public"."t" AS "kept"'), MERGE.replace('USING "stage"', 'USING (SELECT "c0" FROM "stage")'),
                COPY.format("x").replace("IAM_ROLE 'arn:aws:iam::1:role/copy' ", "")):
        check(f"refused: {sql[:70]}", refusal(client, sql) != "")


def rules_of_tables(client):
    client.run('CREATE TABLE "public"."t" ("id" varchar(4) NOT NULL, PRIMARY KEY ("id")) DISTKEY ("id")')
    client.run("INSERT INTO \"t\" (\"id\") VALUES ('a'), ('a')")
    check("no key is enforced", client.run('SELECT COUNT(*) FROM "t"') == [["2"]])
    check("VARCHAR counts bytes", "too long" in refusal(client, "INSERT INTO \"t\" (\"id\") VALUES ('grün')"))
    check("names fold", client.run('SELECT COUNT("ID") FROM "T"') == [["2"]])
    check("blanks at the end do not count", client.run("SELECT COUNT(*) FROM \"t\" WHERE \"id\" = 'a  '") == [["2"]])
    client.run('DELETE FROM "t" WHERE "id" = \'a\'')


def rules_of_merge(client):
    client.run("INSERT INTO \"t\" (\"id\") VALUES ('a')")
    client.run(f"BEGIN; {STAGE}")
    client.run("INSERT INTO \"stage\" (\"penstock_row\", \"c0\", \"c1\") VALUES (0, 'a', NULL), (1, 'a ', NULL)")
    check("two source rows meet one target row", "multiple matches" in refusal(client, MERGE))
    check("the transaction was undone", client.run('SELECT COUNT(*) FROM "t"') == [["1"]])


def rules_of_copy(client):
    good = {"penstock_row": 0, "c0": "grün", "c1": "2026-01-01 00:00:00.000001+00"}
    stage_file("a.avro", [{**good, "c0": "abc"}, {**good, "penstock_row": 1, "c0": None}, {**good, "penstock_row": 2, "c0": "penstock: no value"}])
    client.run(f"BEGIN; {STAGE}; {COPY.format('a.avro')}")
    check("COPY loads, and null is null", client.run('SELECT COUNT(*), COUNT("c0"), COUNT("c1") FROM "stage"') == [["3", "1", "3"]])
    client.run("ROLLBACK")
    stage_file("b.avro", [{**good, "c0": "abc"}, {**good, "penstock_row": 1}, {**good, "c0": "a", "penstock_row": 2, "c1": "yesterday"}])
    check("COPY fails for a bad row", "Load into table" in refusal(client, f"BEGIN; {STAGE}; {COPY.format('b.avro')}"))
    client.run(f"BEGIN; {STAGE}; {COPY.format('b.avro')} MAXERROR 100")
    check("MAXERROR leaves them out", client.run('SELECT "penstock_row" FROM "stage"') == [["0"]])
    client.run("ROLLBACK")
    session = client.run("SELECT pg_backend_pid()")[0][0]
    told = client.run("SELECT column_name, error_code, error_message FROM sys_load_error_detail WHERE session_id = "
                      f"{session} ORDER BY start_time DESC LIMIT 2")
    check("a guard fails where another number is there", [refusal(client, guard) != "" for guard in (
        'SELECT 1 / CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END FROM "public"."t" WHERE "id" = \'nobody\'',
        'SELECT 1 / CASE WHEN COUNT(*) = 1 THEN 1 ELSE 0 END FROM "public"."t" WHERE "id" = \'nobody\'')] == [False, True])
    check("the report names them", [row[:2] for row in told] == [["c1", "1206"], ["c0", "1204"]])
    stage_file("c.avro", [{**good, "c0": "abc", "c1": 1}], c1="long")
    check("a number is no timestamp", "Load into" in refusal(client, f"BEGIN; {STAGE}; {COPY.format('c.avro')}"))
    check("nothing under the prefix", "does not exist" in refusal(client, f"BEGIN; {STAGE}; {COPY.format('none')}"))
    check("what a COPY that failed had begun is undone", refusal(client, 'SELECT "c0" FROM "stage"') != "")


def rules_of_order(one, two):
    """Writers wait for each other, and what can not have happened in a row is 1023."""
    one.run("BEGIN; UPDATE \"t\" SET \"id\" = 'b' WHERE \"id\" = 'a'")
    answer = []
    second = threading.Thread(target=lambda: answer.append(refusal(two, "BEGIN; UPDATE \"t\" SET \"id\" = 'c' WHERE \"id\" = 'a'")))
    second.start()
    second.join(0.3)
    check("a second writer waits", second.is_alive())
    one.run("COMMIT")
    second.join()
    check("and then has error 1023", answer[0].startswith("XX000 1023"))
    one.run("BEGIN; LOCK TABLE \"t\"; UPDATE \"t\" SET \"id\" = 'c' WHERE \"id\" = 'b'")
    answer = []
    second = threading.Thread(
        target=lambda: answer.append(refusal(two, "BEGIN; LOCK TABLE \"t\"; UPDATE \"t\" SET \"id\" = 'd' WHERE \"id\" = 'c'; COMMIT")))
    second.start()
    one.run("COMMIT")
    second.join()
    check("who locks first has none", answer == [""] and one.run('SELECT "id" FROM "t"') == [["d"]])
    one.run("BEGIN; SELECT COUNT(*) FROM \"t\"")
    two.run("BEGIN; INSERT INTO \"t\" (\"id\") VALUES ('e'); COMMIT")
    check("a transaction sees one snapshot", one.run('SELECT COUNT(*) FROM "t"') == [["1"]])
    one.run("COMMIT")


def commands(client, other):
    client.run('--double {"raise_1023": 1}')
    check("1023 on demand", "1023" in refusal(client, "INSERT INTO \"t\" (\"id\") VALUES ('x')"))
    client.run("INSERT INTO \"t\" (\"id\") VALUES ('x')")
    for when, there in (("before", 0), ("after", 1)):
        other.run(f'--double {{"cut": "{when}"}}')
        try:
            client.run(f"BEGIN; INSERT INTO \"t\" (\"id\") VALUES ('{when[:4]}'); COMMIT")
            check("the connection is cut", False)
        except ConnectionError:
            pass
        check(f"cut {when} COMMIT", other.run(f"SELECT COUNT(*) FROM \"t\" WHERE \"id\" = '{when[:4]}'") == [[str(there)]])
        client = Client(PORT)
    other.run('--double {"login": ["IAM:app", "temporary", 3600]}')
    Client(PORT, "IAM:app", "temporary").close()
    other.run('--double {"login": ["IAM:app", "temporary", -1]}')
    try:
        Client(PORT, "IAM:app", "temporary")
        check("a login ends", False)
    except ServerError as error:
        check("a login ends", error.fields["C"] == "28000")
    check("it counts", json.loads(other.run("--double {}")[0][0])["cuts"] == 2)


def main():
    one, two = Client(PORT), Client(PORT)
    rules_of_tables(one)
    refused_statements(one)
    rules_of_merge(one)
    rules_of_copy(one)
    rules_of_order(one, two)
    commands(one, two)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
