"""Amazon MSK by its ARN on a real broker whose validator checks the presigned address: brokers looked up, login by IAM, tokens
renewed before their end under one session name; refusals are clear errors; no secret is ever shown."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE.parent / "aws" / "requirements.txt")

from aws_stub import CANARY, Aws  # noqa: E402
from broker import KAFKA, Broker  # noqa: E402

BINARY = os.environ["PENSTOCK_BINARY"]
ARN = "arn:aws:kafka:eu-north-1:123456789012:cluster/meters/6f0a-1"
PATIENCE = 90
SCHEMA = '{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"kwh","type":"double"}]}'
PIPELINE = """pipeline: msk
version: 1
schemas: {r: r.avsc}
topics:
  in: {schema: r, key: id, partitions: 1, replicas: 1}
  out: {key: id, partitions: 1, replicas: 1}
stages:
  first: {from: in, steps: [{drop: "kwh < 0.0"}], to: out}
targets:
  k:
    log: {msk: "${env:MSK_ARN}", ca: CA}
"""


def check(good, what, more=""):
    print(f"{'ok   ' if good else 'FAIL '} {what}", flush=True)
    if not good:
        raise SystemExit(f"{what}\n{more}")


def wait_for(what, holds, more=lambda: ""):
    until = time.monotonic() + PATIENCE
    while not holds():  # poll: what other processes do
        if time.monotonic() > until:
            raise SystemExit(f"not in {PATIENCE} s: {what}\n{more()}")
        time.sleep(0.05)  # poll: between two looks
    print(f"ok    {what}", flush=True)


def validator(folder, *more):
    """The jar with MskValidator and more of that kind, compiled against Kafka's own."""
    subprocess.run([KAFKA, "fetch"], check=True)
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "penstock"
    jars = ":".join(str(jar) for each in cache.glob("kafka-*") for jar in each.glob("kafka-clients-*.jar"))
    subprocess.run(["javac", "-cp", jars, "-d", folder / "classes", HERE / "MskValidator.java", *more], check=True)
    subprocess.run(["jar", "cf", folder / "validator.jar", "-C", folder / "classes", "."], check=True)
    return folder / "validator.jar"


class Trial:
    def __init__(self, folder, aws, ca):
        self.folder, self.aws, self.said = folder, aws, ""
        (folder / "r.avsc").write_text(SCHEMA)
        (folder / "pipeline.yaml").write_text(PIPELINE.replace("CA", ca))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {
            "MSK_ARN": ARN, "AWS_ENDPOINT_URL": aws.url, "AWS_WEB_IDENTITY_TOKEN_FILE": str(aws.token_file), "HOME": str(folder),
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/penstock", "AWS_REGION": "eu-north-1"}

    def call(self, *words, stdin="", status=0):
        done = subprocess.run([BINARY, *words], input=stdin, capture_output=True, text=True, timeout=PATIENCE, env=self.env, check=False)
        self.said += done.stdout + done.stderr
        check(done.returncode == status, f"penstock {words[0]} exits with {status}", f"{done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(self):
        self.log = open(self.folder / "run.log", "w+")
        return subprocess.Popen([BINARY, "run", "-t", "k", str(self.folder)], stdout=self.log, stderr=self.log, env=self.env)

    def shown(self):
        self.log.seek(0)
        return self.log.read()


def works(trial, aws, facts):
    process = trial.start()
    try:
        wait_for("a token passed the broker's validator", lambda: aws.tokens or process.poll() is not None, trial.shown)
        trial.call("send", "-t", "k", "--to", "in", str(trial.folder), "-", stdin='{"id":"a","kwh":1.0}\n{"id":"b","kwh":2.0}\n')
        begin = time.time()
        wait_for("tokens of three credentials or more were used", lambda: len({t for at, t in aws.tokens if at > begin}) >= 3 or process.poll() is not None,
                 trial.shown)
        check(process.poll() is None, "the run goes on", trial.shown())
        trial.call("send", "-t", "k", "--to", "in", str(trial.folder), "-", stdin='{"id":"c","kwh":3.0}\n')
        wait_for("the readings went through", lambda: '"lag":0' in trial.call("lag", "-t", "k", "-o", "json", str(trial.folder)).replace(" ", ""))
        check(trial.call("tail", "-t", "k", str(trial.folder), "out").count("kwh") >= 3, "all of them")
    finally:
        process.terminate()
        process.wait(30)
    trial.said += trial.shown()
    check(not aws.refused, "no login and no request was refused", aws.refused)
    check(all(name.startswith("penstock-") for name in aws.sessions), "session names are ours")


def refusals(trial, aws):
    aws.refuse_logins = True
    said = trial.call("run", "-t", "k", str(trial.folder), status=69)
    check("error[L104]" in said and "cure:" in said, "a refused login is L104", said)
    aws.refuse_logins = False
    good = aws.token_file.read_text()
    aws.token_file.write_text(CANARY + "another\n")
    trial.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(trial.folder / "old-token")
    (trial.folder / "old-token").write_text(CANARY + "old")
    said = trial.call("run", "-t", "k", str(trial.folder), status=69)
    check("error[W003]" in said and "InvalidIdentityToken" in said, "a refused identity is W003", said)
    aws.token_file.write_text(good)
    trial.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(aws.token_file)
    aws.brokers = ""
    said = trial.call("run", "-t", "k", str(trial.folder), status=69)
    check("error[W008]" in said, "a cluster without IAM is W008", said)
    trial.env["MSK_ARN"] = "arn:aws:s3:::bucket"
    check("error[W007]" in trial.call("run", "-t", "k", str(trial.folder), status=78), "another ARN is W007")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "trial").mkdir()
        (folder / "token").write_text(CANARY + "web-identity\n")
        aws = Aws(folder / "token", life=20)
        os.environ["PENSTOCK_TEST_AWS"] = aws.url
        listener = "listener.name.sasl.oauthbearer"
        with Broker(sasl=True, classes=validator(folder), properties={
                f"{listener}.sasl.server.callback.handler.class": "MskValidator", f"{listener}.connections.max.reauth.ms": "4000"}) as broker:
            aws.brokers = broker.facts["sasl"]
            trial = Trial(folder / "trial", aws, broker.facts["ca"])
            works(trial, aws, broker.facts)
            refusals(trial, aws)
        check(CANARY not in trial.said, "no secret in anything that was printed", trial.said)


if __name__ == "__main__":
    sys.exit(main())
