"""A running `penstock`, its metrics, and waiting for conditions."""
import ctypes
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

PORT = re.compile(r"health and metrics on port (\d+)")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_the_test():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, seconds):
    """The condition's first true value, or its last false one after that time."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > until:
            return value
        time.sleep(0.02)  # poll: for the condition


class Process:
    def __init__(self, folder, name, arguments, environment):
        self.name = name
        self.path = folder / f"{name}.err"
        with open(self.path, "wb") as err:
            self.process = subprocess.Popen([os.environ["PENSTOCK_BINARY"], *map(str, arguments), "--listen", "127.0.0.1:0"],
                                            stdout=err, stderr=err, stdin=subprocess.DEVNULL, env=os.environ | environment,
                                            preexec_fn=die_with_the_test)
        self.port = None

    def output(self):
        return self.path.read_text(errors="replace")

    def get(self, path):
        """What it answers there, as (status, text); (0, "") while nobody listens."""
        if self.port is None and (found := PORT.search(self.output())):
            self.port = int(found[1])
        if self.port is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def metrics(self):
        """name -> sum over labels; empty while it does not answer."""
        sums = {}
        for line in self.get("/metrics")[1].splitlines():
            if not line.startswith("#"):
                name = re.split(r"[{ ]", line, maxsplit=1)[0].removeprefix("penstock_")
                sums[name] = sums.get(name, 0) + float(line.rsplit(" ", 1)[1])
        return sums

    def metric(self, name):
        return self.metrics().get(name, 0)

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            return "killed: it did not end"

    def told(self):
        """For a failed check: its figures and the end of what it said."""
        state = "runs" if self.running() else f"ended with {self.process.returncode}"
        return f"{self.name} {state}: {self.metrics()}\n{self.output()[-2000:]}"
