"""server.properties of a node, and the certificates of the secured listeners."""
import pathlib
import subprocess

# Quick to start and quick to notice: what a test wants. Each can be overridden, or left to the broker (`--property name=`).
FAST = """
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=4194304
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1
num.partitions=1
auto.create.topics.enable=false
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
controlled.shutdown.enable=true
"""
# Users of the listener SASL; all have this password. ACLs: `app` and `nobody` have what a test gives them.
USERS, PASSWORD = ("admin", "app", "nobody"), "secret"


def certificates(folder: pathlib.Path) -> None:
    """ca.pem, other-ca.pem, broker.pem (key and chain), client.pem, client.key: made by openssl, good for a month."""
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("ca", "other-ca"):
        openssl("req", "-x509", *key, "-days", "30", "-subj", f"/CN=penstock test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name, subject in (("broker", "/CN=localhost"), ("client", "/CN=app")):
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n" if name == "broker" else "extendedKeyUsage=clientAuth\n")
        openssl("req", *key, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                "-out", f"{name}.pem", "-extfile", "names")
    chain = "".join((folder / part).read_text() for part in ("broker.key", "broker.pem", "ca.pem"))
    (folder / "broker.chain").write_text(chain)


def secured(folder: pathlib.Path, sasl: bool) -> dict[str, str]:
    jaas = "org.apache.kafka.common.security"
    settings = {
        "ssl.keystore.type": "PEM", "ssl.keystore.location": f"{folder}/broker.chain",
        "ssl.truststore.type": "PEM", "ssl.truststore.location": f"{folder}/ca.pem",
        "listener.name.mtls.ssl.client.auth": "required",
    }
    if sasl:
        users = " ".join(f'user_{user}="{PASSWORD}"' for user in USERS)
        settings |= {
            "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER",
            "listener.name.sasl.scram-sha-256.sasl.jaas.config": f"{jaas}.scram.ScramLoginModule required;",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{jaas}.scram.ScramLoginModule required;",
            "listener.name.sasl.plain.sasl.jaas.config": f"{jaas}.plain.PlainLoginModule required {users};",
            "listener.name.sasl.oauthbearer.sasl.jaas.config":
                f'{jaas}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
        }
    return settings


def scram_users() -> list[str]:
    """Arguments of StorageTool format that make the users."""
    return [word for user in USERS for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for word in ("--add-scram", f"{mechanism}=[name={user},password={PASSWORD},iterations=4096]")]


def address(cluster: dict, listener: str) -> str:
    return cluster["also"] if listener == "ALSO" else "127.0.0.1"


def properties(cluster: dict, node: int) -> dict[str, str]:
    """All of server.properties; `cluster` is what cluster.json holds."""
    copies = len(cluster["nodes"])
    in_sync = "2" if copies == 3 else "1"
    ports = cluster["nodes"][str(node)]
    kinds = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", "TLS": "SSL", "MTLS": "SSL", "SASL": "SASL_SSL", "ALSO": "PLAINTEXT"}
    listeners = [f"{name}://{address(cluster, name)}:{port}" for name, port in ports.items()]
    settings = dict(line.split("=", 1) for line in FAST.split())
    settings |= {
        "node.id": str(node), "process.roles": "broker,controller",
        "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{p['CONTROLLER']}" for n, p in cluster["nodes"].items()),
        "listeners": ",".join(listeners),
        "advertised.listeners": ",".join(each for each in listeners if not each.startswith("CONTROLLER")),
        "listener.security.protocol.map": ",".join(f"{name}:{kinds[name]}" for name in ports),
        "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": f"{cluster['dir']}/{node}/data",
        "min.insync.replicas": in_sync, "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.min.isr": in_sync, "default.replication.factor": str(copies),
    }
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        settings[f"{topic}.replication.factor"] = str(copies)
    if "TLS" in ports:
        settings |= secured(pathlib.Path(cluster["dir"]) / "tls", "SASL" in ports)
    if cluster["acl"]:
        settings |= {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                     "super.users": "User:ANONYMOUS;User:admin"}
    for name, value in cluster["properties"].items():
        settings[name] = value
    return {name: value for name, value in settings.items() if value != ""}
