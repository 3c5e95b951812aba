"""Rows that PostgreSQL refuses, through the binary: what one in 10,000 costs in transactions, counted by the server, and all of them.

One bad row costs 20 transactions more at the most, and is a dead letter with its bytes; when all are bad the stage stops.
"""
import json
import os
import pathlib
import subprocess
import tempfile

from campaign import BINARY, check, penstock, wait_until
from postgres_side import PASSWORD, Server

ROWS = 10_000
PIPELINE = """pipeline: p
version: 1
schemas: {{reading: reading.avsc}}
topics: {{ingest: {{schema: reading, key: meter_id, partitions: 1}}}}
stages: {{writer: {{from: ingest, to: usage}}}}
stores: {{usage: {{postgres: usage}}}}
dead_letters: {{stop_above: 20% over 1m}}
targets:
  pg:
    log: embedded
    stores: {{usage: {{host: 127.0.0.1, port: {port}, database: penstock, user: penstock, password: "${{secret:warehouse}}", tls: off}}}}
"""
FIELDS = [("meter_id", "string"), ("at", "long"), ("v", "double")]


class Trial:
    def __init__(self, folder, server):
        self.folder, self.server, self.round = folder, server, 0
        folder.mkdir()
        (folder / "pipeline.yaml").write_text(PIPELINE.format(port=server.port))
        (folder / "reading.avsc").write_text(json.dumps({"type": "record", "name": "Reading",
                                                         "fields": [{"name": name, "type": type_} for name, type_ in FIELDS]}))
        server.change("create table usage (meter_id text, at bigint, v double precision check (v < 100))")

    def transactions(self):
        """In our database since the beginning, when no process of it has any left to tell; asked from another one."""
        def count():
            return int(self.server.ask("select xact_commit + xact_rollback from pg_stat_database where datname = 'penstock'", "postgres")[0][0])

        def at_rest():
            return self.server.ask("select 1 from pg_stat_activity where datname = 'penstock'", "postgres") == []

        wait_until(at_rest, 30)
        return count()

    def run(self, value):
        """10,000 rows; how many transactions that took, how the run ended and what it said."""
        self.round += 1
        file = self.folder / f"rows{self.round}.jsonl"
        file.write_text("".join(json.dumps({"meter_id": f"m{self.round}", "at": i, "v": value(i)}) + "\n" for i in range(ROWS)))
        penstock("send", self.folder, "-t", "pg", "--to", "ingest", file)
        before = self.transactions()
        done = subprocess.run([BINARY, "run", self.folder, "-t", "pg", "--until-idle"], capture_output=True, text=True, timeout=120)
        return self.transactions() - before, done.returncode, done.stdout + done.stderr

    def rows(self):
        return int(self.server.ask("select count(*) from usage")[0][0])

    def letters(self, count):
        return json.loads(penstock("dead", self.folder, "-t", "pg", "-n", str(count), "-o", "json"))["letters"]


def main():
    os.environ.update(PASSWORD)
    with tempfile.TemporaryDirectory() as temporary:
        os.chmod(temporary, 0o755)
        with Server(pathlib.Path(temporary) / "pg", "autovacuum = off") as server:
            scenario(Trial(pathlib.Path(temporary) / "p", server))


def scenario(trial):
    good, code, said = trial.run(lambda i: 1.5)
    check(code == 0 and trial.rows() == ROWS, f"10,000 good rows take {good} transactions {said if code else ''}")
    one, code, said = trial.run(lambda i: 1000.5 if i == 7_777 else 1.5)
    check(code == 0 and trial.rows() == 2 * ROWS - 1, f"with a bad one among them the others arrive {said if code else ''}")
    check(0 < one - good <= 20, f"it costs {one - good} transactions more, counted by the server")
    letters = trial.letters(10)
    check(len(letters) == 1 and letters[0]["reason"] == "store.constraint", "and is a dead letter")
    check(letters[0]["value_hex"].endswith("0000000000448f40") and b"m2".hex() in letters[0]["value_hex"], "with its bytes")
    bad, code, said = trial.run(lambda i: 1000.5)
    check(trial.rows() == 2 * ROWS - 1, "of 10,000 bad rows none arrives")
    check(code != 0 and "too many dead letters" in said, f"the stage stops and says why: exit {code}")
    check(bad - good <= 100, f"after {bad} transactions, not 10,000")


if __name__ == "__main__":
    main()
