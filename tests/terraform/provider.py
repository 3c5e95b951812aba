"""Are the resources of deploy/terraform such as the AWS provider takes? The provider itself cannot be had without its registry; its
schema can: a package of npm's carries it as TypeScript. Every argument and block has to be known there, what is required has to be
given, and every attribute that is read has to exist."""
import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import hcl2  # noqa: E402
from design import MODULES  # noqa: E402

PACKAGE, VERSION = "@cdktf/provider-aws", "21.22.1"  # the provider 6.25.0
DIGEST = "d1446ab6ac6526c6fab4b28a5ebefdd90c0ce56203949925d35a4d286c05cbbf"
META = {"count", "for_each", "depends_on", "lifecycle", "provider", "provisioner", "connection"}
PROPERTY = re.compile(r"#(\w+) [\w#]+\}(?:(?!readonly).)*?readonly \w+(\?)?: ([^;{]*)", re.S)
REFERENCE = re.compile(r"\b(data\.)?aws_(\w+)\.(\w+)(?:\[[^\]]*\])?\.(\w+)")


def schemas():
    """The folder of the package's descriptions, once per machine."""
    root = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = root / "penstock" / f"provider-aws-{VERSION}"
    if folder.is_dir():
        return folder
    if shutil.which("npm") is None:
        sys.exit("provider: there is no npm; it fetches the provider's schema\n  cure: tools/setup test installs it")
    print("provider: fetching the AWS provider's schema through npm (once; 37 MB)", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = pathlib.Path(name)
        subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=work, check=True, stdout=subprocess.DEVNULL)
        packed = next(work.glob("*.tgz"))
        if hashlib.sha256(packed.read_bytes()).hexdigest() != DIGEST:
            sys.exit(f"provider: {PACKAGE}@{VERSION} is not what it was\n  cure: look what changed, then change DIGEST in {__file__}")
        with tarfile.open(packed) as archive:
            for member in archive:
                if found := re.fullmatch(r"package/lib/([a-z0-9-]+)/index\.d\.ts", member.name):
                    (work / "all").mkdir(exist_ok=True)
                    (work / "all" / f"{found[1]}.d.ts").write_bytes(archive.extractfile(member).read())
        try:
            os.rename(work / "all", folder)
        except OSError:
            if not folder.is_dir():  # else another start was first
                raise
    return folder


@functools.cache
def described(folder, kind):
    """(interface -> {argument: (required, its interface)}, name of the first, attributes that can be read)."""
    path = folder / f"{kind.replace('_', '-')}.d.ts"
    if not path.exists():
        return None
    text = path.read_text()
    interfaces = {}
    for found in re.finditer(r"^export interface (\w+)[^{]*\{(.*?)^\}", text, re.S | re.M):
        interfaces[found[1]] = {name: (not optional, re.sub(r"\[\]| \| .*|\s", "", type_)) for name, optional, type_ in PROPERTY.findall(found[2])}
    attributes = {re.sub(r"([A-Z])", lambda c: "_" + c[1].lower(), name) for name in re.findall(r"^    get (\w+)\(\)", text, re.M)}
    return interfaces, next(name for name in interfaces if name.endswith("Config")), attributes


def blocks_of(value):
    """hcl2 gives a list for each block, and each attribute as it stands."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def examine(interfaces, name, body, where, meta=frozenset()):
    """What is wrong with one block, and with those within."""
    arguments = interfaces[name]
    given = {key for key in body if not key.startswith("__")} - meta
    dynamic = [(block, inner["content"]) for one in body.get("dynamic", []) for block, inner in one.items()]
    given = given - {"dynamic"} | {block for block, _ in dynamic}
    for key in sorted(given - set(arguments)):
        yield f"{where}: there is no argument {key}"
    for key, (required, _) in arguments.items():
        if required and key not in given:
            yield f"{where}: {key} is required"
    within = [(key, inner) for key in given & set(arguments) for inner in blocks_of(body.get(key))]
    for key, inner in within + [(block, one) for block, content in dynamic if block in arguments for one in content]:
        if arguments[key][1] in interfaces:
            yield from examine(interfaces, arguments[key][1], inner, f"{where}.{key}")


def wrong_in(folder, text, name):
    seen = 0
    parsed = hcl2.loads(text)
    for of in ("resource", "data"):
        for one in parsed.get(of, []):
            for kind, named in one.items():
                seen += 1
                found = described(folder, ("data_" if of == "data" else "") + (kind if of == "data" else kind.removeprefix("aws_")))
                if found is None:
                    yield f"{name}: there is no {of} {kind}"
                    continue
                for label, body in named.items():
                    yield from examine(found[0], found[1], body, f"{name}: {kind}.{label}", META)
    for data, kind, label, attribute in REFERENCE.findall(text):
        found = described(folder, f"data_aws_{kind}" if data else kind)
        if found and attribute not in found[2]:
            yield f"{name}: aws_{kind}.{label} has no attribute {attribute}"
    if name.endswith("main.tf") and "/aws/" in name and not seen:
        yield f"{name}: no resource was seen"


WRONG = """
resource "aws_msk_cluster" "wrong" {
  cluster_name  = "x"
  kafka_version = "x"
  encryption_info {
    encryption_in_transit {
      client_brokers = "TLS"
    }
  }
}
output "y" { value = aws_msk_cluster.wrong.bootstrap_brokers_iam }
"""


def main():
    folder = schemas()
    noticed = "\n".join(wrong_in(folder, WRONG, "wrong"))
    for each in ("no argument client_brokers", "number_of_broker_nodes is required", "no attribute bootstrap_brokers_iam"):
        if each not in noticed:
            sys.exit(f"FAILED: it would not notice: {each}\n{noticed}")
    files = sorted(MODULES.parent.rglob("*.tf"))
    wrong = [line for file in files for line in wrong_in(folder, file.read_text(), str(file.relative_to(MODULES.parents[1])))]
    if wrong:
        sys.exit("FAILED:\n" + "\n".join(wrong))
    print(f"ok   {len(files)} files: every argument, block and attribute is the provider's")


if __name__ == "__main__":
    main()
