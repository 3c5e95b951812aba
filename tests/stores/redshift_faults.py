"""examples/article from Kafka into DynamoDB and Redshift while everything fails: every message once in the one, the last of each id in
the other, S3 left clean. One broker.

usage: redshift_faults.py [--faults N] [--seed S] [--outage SECONDS]
"""
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE.parent / "redshift" / "requirements.txt")

from broker import Broker  # noqa: E402
from campaign import ROWS, Campaign, check, main  # noqa: E402
from dynamodb_side import DynamoDbSide, server_port  # noqa: E402
from postgres_side import Server  # noqa: E402
from redshift_side import REGION, RedshiftSide  # noqa: E402

IDS = 1000


def message(number):
    return {"id": number * 7919 % IDS, "name": f"name {number}", "favorite_number": number, "favorite_color": ["red", "green", "blue"][number % 3]}


class Items(DynamoDbSide):
    def __init__(self, port):
        super().__init__(port)
        self.environment["AWS_REGION"] = REGION
        self.seen = set()
        self.proxy.account = self.account
        for fault in ("hot key", *(name for name in self.faults if "BatchWriteItem" in name)):
            self.faults.pop(fault, None)
        self.surely, self.often = ["kill -9 before the position", "expired"], ["throttle PutItem", "cut after UpdateItem", "cut after PutItem"]

    def account(self, operation, body):
        if operation == "PutItem" and "favorite_number" in (item := json.loads(body)["Item"]):
            self.seen.add(int(item["favorite_number"]["N"]))

    def count(self):
        return len(self.seen)

    def complete(self):
        return {number * 7919 % IDS for number in self.seen} == set(range(IDS)) and max(self.seen) == ROWS - 1

    def check_items(self):
        last = {message(number)["id"]: number for number in range(ROWS)}
        found = {int(item["id"]["N"]): int(item["favorite_number"]["N"]) for item in self.tables.items("items")}
        check(found == last, f"DynamoDB: {len(found)} items, the last message of each id")


class Article(Campaign):
    def parts(self, count):
        size = ROWS // count + 1
        for number in range(count):
            file = self.folder / f"part{number}.jsonl"
            file.write_text("".join(json.dumps(message(i)) + "\n" for i in range(number * size, min(ROWS, (number + 1) * size))))
            yield file


def one(options, temporary):
    with Server(temporary / "pg") as server, Broker() as broker:
        redshift, items = RedshiftSide(server), Items(server_port())
        folder = temporary / "p"
        shutil.copytree(HERE.parents[1] / "examples" / "article", folder)
        file = folder / "pipeline.yaml"
        file.write_text(file.read_text().replace("\ntargets:\n", f"""
targets:
  both:
    log: {{kafka: "{broker.bootstrap}"}}
    topics: {{replicas: 1}}
    epoch: {{rows: 100}}
    stores:
      items: {items.settings()}
      messages: {redshift.settings()}
""", 1))
        campaign = Article(folder, "both", [redshift, items], items.environment | redshift.environment, options.seed)
        campaign.start()
        campaign.go(options.faults, options.outage)
        campaign.end()
        redshift.check_messages(range(ROWS))
        items.check_items()
        campaign.verify()
        redshift.check_clean()


if __name__ == "__main__":
    server_port()
    main(one)
