"""The meters pipeline from Kafka into PostgreSQL and DynamoDB at once, while everything fails: every row once in each, sums right.

What postgres_faults.py and dynamodb_faults.py do to one store each, in turns; a store that fails holds up the other one's rows in
no way that would show in the end. One broker.

usage: both_faults.py [--faults N] [--seed S] [--outage SECONDS]
"""
from campaign import HERE, Campaign, main, prepare
from dynamodb_side import DynamoDbSide, server_port
from postgres_side import PASSWORD, PostgresSide, Server

import sys

sys.path.insert(0, str(HERE.parent / "kafka"))
from broker import Broker  # noqa: E402

STORES = """  latest:    {dynamodb: meter_latest, key: meter_id, newest_by: at}
  history:   {dynamodb: readings, key: [meter_id, at], immutable: true}
  warehouse: {postgres: readings}"""


def one(options, temporary):
    with Server(temporary / "pg") as server, Broker() as broker:
        postgres, dynamodb = PostgresSide(server), DynamoDbSide(server_port())
        prepare(temporary / "p", f"""  both:
    log: {{kafka: "{broker.bootstrap}"}}
    topics: {{replicas: 1}}
    epoch: {{rows: 30}}
    stores:
      latest: {dynamodb.settings()}
      history: {dynamodb.settings()}
      warehouse: {postgres.settings()}
""", STORES)
        file = temporary / "p" / "pipeline.yaml"
        file.write_text(file.read_text().replace("to: [latest, warehouse]", "to: [latest, warehouse, history]"))
        campaign = Campaign(temporary / "p", "both", [postgres, dynamodb], PASSWORD | dynamodb.environment, options.seed)
        campaign.start()
        campaign.go(options.faults, options.outage)
        campaign.end()
        postgres.check_rows()
        dynamodb.check_rows()
        dynamodb.check_latest()
        campaign.verify()


if __name__ == "__main__":
    server_port()
    main(one)
