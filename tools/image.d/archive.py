"""Files into an image: an archive that docker, podman, skopeo and containerd load, the same bytes for the same files.

The archive is an OCI layout that also has docker's manifest.json.
"""
import hashlib
import io
import json
import os
import pathlib
import tarfile

from contents import Entry, with_folders

OCI = "application/vnd.oci.image"
EPOCH = "1970-01-01T00:00:00Z"


def add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path.lstrip("/"))
    info.mode, info.uid, info.gid = entry.mode, entry.owner, entry.owner
    if entry.data is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    else:
        info.size = len(entry.data)
        archive.addfile(info, io.BytesIO(entry.data))


def packed(files: dict[str, Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, entry in files.items():
            add(archive, path, entry)
    return out.getvalue()


def as_json(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Blobs:
    def __init__(self):
        self.files: dict[str, Entry] = {}

    def put(self, data: bytes, kind: str) -> dict:
        """Comes back with its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = Entry(data)
        return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


def blob(descriptor: dict) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")


def write(out: pathlib.Path, name: str, layers: list[dict[str, Entry]], settings: dict, architecture: str) -> str:
    """The image's digest."""
    blobs = Blobs()
    parts = [blobs.put(packed(with_folders(layer)), "layer.v1.tar") for layer in layers if layer]
    config = blobs.put(as_json({
        "created": EPOCH, "architecture": architecture, "os": "linux", "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [part["digest"] for part in parts]},
        "history": [{"created": EPOCH, "created_by": "tools/image"} for _ in parts]}), "config.v1+json")
    manifest = blobs.put(as_json({"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": config, "layers": parts}),
                         "manifest.v1+json")
    reference = manifest | {"annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rsplit(":", 1)[-1]}}
    files = blobs.files | {
        "index.json": Entry(as_json({"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [reference]})),
        "oci-layout": Entry(as_json({"imageLayoutVersion": "1.0.0"})),
        "manifest.json": Entry(as_json([{"Config": blob(config), "RepoTags": [name], "Layers": [blob(part) for part in parts]}]))}
    out.write_bytes(packed(with_folders(files)))
    return manifest["digest"]


def write_tree(folder: pathlib.Path, layers: list[dict[str, Entry]]) -> None:
    """The files as they are, for a build that copies them."""
    for path, entry in with_folders({name: entry for layer in layers for name, entry in layer.items()}).items():
        at = folder / path.lstrip("/")
        if entry.data is None:
            at.mkdir(parents=True, exist_ok=True)
        else:
            at.write_bytes(entry.data)
        at.chmod(entry.mode)
        if os.geteuid() == 0:
            os.chown(at, entry.owner, entry.owner)
