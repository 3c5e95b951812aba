"""`penstock plan --redshift-streaming`: its statements are Redshift's (sqlfluff's dialect, and word by word the form that AWS gives in "Getting
started with streaming ingestion from Apache Kafka sources"), about the topics that the pipeline writes, and it says what they can not do."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import sqlfluff  # noqa: E402

METERS = HERE.parents[1] / "examples" / "meters" / "pipeline.yaml"
COLUMNS = ("kafka_partition, kafka_offset, kafka_timestamp_type, kafka_timestamp, kafka_key, kafka_value, kafka_headers, refresh_time")
SMALL = """pipeline: small
version: 1
schemas: {one: one.avsc}
topics:
  raw: {schema: one, partitions: 2}
  clean.one: {partitions: 2}
stages:
  work: {from: raw, to: clean.one}
targets:
  prod: {log: %s}
"""
failures = []


def check(what, good, told=""):
    print("ok    " if good else "FAILED", what, "" if good else told)
    if not good:
        failures.append(what)


def plan(file, **more):
    done = subprocess.run([os.environ["PENSTOCK_BINARY"], "plan", "-t", "prod", "--redshift-streaming", file], capture_output=True, text=True,
                          env=os.environ | more, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: penstock plan\n{done.stderr}")
    return done.stdout


def statements(text):
    return [line for line in text.splitlines() if not line.startswith("--")]


def small(log):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "one.avsc").write_text('{"type": "record", "name": "One", "fields": [{"name": "id", "type": "string"}]}')
        (folder / "pipeline.yaml").write_text(SMALL % log)
        return plan(folder / "pipeline.yaml")


def main():
    text = plan(METERS, MSK_ARN="arn:aws:kafka:eu-north-1:1:cluster/c/1", REDSHIFT_HOST="w.example")
    wanted = ["""CREATE EXTERNAL SCHEMA "meters_topics" FROM KAFKA IAM_ROLE default AUTHENTICATION iam URI 'BOOTSTRAP-BROKERS';"""] + [
        f'CREATE MATERIALIZED VIEW "meters_{topic}" AUTO REFRESH YES AS SELECT {COLUMNS} FROM "meters_topics"."{topic}";'
        for topic in ("preprocessed", "usage.alpine", "usage.baltic", "usage.nordic")]
    check("the topics that stages write, by IAM", statements(text) == wanted, statements(text))
    check("where the brokers' names are found", "get-bootstrap-brokers --cluster-arn arn:aws:kafka:eu-north-1:1:cluster/c/1" in text)
    check("what it is not", all(word in text for word in ("framing single_object", "VARBYTE", "aborted transaction", "exactly once")))
    mtls = small("{kafka: \"b1:9093,b2:9093\", auth: mtls, certificate: c.pem, key: k.pem}")
    check("by certificate", statements(mtls)[0] == """CREATE EXTERNAL SCHEMA "small_topics" FROM KAFKA AUTHENTICATION mtls SECRET_ARN """
          """'ARN-OF-THE-SECRET' URI 'b1:9093,b2:9093';""", mtls)
    check("without a login", "AUTHENTICATION none URI 'b1:9092'" in small('{kafka: "b1:9092"}'))
    scram = small('{kafka: "b1:9092", auth: scram, user: u, password: "${secret:p}"}')
    check("by a login that Redshift does not have: none", not statements(scram) and "not by scram" in scram, scram)
    check("from no Kafka: none", not statements(small("embedded")))
    for statement in statements(text) + statements(mtls):
        try:
            sqlfluff.parse(statement, dialect="redshift")
        except sqlfluff.api.simple.APIParsingError as error:
            check("the dialect", False, f"{statement}: {error}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
