"""No secret is seen: a canary in every slot, then everything that leaves the process is searched for it, cores included."""
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

from pipeline_fixture import BINARY, check

CANARY = "kanarienvogel-7f3a"
SCHEMA = '{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"kwh","type":"double"}]}'
PIPELINE = """pipeline: trial
version: 1
schemas: {r: r.avsc}
topics: {in: {schema: r, key: id, partitions: 1}}
stages:
  first: {from: in, steps: [{drop: "kwh < 0.0"}], to: rows}
stores: {rows: {STORE}}
targets:
  t:
    LOG
    SETTINGS
"""
SQLITE = "stores: {rows: sqlite}"
VERBS = ["check", "."], ["plan", "."], ["plan", ".", "-o", "json"], ["status", ".", "-o", "json"], ["lag", "."]
PROFILE = f"[default]\naws_access_key_id = AKIACANARY\naws_secret_access_key = {CANARY}\naws_session_token = {CANARY}\n"


class Deaf:
    """A server that takes connections and never answers, so that a process stays where it has its secrets at hand."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connected = threading.Event()
        self.kept = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            self.kept.append(self.listener.accept()[0])
            self.connected.set()


def slots(port):
    """name -> (pipeline, environment, other files)"""
    def kafka(log):
        return PIPELINE.replace("STORE", "redshift: rows").replace("LOG", f"log: {{kafka: \"127.0.0.1:{port}\", {log}}}").replace("SETTINGS", SQLITE)

    def store(kind, settings):
        return PIPELINE.replace("STORE", kind).replace("LOG", "log: embedded").replace("SETTINGS", f"stores: {{rows: {{{settings}}}}}")

    word = {"PENSTOCK_SECRET_WORD": CANARY}
    aws = {"AWS_ACCESS_KEY_ID": "AKIACANARY", "AWS_SECRET_ACCESS_KEY": CANARY, "AWS_SESSION_TOKEN": CANARY}
    postgres = store("postgres: rows", f'host: 127.0.0.1, port: {port}, user: u, database: d, password: "${{secret:word}}", tls: off')
    dynamodb = store("dynamodb: rows, key: id", f'region: eu-north-1, endpoint: "http://127.0.0.1:{port}", create: true')
    return {
        "Kafka, SCRAM": (kafka('auth: scram, user: u, password: "${secret:word}"'), word, {}),
        "Kafka, PLAIN": (kafka('auth: plain, user: u, password: "${secret:word}"'), word, {}),
        "Kafka, the client's own property, its debug log on":
            (kafka('auth: scram, user: u, password: "${secret:word}", properties: {ssl.key.password: "${secret:word}", debug: all}'), word, {}),
        "PostgreSQL, from the environment": (postgres, word, {}),
        "PostgreSQL, from a file of secrets": (postgres, {"PENSTOCK_SECRETS": "secrets.yaml"}, {"secrets.yaml": f"word: {CANARY}\n"}),
        "AWS, from the environment": (dynamodb, aws, {}),
        "AWS, from a profile": (dynamodb, {"AWS_SHARED_CREDENTIALS_FILE": "credentials"}, {"credentials": PROFILE}),
    }


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def cores_of(folder):
    return list(folder.glob("core*"))


class Trial:
    def __init__(self, folder, pipeline, environment, files):
        self.folder, self.given = folder, files
        folder.mkdir()
        for name, text in {"pipeline.yaml": pipeline, "r.avsc": SCHEMA, **files}.items():
            (folder / name).write_text(text)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_SECRET"))} | environment

    def start(self):
        self.out = open(self.folder / "said", "wb")
        # In the folder, where a core would lie.
        self.process = subprocess.Popen([BINARY, "run", ".", "-t", "t", "--listen", "127.0.0.1:0"], cwd=self.folder, env=self.environment,
                                        stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL, preexec_fn=allow_cores)

    def metrics(self):
        port = re.search(r"health and metrics on port (\d+)", (self.folder / "said").read_text())
        if not port:
            return b""
        with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/metrics", timeout=5) as answer:
            return answer.read()

    def look(self, *words):
        return subprocess.Popen([BINARY, *words, "-t", "t"], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def crash(self):
        self.process.send_signal(signal.SIGABRT)
        check(self.process.wait(30) == -signal.SIGABRT, "it is made to crash")
        self.out.close()

    def crash_under_watch(self):
        """What others get to see of it until its end; then other verbs begin, with the same secrets."""
        self.found = {"arguments": pathlib.Path(f"/proc/{self.process.pid}/cmdline").read_bytes(), "metrics": self.metrics()}
        self.crash()
        self.verbs = {" ".join(words): self.look(*words) for words in VERBS}

    def places(self):
        """name -> bytes, of all that anybody gets to see."""
        return self.found | {name: verb.communicate(timeout=60)[0] for name, verb in self.verbs.items()} | self.files()

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path.name not in self.given}


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)  # poll: for the condition
    return condition()


with tempfile.TemporaryDirectory() as temporary:
    plain = Trial(pathlib.Path(temporary) / "plain", PIPELINE.replace("STORE", "redshift: rows").replace("LOG", "log: embedded")
                  .replace("SETTINGS", SQLITE), {}, {})
    plain.start()
    check(wait_until(lambda: (plain.folder / ".penstock" / "control.sock").exists(), 30), "a pipeline without secrets runs")
    plain.crash()
    cores_are_written = bool(cores_of(plain.folder))
    print(f"a process without secrets leaves {'a core' if cores_are_written else 'no core here: cores are not looked for'}")

    trials = {}
    for number, name in enumerate(slots(0)):
        server = Deaf()
        trials[name] = trial = Trial(pathlib.Path(temporary) / str(number), *slots(server.port)[name])
        trial.start()
        check(wait_until(server.connected.is_set, 30), f"{name}: the process uses it")
        trial.crash_under_watch()
        if cores_are_written:
            check(not cores_of(trial.folder), f"{name}: the crash left no core")
    for name, trial in trials.items():
        seen = [where for where, text in trial.places().items() if CANARY.encode() in text]
        check(not seen, f"{name}: nothing shows it {seen}")
