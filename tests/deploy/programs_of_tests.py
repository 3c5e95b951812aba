"""Helm, and what the definitions of custom kinds come from: pinned, fetched or built once per machine (tools/kube)."""
import functools
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/kube.d"))
import programs  # noqa: E402

PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
CHART = ROOT / "deploy/helm/penstock"
PENSTOCK = os.environ.get("PENSTOCK_BINARY") or str(ROOT / "build/penstock")


def helm() -> str:
    programs.build(["helm"])
    return str(programs.path("helm"))


@functools.cache
def module(name: str) -> pathlib.Path:
    done = subprocess.run([programs.go(), "mod", "download", "-json", name], capture_output=True, text=True, check=False, cwd="/",
                          env=programs.environment())
    # A module that wants a newer Go is said to fail, and is there all the same.
    told = json.loads(done.stdout or "{}")
    if "Dir" not in told:
        raise programs.Missing(f"{name} cannot be had: {told.get('Error', done.stderr)}", "see that this machine reaches its Go module proxy")
    return pathlib.Path(told["Dir"])


def keda() -> pathlib.Path:
    return module(f"github.com/kedacore/keda/v2@v{programs.KEDA}")


def definition_files() -> list[pathlib.Path]:
    operator = module(PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd"
    return [*(keda() / "config/crd/bases").glob("keda.sh_*.yaml"),
            *(operator / f"monitoring.coreos.com_{kind}.yaml" for kind in ("podmonitors", "prometheusrules"))]
