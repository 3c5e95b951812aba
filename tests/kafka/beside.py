#!/usr/bin/env python3
"""Penstock beside other programs on the same topics: bare Avro in and out, keys and partitions kept; and five `apply` at once."""
import io
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import confluent_kafka  # noqa: E402
import fastavro  # noqa: E402
import outside  # noqa: E402
from broker import Broker  # noqa: E402
from penstock_process import Process, wait_until  # noqa: E402
from pipeline_fixture import check, penstock  # noqa: E402

# What the two other programs know; the stage between them is examples/beside.
READING = {"type": "record", "name": "Reading", "fields": [{"name": "meter", "type": "string"}, {"name": "kwh", "type": "double"}]}
CHECKED = {"type": "record", "name": "Reading", "fields": [*READING["fields"], {"name": "watt_hours", "type": ["null", "double"]}]}
def write(bootstrap, count):
    """Another program: its own partitions, which no hash of the key would choose."""
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap})
    for n in range(count):
        value = io.BytesIO()
        fastavro.schemaless_writer(value, READING, {"meter": f"m{n % 10}", "kwh": n - 100.0})
        producer.produce("measured", value.getvalue(), key=f"m{n % 10}", partition=n % 10 % 6)
    check(producer.flush(60) == 0, "another program has written bare Avro")


def main():
    with tempfile.TemporaryDirectory() as temporary, Broker() as broker:
        folder = pathlib.Path(temporary) / "beside"
        penstock("init", "beside", folder)
        environment = os.environ | {"BROKERS": broker.bootstrap}
        applies = [subprocess.Popen([os.environ["PENSTOCK_BINARY"], "apply", folder, "-t", "kafka", "--data", folder / "data"], env=environment,
                                    stdout=subprocess.PIPE, text=True) for _ in range(5)]
        said = [apply.communicate(timeout=120)[0] for apply in applies]
        check(all(apply.returncode == 0 for apply in applies), "five apply at once all end well")
        check(sum("topic checked was made" in each for each in said) == 1, "and each topic was made by one of them")
        write(broker.bootstrap, 1000)
        worker = Process(folder, "run", ["run", folder, "-t", "kafka", "--data", folder / "data"], environment)
        if not wait_until(lambda: worker.metric("records_committed_total") == 1000, 120):
            sys.exit(f"FAILED: not all was read\n{worker.told()}")
        worker.signal(15)
        check(worker.wait(30) == 0, "SIGTERM drains, exit 0")
        found = [(message.partition(), message.key().decode(), fastavro.schemaless_reader(io.BytesIO(message.value()), CHECKED))
                 for message in outside.read_all(broker.bootstrap, "checked")]
        wanted = [(n % 10 % 6, f"m{n % 10}", {"meter": f"m{n % 10}", "kwh": n - 100.0, "watt_hours": (n - 100.0) * 1000}) for n in range(100, 1000)]
        same = all([row for row in found if row[0] == partition] == [row for row in wanted if row[0] == partition] for partition in range(6))
        check(same and len(found) == len(wanted), "another program reads bare Avro: each partition's records, in their order, with their keys")


if __name__ == "__main__":
    main()
