"""Whose work is in an image: Debian's packages and their versions, as a bill of materials in SPDX 2.3.

Shared libraries and data are looked up by their files; what was compiled in, by the archives that the build links and the
headers that it read, both taken from the build's own records (build.ninja and ninja's log of dependencies).
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess

from contents import Entry, NotPossible, run

DPKG = pathlib.Path("/var/lib/dpkg/info")
NOTICES = "/usr/share/doc/"
RDKAFKA = re.compile(r"/librdkafka-([0-9.]+)-[0-9a-f]+/librdkafka\.a$")


def owners(paths: set[str]) -> set[str]:
    """The packages that hold these files."""
    holders = {}
    for listing in DPKG.glob("*.list"):
        package = listing.name.removesuffix(".list").split(":")[0]
        holders |= dict.fromkeys(listing.read_text(errors="replace").splitlines(), package)
    found = set()
    for path in sorted(paths):
        here = os.path.realpath(path)
        # /lib and /usr/lib are one folder, and a package may name either.
        names = (path, here, path.removeprefix("/usr"), here.removeprefix("/usr"))
        holder = next((holders[name] for name in names if name in holders), None)
        if not holder:
            raise NotPossible(f"no package holds {path}", "install it as a package, so that its version can be told")
        found.add(holder)
    return found


def build_folder(binary: pathlib.Path) -> pathlib.Path:
    for folder in binary.resolve().parents:
        if (folder / "build.ninja").exists():
            return folder
    raise NotPossible(f"{binary} does not lie in a folder that ninja built", "name the binary where the build left it; or --bare")


def linked(folder: pathlib.Path) -> set[str]:
    """The archives that the program is linked from, but its own."""
    text = (folder / "build.ninja").read_text().replace("$\n", "")
    line = re.search(r"^build src/app/penstock: .*?^  LINK_LIBRARIES = (.*?)$", text, re.M | re.S)
    if not line:
        raise NotPossible("build.ninja does not say how penstock is linked", "build the target penstock with Ninja")
    return {word for word in line[1].split() if word.startswith("/") and word.endswith(".a")}


def headers(folder: pathlib.Path) -> set[str]:
    """The system's headers that the program's own objects were compiled with."""
    found, ours = set(), False
    for line in run("ninja", "-C", folder, "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            ours = line.startswith("src/") and "_test" not in line
        elif ours and line.lstrip().startswith("/usr/"):
            found.add(os.path.normpath(line.strip()))
    return found


def compiled_in(binary: pathlib.Path) -> tuple[set[str], dict[str, pathlib.Path]]:
    """Debian's packages, and the folder of each library that was compiled from source, by name and version."""
    folder = build_folder(binary)
    archives = linked(folder)
    ours = {f"librdkafka {found[1]}": pathlib.Path(each).parent for each in archives if (found := RDKAFKA.search(each))}
    return owners({each for each in archives if not RDKAFKA.search(each)} | headers(folder)), ours


def versions(packages: set[str]) -> dict[str, tuple[str, str]]:
    """Version and source package."""
    told = run("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${source:Package} ${source:Version}\n", *sorted(packages))
    return {line.split("\t")[0]: tuple(line.split("\t")[1:]) for line in told.splitlines()}


def notices(packages: set[str], sources: dict[str, pathlib.Path]) -> dict[str, Entry]:
    """The licences that must go along."""
    found = {}
    for package in packages:
        path = pathlib.Path(NOTICES, package, "copyright")
        if path.exists():
            found[str(path)] = Entry(path.read_bytes())
    for name, folder in sources.items():
        found[f"{NOTICES}{name.split()[0]}/copyright"] = Entry((folder / "LICENSES.txt").read_bytes())
    return found


def licence_of(text: str) -> str:
    """What Debian's file says of the package as a whole, in Debian's words."""
    first = re.search(r"^Files: \*$.*?^License: ([^\n]+)$", text, re.M | re.S)
    return first[1] if first else "see the copyright file"


def package(number: int, name: str, version: str, *, more: dict) -> dict:
    return {"SPDXID": f"SPDXRef-Package-{number}", "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "copyrightText": "NOASSERTION"} | more


def bill(program: bytes, version: str, shared: set[str], compiled: set[str], sources: dict[str, pathlib.Path]) -> bytes:
    """The SPDX document; nothing of the time or place goes in."""
    digest = hashlib.sha256(program).hexdigest()
    main = package(0, "penstock", version, more={
        "licenseDeclared": "Apache-2.0", "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]})
    packages, relations = [main], [("SPDXRef-DOCUMENT", "DESCRIBES", main["SPDXID"])]
    told = versions(shared | compiled)
    for name in sorted(told):
        number, origin = told[name]
        path = pathlib.Path(NOTICES, name, "copyright")
        licence = licence_of(path.read_text(errors="replace")) if path.exists() else "see its source package"
        each = package(len(packages), name, number, more={
            "sourceInfo": f"Debian source package {origin}", "licenseComments": f"Debian's copyright file: {licence}",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{name}@{number}?distro=bookworm"}]})
        packages.append(each)
        relations += [(main["SPDXID"], "DYNAMIC_LINK" if name in shared else "STATIC_LINK", each["SPDXID"])]
    for name in sorted(sources):
        each = package(len(packages), *name.split(), more={"licenseDeclared": "BSD-2-Clause"})
        packages.append(each)
        relations.append((main["SPDXID"], "STATIC_LINK", each["SPDXID"]))
    return json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"penstock-{version}",
        "documentNamespace": f"urn:penstock:sbom:{digest}",
        "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: penstock-tools-image"]}, "packages": packages,
        "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} for one, kind, other in relations],
    }, indent=1).encode() + b"\n"


def version_of(binary: pathlib.Path) -> str:
    done = subprocess.run([binary, "version"], capture_output=True, text=True, check=False)
    found = re.match(r"penstock (\S+)", done.stdout)
    if done.returncode != 0 or not found:
        raise NotPossible(f"{binary} version does not answer as penstock does", "name a penstock binary; or --bare for another program")
    return found[1]
