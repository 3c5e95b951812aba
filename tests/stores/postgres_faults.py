"""The meters pipeline into PostgreSQL, while everything between them fails: every row once, sums right.

A week of real readings goes through the embedded log into an appending table (a repeated row would show) and a table of the newest
row per meter, in small epochs. Meanwhile: kill -9 of the binary, connections cut before and after COMMIT was done (and before the
merge, in the COPY, at BEGIN), the server killed and started again, its processes terminated, rows locked by somebody else, answers
slow, the server away.

usage: postgres_faults.py [--faults N] [--seed S] [--outage SECONDS]
"""
from campaign import Campaign, main, prepare
from postgres_side import PASSWORD, PostgresSide, Server

STORES = """  latest:    {postgres: meter_latest, key: meter_id, newest_by: at}
  warehouse: {postgres: readings}"""


def one(options, temporary):
    with Server(temporary / "pg") as server:
        side = PostgresSide(server)
        settings = side.settings()
        prepare(temporary / "p", "  pg:\n    log: embedded\n    epoch: {rows: 30}\n    stores:\n"
                f"      latest: {settings}\n      warehouse: {settings}\n", STORES)
        campaign = Campaign(temporary / "p", "pg", [side], PASSWORD, options.seed)
        campaign.start()
        campaign.go(options.faults, options.outage)
        campaign.end()
        side.check_rows()
        side.check_latest()
        campaign.verify()


if __name__ == "__main__":
    main(one)
