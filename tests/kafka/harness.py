"""The broker harness itself: three nodes on free ports, kill, start, pause, Kafka's tools, and nothing left behind."""
import os
import pathlib
import signal
import subprocess
import sys
import time

from broker import KAFKA, Broker

sys.path.insert(0, str(KAFKA.parent / "kafka.d"))
import wire  # noqa: E402


def check(holds, what):
    print(("ok   " if holds else "FAIL ") + what, flush=True)
    if not holds:
        sys.exit(1)


def brokers_of(folder):
    """Processes that run a node of that folder."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"{folder}/".encode() in (process / "cmdline").read_bytes() and b"kafka.Kafka" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            pass
    return found


def three_nodes():
    with Broker(nodes=3) as broker:
        ports = broker.ports
        check(len(set(ports)) == 3, "three nodes have three ports")
        check(wire.cluster(ports[0]) == (broker.facts["cluster_id"], [1, 2, 3]), "they are one cluster, and it is ours")
        broker.tool("TopicCommand", "--create", "--topic", "t", "--partitions", "3", "--replication-factor", "3")
        broker.kill(2)
        check(wire.wait(lambda: wire.cluster(ports[0])[1] == [1, 3], 30), "a killed node leaves the cluster")
        check("t" in broker.tool("TopicCommand", "--list").split(), "the others still answer")
        broker.start(2)
        check(2 in wire.cluster(ports[1])[1], "it comes back on its port")
        broker.pause(3)
        check(wire.wait(lambda: wire.cluster(ports[0])[1] == [1, 2], 30), "a paused node leaves the cluster")
        broker.resume(3)
        check(wire.wait(lambda: wire.cluster(ports[0])[1] == [1, 2, 3], 30), "and is back when it goes on")
        folder = broker.facts["dir"]
        check(len(brokers_of(folder)) == 3, "three processes run")
    check(not brokers_of(folder) and not os.path.exists(folder), "nothing is left")


def settings_reach_the_broker():
    """Ours are quick; `name=` leaves one to the broker."""
    with Broker(properties={"group.initial.rebalance.delay.ms": "", "num.partitions": "7"}) as broker:
        lines = (pathlib.Path(broker.facts["dir"]) / "1" / "server.properties").read_text().split()
        check(not any(line.startswith("group.initial.rebalance.delay.ms") for line in lines), "a default of the broker's can be had")
        check("num.partitions=7" in lines, "and any value be set")
        broker.tool("TopicCommand", "--create", "--topic", "t")
        check("PartitionCount: 7" in broker.tool("TopicCommand", "--describe", "--topic", "t"), "the broker goes by it")
    try:
        with Broker(properties={"num.partitions": "many"}):
            check(False, "a wrong property is refused")
    except RuntimeError as error:
        check("cure:" in str(error), "a wrong property is refused with a cure")


def killed_test():
    """A test that is killed leaves no broker behind."""
    code = "import sys, time\nfrom broker import Broker\nwith Broker() as b:\n  print(b.facts['dir'], flush=True)\n  sys.stdin.read()\n"
    victim = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              cwd=pathlib.Path(__file__).parent)
    folder = victim.stdout.readline().strip()
    check(len(brokers_of(folder)) == 1, "a test has its broker")
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    until = time.monotonic() + 30
    while (brokers_of(folder) or os.path.exists(folder)) and time.monotonic() < until:
        time.sleep(0.1)  # poll: until the watcher has seen it
    check(not brokers_of(folder) and not os.path.exists(folder), "the broker of a killed test goes too")


three_nodes()
settings_reach_the_broker()
killed_test()
