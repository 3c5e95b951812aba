"""What goes into an image: a program, the shared libraries it needs, and the few files that those look for."""
import dataclasses
import os
import pathlib
import re
import subprocess

USER = 65532
PASSWD = f"root:x:0:0:root:/:/nologin\nnobody:x:65534:65534:nobody:/:/nologin\npenstock:x:{USER}:{USER}:penstock:/:/nologin\n"
GROUP = f"root:x:0:\nnogroup:x:65534:\npenstock:x:{USER}:\n"
NAME_SERVICES = "passwd: files\ngroup: files\nhosts: files dns\n"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
ZONES = "/usr/share/zoneinfo/"
# Libraries that a program opens by itself, by the name that stands in it; ldd does not know of them.
OPENED = re.compile(rb"\blib[a-z]+\.so\.[0-9]+\b")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, or a folder where data is None. source: where it comes from on this machine."""
    data: bytes | None
    mode: int = 0o644
    owner: int = 0
    source: str = ""


class NotPossible(Exception):
    """The second argument is the cure."""


def run(*command) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise NotPossible(f"{command[0]}: {(done.stderr or done.stdout).strip()}", "see that it is installed and the file is a program")
    return done.stdout


def needed_by(binary) -> dict[str, str]:
    """Shared libraries: the path they have in the image, and here."""
    done = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        if "not a dynamic executable" in done.stderr + done.stdout:
            return {}
        raise NotPossible(f"ldd: {done.stderr.strip()}", "name a program of this machine's kind")
    if absent := re.findall(r"^\s*(\S+) => not found", done.stdout, re.M):
        raise NotPossible(f"no {', no '.join(absent)} on this machine", "install the package that holds it")
    return {each: os.path.realpath(each) for each in re.findall(r"(/\S+) \(0x", done.stdout)}


def libraries(binary: pathlib.Path, program: bytes) -> dict[str, str]:
    found = needed_by(binary)
    if not found:
        return {}
    known = {name: path for name, path in re.findall(r"^\s*(\S+) .*=> (\S+)$", run("/sbin/ldconfig", "-p"), re.M)}
    for name in sorted({each.decode() for each in OPENED.findall(program)}):
        if name in {pathlib.PurePath(each).name for each in found}:
            continue
        if name not in known:
            raise NotPossible(f"the program opens {name} by itself, and it is not on this machine", "install the package that holds it")
        found |= {known[name]: os.path.realpath(known[name])} | needed_by(known[name])
    return found


def stripped(binary: pathlib.Path, folder: pathlib.Path) -> bytes:
    run("strip", "--strip-all", "-o", folder / "stripped", binary)
    return (folder / "stripped").read_bytes()


def zones() -> dict[str, Entry]:
    """Time zones by name, without the two older ways to write them all."""
    found = {}
    for path in sorted(pathlib.Path(ZONES).rglob("*")):
        if path.is_file() and path.relative_to(ZONES).parts[0] not in ("posix", "right"):
            data = path.read_bytes()
            if data.startswith(b"TZif"):
                found[str(path)] = Entry(data, source=str(path))
    if not found:
        raise NotPossible("there are no time zones on this machine", "apt-get install tzdata")
    return found


def system(binary: pathlib.Path, program: bytes, bare: bool) -> dict[str, Entry]:
    """Everything but the program itself. bare: its libraries only."""
    files = {path: Entry(pathlib.Path(here).read_bytes(), 0o755, source=here) for path, here in libraries(binary, program).items()}
    if bare:
        return files
    files["/etc/passwd"] = Entry(PASSWD.encode())
    files["/etc/group"] = Entry(GROUP.encode())
    files["/etc/nsswitch.conf"] = Entry(NAME_SERVICES.encode())
    files["/tmp"] = Entry(None, 0o1777)
    files["/data"] = Entry(None, 0o755, USER)
    if not os.path.exists(AUTHORITIES):
        raise NotPossible(f"there is no {AUTHORITIES}", "apt-get install ca-certificates")
    files[AUTHORITIES] = Entry(pathlib.Path(AUTHORITIES).read_bytes(), source=AUTHORITIES)
    if ZONES.encode() in program:
        files |= zones()
    return files


def with_folders(files: dict[str, Entry]) -> dict[str, Entry]:
    """And the folders that lead to each of them; sorted, so a folder comes before what is in it."""
    folders = {str(parent): Entry(None, 0o755) for path in files for parent in pathlib.PurePosixPath(path).parents if str(parent) != "/"}
    return dict(sorted((folders | files).items()))
