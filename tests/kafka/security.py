"""What a user sees when Kafka refuses: one clear error with its cure, exit 69, within 15 seconds, and never the password."""
import os
import pathlib
import subprocess
import tempfile
import time

from broker import Broker

BINARY = os.environ["PENSTOCK_BINARY"]
SCHEMA = '{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"kwh","type":"double"}]}'
PIPELINE = """pipeline: trial
version: 1
schemas: {r: r.avsc}
topics:
  in: {schema: r, key: id, partitions: 2, replicas: REPLICAS}
  out: {key: id, partitions: 2, replicas: REPLICAS}
stages:
  first: {from: in, steps: [{drop: "kwh < 0.0"}], to: out}
targets:
  k:
    log: {LOG}
"""


def run(log, replicas=1, password="secret"):
    """(exit code, what it says, seconds) of `run` with that `log:`."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "r.avsc").write_text(SCHEMA)
        (path / "pipeline.yaml").write_text(PIPELINE.replace("REPLICAS", str(replicas)).replace("LOG", log))
        begin = time.monotonic()
        done = subprocess.run([BINARY, "run", "-t", "k", folder], capture_output=True, text=True, timeout=60, check=False,
                              env=os.environ | {"PENSTOCK_SECRET_WORD": password})
        return done.returncode, done.stderr, time.monotonic() - begin


def refused(what, code, log, also=(), within=15, **rest):
    status, said, seconds = run(log, **rest)
    good = status == 69 and f"error[{code}]" in said and "cure:" in said and seconds < within
    good = good and all(part in said for part in also) and rest.get("password", "none of it") not in said
    print(f"{'ok   ' if good else 'FAIL '} {what}: {code} after {seconds:.1f} s", flush=True)
    if not good:
        raise SystemExit(f"exit {status} after {seconds:.1f} s:\n{said}")


with Broker(sasl=True, acl=True) as broker:
    facts = broker.facts
    login = f'kafka: "{facts["sasl"]}", auth: scram, user: USER, password: "${{secret:word}}", ca: {facts["ca"]}'
    refused("a wrong password", "L104", login.replace("USER", "app"), password="not-the-word")
    refused("a wrong authority", "L103", f'kafka: "{facts["tls"]}", auth: tls, ca: {facts["other_ca"]}')
    refused("an unknown host", "L102", 'kafka: "no-such-host.invalid:9092"', also=["no-such-host.invalid"])
    refused("a closed port", "L101", 'kafka: "127.0.0.1:1"', also=["127.0.0.1:1"])
    refused("a plain client at a listener for TLS", "L116", f'kafka: "{facts["tls"]}"')
    # Before anything makes the topics.
    refused("too few brokers for the replicas", "L106", f'kafka: "{facts["bootstrap"]}"', replicas=3, also=["replicas"])
    refused("missing rights on topics", "L105", login.replace("USER", "nobody"), also=["kafka-acls"])
    for name in ("in", "out", "trial", "dead"):
        broker.tool("AclCommand", "--add", "--allow-principal", "User:nobody", "--operation", "All", "--topic", name,
                    "--resource-pattern-type", "prefixed")
    # Only a running worker meets these.
    refused("missing rights on a group", "L105", login.replace("USER", "nobody"), also=["--group"])
    broker.tool("AclCommand", "--add", "--allow-principal", "User:nobody", "--operation", "All", "--group", "trial",
                "--resource-pattern-type", "prefixed")
    refused("missing rights on a transactional id", "L105", login.replace("USER", "nobody"), also=["--transactional-id"])
