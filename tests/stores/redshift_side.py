"""The double of Redshift in this process, with an S3 and AWS's logins beside it, the ways they fail, and what stands in the tables."""
import argparse
import asyncio
import pathlib
import sys
import threading

from campaign import Side, check, wait_until
from redshift_http import RedshiftHttp
from s3_double import Bucket, S3Double
from s3_proxy import S3Proxy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "redshift"))
import double  # noqa: E402

KEY, SECRET, REGION, BUCKET = "AKIATEST", "secret", "eu-north-1", "staged"


class S3OfTheRole:
    """What the double reads with: a role of its own, so that no signature of ours is asked for."""

    def __init__(self, s3):
        self.s3 = s3

    def keys(self, bucket, prefix):
        return [key for key in self.s3.objects(bucket) if key.startswith(prefix)]

    def get(self, bucket, key):
        return self.s3.read(bucket, key)


class RedshiftSide(Side):
    often = ["cut before commit", "cut after commit", "1023", "s3 PUT cut after"]
    surely = ["kill -9", "login ended", "1023", "cut before commit", "cut after commit", "s3 PUT 500", "s3 PUT slow", "s3 PUT cut after"]

    def __init__(self, server):
        self.server = server
        self.s3 = S3Double(region=REGION, key_id=KEY, secret=SECRET)
        self.s3.buckets[BUCKET] = Bucket()
        self.s3_proxy = S3Proxy(self.s3.url)
        self.logins = RedshiftHttp(tell=self.take_login, region=REGION, key_id=KEY, secret=SECRET, database="penstock")
        for each in (self.s3, self.s3_proxy, self.logins):
            each.__enter__()
        self.start()
        self.environment = {"AWS_ENDPOINT_URL_REDSHIFT": self.logins.url}
        self.faults = {"login ended": self.end_login, "1023": self.violate, "dropped": self.drop}
        self.faults |= {f"cut {when} commit": (lambda when=when: self.cut(when)) for when in ("before", "after")}
        self.faults |= {f"s3 {method} {kind}": (lambda method=method, kind=kind: self.fail_s3(method, kind)) for method, kind in (
            ("PUT", "500"), ("PUT", "slowdown"), ("PUT", "slow"), ("PUT", "cut"), ("PUT", "cut after"), ("PUT", "damage up"),
            ("POST", "500"), ("POST", "cut after"))}

    def start(self):
        ready = threading.Event()

        def take(world, port):
            self.world, self.port, self.loop = world, port, asyncio.get_running_loop()
            ready.set()

        options = argparse.Namespace(socket=f"{self.server.folder}/.s.PGSQL.{self.server.port}", s3=S3OfTheRole(self.s3), log=None, port=0)
        threading.Thread(target=lambda: asyncio.run(double.serve(options, take)), daemon=True).start()
        check(ready.wait(30), "the double of Redshift is there")

    def take_login(self, user, password, seconds):
        self.world.command(double.json.dumps({"login": [user, password, seconds]}))

    def settings(self):
        return (f"{{host: 127.0.0.1, port: {self.port}, database: penstock, cluster: main, region: {REGION}, tls: off, create: true, "
                f"staging: \"s3://{BUCKET}/article/\", staging_endpoint: \"{self.s3_proxy.url}\", staging_region: {REGION}, "
                "role: \"arn:aws:iam::111122223333:role/redshift-copy\", copy_above: 20}")

    # ---- faults

    def bites(self, counter, **command):
        before = self.world.counts[counter]
        self.world.command(double.json.dumps(command))
        return wait_until(lambda: self.world.counts[counter] > before, 20)

    def cut(self, when):
        return self.bites("cuts", cut=when)

    def violate(self):
        return self.bites("raised", raise_1023=2)

    def drop(self):
        """Every connection, wherever it is."""
        def close():
            for writer in list(self.world.writers):
                writer.transport.abort()
        self.loop.call_soon_threadsafe(close)

    def end_login(self):
        """What AWS gave is good for a quarter of an hour, and is not any more; and who is logged in is dropped."""
        before = self.logins.logins
        for login in list(self.world.logins):
            self.world.logins[login] = 0
        self.drop()
        return wait_until(lambda: self.logins.logins > before, 20)

    def fail_s3(self, method, kind):
        met = len([one for one in self.s3_proxy.log if one["fault"]])
        self.s3_proxy.arm(method, BUCKET, kind, 2)
        bites = wait_until(lambda: len([one for one in self.s3_proxy.log if one["fault"]]) > met, 20)
        self.s3_proxy.armed.clear()
        return bites

    def refuse(self):
        self.world.away = True
        self.drop()

    def allow(self):
        self.world.away = False

    # ---- what is there, read around the double

    def count(self):
        found = self.server.ask("select count(*) from messages")
        return int(found[0][0]) if found else 0

    def check_messages(self, numbers):
        found = [int(row[0]) for row in self.server.ask("select favorite_number from messages order by 1")]
        check(found == sorted(numbers), f"Redshift: {len(found)} rows of {len(numbers)}, each message once")
        done = self.server.ask("select count(*) from messages where (preprocessing_status, processing_status, writer_status) = "
                               "('Done', 'Done', 'Done')")
        check(done == [[str(len(numbers))]], "Redshift: every row has gone through every stage")
        check(self.world.counts["copies"] > 20, f"Redshift: {self.world.counts['copies']} loads by COPY")
        check(self.world.counts["refused"] == 0, "Redshift: no statement was refused")

    def check_clean(self):
        check(self.s3.objects(BUCKET) == [] and self.s3.uploads(BUCKET) == [], f"S3: nothing is left {self.s3.objects(BUCKET)[:3]}")
