"""A PostgreSQL server of its own, the ways it fails, and what stands in its tables."""
import pathlib
import subprocess

from campaign import ROWS, Side, check, check_newest, check_sums, wait_until
from pg_proxy import Proxy

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "postgres"
PASSWORD = {"PENSTOCK_SECRET_WAREHOUSE": "penstock"}


class Server:
    def __init__(self, folder, *settings):
        facts = self.tool("up", folder, "fsync = off", *settings)
        self.folder, self.port = folder, int(dict(line.split("=", 1) for line in facts.split())["port"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tool("down", self.folder)

    def tool(self, verb, *arguments):
        return subprocess.run([TOOL, verb, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def psql(self, sql, database="penstock", **more):
        words = ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "penstock", "-d", database, "-AtqX", "-c", sql]
        return subprocess.run(words, capture_output=True, text=True, **more)

    def ask(self, sql, database="penstock"):
        """Lines of cells; empty while the server is away or has no such table."""
        return [line.split("|") for line in self.psql(sql, database).stdout.splitlines()]

    def change(self, sql):
        self.psql(sql, check=True)


class PostgresSide(Side):
    # COMMIT is where it matters most.
    often = ["cut before commit", "cut after commit", "cut before commit", "cut after commit"]

    def __init__(self, server):
        self.server, self.proxy = server, Proxy(server.port)
        self.refuse, self.allow = self.proxy.refuse, self.proxy.allow
        self.faults = {"server killed": self.restart, "terminated": self.terminate, "locked": self.lock, "slow": self.slow}
        self.faults |= {f"cut {when} {kind}": (lambda kind=kind, when=when: self.cut(kind, when))
                        for kind in ("begin", "copy", "merge", "commit") for when in ("before", "after")}

    def settings(self):
        return (f"{{host: 127.0.0.1, port: {self.proxy.port}, database: penstock, user: penstock, tls: off, create: true, "
                'password: "${secret:warehouse}"}')

    def count(self):
        found = self.server.ask("select count(*) from readings")
        return int(found[0][0]) if found else 0

    def restart(self):
        self.server.tool("kill", self.server.folder)
        self.server.tool("start", self.server.folder)

    def terminate(self):
        self.server.ask("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'penstock'")

    def lock(self):
        self.server.ask("begin; lock table penstock_positions in exclusive mode; select pg_sleep(2); commit")

    def cut(self, kind, when):
        self.proxy.cut(kind, when)
        bites = wait_until(lambda: not self.proxy.cuts, 20)
        self.proxy.cuts.clear()
        return bites

    def slow(self):
        self.proxy.delay = 0.05
        before = self.count()
        wait_until(lambda: self.count() > before + 200, 10)
        self.proxy.delay = 0.0

    def check_rows(self):
        check(self.count() == ROWS, f"PostgreSQL: {self.count()} rows of {ROWS}: every row once")
        check_sums("PostgreSQL", {(meter, day): (float(kwh), float(peak), int(count)) for meter, day, kwh, peak, count in self.server.ask(
            "select meter_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD'), sum(kwh), max(kwh), count(*) from readings group by 1, 2")})

    def check_latest(self):
        check_newest("PostgreSQL", {meter: float(kwh) for meter, kwh in self.server.ask("select meter_id, kwh from meter_latest")})
