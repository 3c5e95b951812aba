"""A real Kafka for a Python test: starts with the `with`, stops however the test ends.

    with Broker(nodes=3, properties={"group.initial.rebalance.delay.ms": ""}) as broker:
        run("--brokers", broker.bootstrap)
        broker.kill(2)
        broker.start(2)
        print(broker.tool("ConsumerGroupCommand", "--describe", "--all-groups"))
"""
import os
import pathlib
import subprocess

KAFKA = pathlib.Path(__file__).resolve().parents[2] / "tools" / "kafka"


class Broker:
    """`facts` is what tools/kafka up printed: bootstrap, cluster_id, dir; with sasl or tls also sasl, tls, mtls, ca, …
    also: one more address of this machine that clients come to, as `also` in the facts."""

    def __init__(self, nodes=1, *, tls=False, sasl=False, acl=False, properties=None, heap=None, classes=None, also=None):
        # --with: the cluster also ends when this test is killed.
        self.options = ["--nodes", str(nodes), "--with", str(os.getpid())]
        self.options += [flag for flag, wanted in (("--tls", tls), ("--sasl", sasl), ("--acl", acl)) if wanted]
        self.options += [word for name, value in (properties or {}).items() for word in ("--property", f"{name}={value}")]
        self.options += ["--heap", heap] if heap else []
        self.options += ["--classes", str(classes)] if classes else []
        self.options += ["--also", also] if also else []
        self.facts: dict[str, str] = {}

    def __enter__(self):
        self.facts = dict(line.split("=", 1) for line in self.call("up", *self.options).splitlines())
        return self

    def __exit__(self, *_):
        self.call("down", self.facts["dir"])

    @property
    def bootstrap(self) -> str:
        return self.facts["bootstrap"]

    @property
    def ports(self) -> list[int]:
        """Of the plain listeners, node 1 first."""
        return [int(each.rsplit(":", 1)[1]) for each in self.bootstrap.split(",")]

    def kill(self, node: int) -> None:
        """SIGKILL; comes back when the process is gone."""
        self.call("kill", self.facts["dir"], str(node))

    def stop(self, node: int) -> None:
        """SIGTERM: hands its leaderships over first."""
        self.call("stop", self.facts["dir"], str(node))

    def pause(self, node: int) -> None:
        self.call("pause", self.facts["dir"], str(node))

    def resume(self, node: int) -> None:
        self.call("resume", self.facts["dir"], str(node))

    def start(self, node: int) -> None:
        """With the data and on the ports that it had; comes back when the cluster counts it again."""
        self.call("start", self.facts["dir"], str(node))

    def tool(self, name: str, *words: str) -> str:
        """What a command-line tool of Kafka's prints: tool("TopicCommand", "--list")."""
        return self.call("tool", self.facts["dir"], name, *words)

    def log(self, node: int) -> str:
        return (pathlib.Path(self.facts["dir"]) / str(node) / "log").read_text(errors="replace")

    @staticmethod
    def call(*words: str) -> str:
        done = subprocess.run([KAFKA, *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"tools/kafka {' '.join(words)}: {done.stderr}{done.stdout}")
        return done.stdout
