"""The meters pipeline into DynamoDB, while everything between them fails: every row once, sums right.

A week of real readings goes through the embedded log into a table of all rows (batches) and one of the newest row per meter
(conditional puts), in small epochs. Meanwhile: kill -9 of the binary, whole calls and parts of a batch throttled, answers 500 or
nonsense, requests cut before and after they were done, answers slow, a hot key, credentials that expire, rights that are missing,
the service away.

With --planted the proxy makes a client with a bug of ours, and it is the test that has to fail, by its account of the rows.

usage: dynamodb_faults.py [--faults N] [--seed S] [--outage SECONDS] [--planted put_always|draw_keys_anew|forget_unprocessed]
"""
from campaign import Campaign, main, prepare
from dynamodb_side import DynamoDbSide, server_port

STORES = """  latest:    {dynamodb: meter_latest, key: meter_id, newest_by: at}
  warehouse: {dynamodb: readings, key: [meter_id, at], immutable: true}"""


def one(options, temporary):
    side = DynamoDbSide(server_port())
    side.proxy.planted = options.planted
    settings = side.settings()
    prepare(temporary / "p", f"  dynamo:\n    log: embedded\n    epoch: {{rows: 30}}\n    stores:\n"
            f"      latest: {settings}\n      warehouse: {settings}\n", STORES)
    campaign = Campaign(temporary / "p", "dynamo", [side], side.environment, options.seed)
    campaign.start()
    campaign.go(options.faults, options.outage)
    campaign.end()
    side.check_rows()
    side.check_latest()
    campaign.verify()


if __name__ == "__main__":
    server_port()
    main(one)
