"""Apicurio Registry, started for a test: a real registry that speaks Confluent's interface. From Maven, pinned; in memory."""
import pathlib
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

VERSION = "3.0.9"
CACHE = pathlib.Path.home() / ".cache" / "penstock" / f"apicurio-{VERSION}"
PATIENCE = 300  # seconds


def unpacked():
    if not (CACHE / "done").exists():
        artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["mvn", "-q", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"], check=True)
            CACHE.mkdir(parents=True, exist_ok=True)
            with tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz"))) as packed:
                packed.extractall(CACHE, filter="data")
        (CACHE / "done").touch()
    return next(CACHE.rglob("quarkus-run.jar"), None) or next(CACHE.rglob("*runner.jar"))


class Apicurio:
    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["java", "-Xmx512m", "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}", "-jar", unpacked()],
                                        stdout=self.log, stderr=self.log)
        until = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.log.seek(0)
                raise SystemExit(f"Apicurio does not start\n{self.log.read()[-2000:].decode(errors='replace')}")
            time.sleep(0.1)  # poll: for the condition
        return self

    def answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
