#!/usr/bin/env python3
"""tools/image: the same bytes twice, nothing in it that is not needed, everything in it that is."""
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 60_000_000
SHELLS = {"sh", "bash", "dash", "busybox"}


def check(holds, what):
    print(("ok   " if holds else "FAIL ") + what, flush=True)
    if not holds:
        sys.exit(1)


def make(folder, name, *words):
    out = folder / name
    done = subprocess.run([ROOT / "tools" / "image", os.environ["PENSTOCK_BINARY"], out, *words], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"an image is made {done.stderr}")
    return out.read_bytes(), dict(line.split("=", 1) for line in done.stdout.splitlines())


def blob(archive, descriptor):
    data = archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()
    check("sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"] and len(data) == descriptor["size"],
          f"{descriptor['mediaType']} is what its digest says")
    return data


def files_of(image, digest):
    """path -> (entry of the archive, bytes), and the settings, read as a registry's client would."""
    archive = tarfile.open(fileobj=io.BytesIO(image))
    reference = json.load(archive.extractfile("index.json"))["manifests"][0]
    check(reference["digest"] == digest, "the digest that was told is the image's")
    manifest = json.loads(blob(archive, reference))
    settings = json.loads(blob(archive, manifest["config"]))
    files = {}
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(blob(archive, layer))) as packed:
            files |= {"/" + each.name: (each, packed.extractfile(each).read() if each.isfile() else None) for each in packed}
    for_docker = json.load(archive.extractfile("manifest.json"))[0]
    check([archive.getmember(each).size for each in for_docker["Layers"]] == [each["size"] for each in manifest["layers"]],
          "docker's list names the same layers")
    return files, settings["config"]


def right_files(files, settings):
    check(settings["User"] == "65532:65532" and settings["Entrypoint"] == ["/bin/penstock"], "it starts penstock as an unprivileged user")
    check(not SHELLS & {pathlib.PurePath(path).name for path in files}, "no shell")
    programs = [path for path, (entry, _) in files.items() if entry.isfile() and entry.mode & 0o111 and ".so" not in path]
    check(programs == ["/bin/penstock"], f"one program: {programs}")
    check(all(entry.mtime == 0 for entry, _ in files.values()), "no time of building")
    check(not any(entry.mode & 0o6000 for entry, _ in files.values()), "nothing that changes the user")
    for path in ("/etc/ssl/certs/ca-certificates.crt", "/usr/share/zoneinfo/Europe/Stockholm", "/usr/share/doc/penstock/copyright"):
        check(path in files, f"it holds {path}")


def runs_alone(tree):
    """In a root of its own, where nothing else can help out; needs root."""
    if os.geteuid() != 0:
        print("     not tried: starting it in a root of its own needs root")
        return
    for words in (["version"], ["check", "/file"]):
        done = subprocess.run(["chroot", "--userspec=65532:65532", tree, "/bin/penstock", *words], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"penstock {words[0]} runs where there is nothing but the image {done.stderr}")


def right_bill(files):
    """The bill names what the loader would load and what the link has put in."""
    bill = json.loads(files["/usr/share/sbom/penstock.spdx.json"][1])
    named = {each["name"]: each for each in bill["packages"]}
    program = next(each for each in bill["packages"] if each["name"] == "penstock")
    check(program["checksums"][0]["checksumValue"] == hashlib.sha256(files["/bin/penstock"][1]).hexdigest(), "the bill is of this program")
    kinds = {each["relatedSpdxElement"]: each["relationshipType"] for each in bill["relationships"]}
    for name, kind in (("libc6", "DYNAMIC_LINK"), ("libpq5", "DYNAMIC_LINK"), ("librocksdb-dev", "STATIC_LINK"), ("librdkafka", "STATIC_LINK"),
                       ("libssl-dev", "STATIC_LINK"), ("nlohmann-json3-dev", "STATIC_LINK")):
        check(name in named and kinds[named[name]["SPDXID"]] == kind, f"the bill has {name}, {kind}")
        check(f"/usr/share/doc/{name}/copyright" in files, "and its licence is there")
    check("libbenchmark-dev" not in named and "doctest-dev" not in named, "and not what only tests need")
    check(all(each["versionInfo"] for each in bill["packages"]), "every version is told")
    owned = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libpq5"], capture_output=True, text=True, check=True).stdout
    check(named["libpq5"]["versionInfo"] == owned, "as it is on this machine")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        tree = folder / "tree"
        tree.mkdir()
        first, told = make(folder, "first.tar", "--tree", tree)
        second, _ = make(folder, "second.tar")
        check(first == second, "the same bytes twice")
        check(len(first) <= LIMIT, f"{len(first) / 1e6:.1f} MB of at most {LIMIT / 1e6:.0f}")
        files, settings = files_of(first, told["digest"])
        right_files(files, settings)
        right_bill(files)
        unpacked = {"/" + str(each.relative_to(tree)): each for each in tree.rglob("*")}
        check(set(unpacked) == set(files) - {"/."}, "the unpacked tree has the same files")
        shutil.copytree(ROOT / "examples" / "minimal", tree / "file")
        runs_alone(tree)


main()
