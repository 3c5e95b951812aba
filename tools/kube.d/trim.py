"""A copy of KEDA's module with the scalers that are of use here: the clients of the others are two thirds of its compilation."""
import os
import pathlib
import re
import shutil

PARTS = ("go.mod", "go.sum", "apis", "cmd", "controllers", "pkg", "version")
KEPT = {"scaler", "kafka_scaler", "metrics_api_scaler", "external_scaler", "cpu_memory_scaler", "cron_scaler", "prometheus_scaler",
        "kubernetes_workload_scaler"}
# One constant that the kept ones use is declared beside a scaler that goes.
LEFT = 'package scalers\n\nconst externalMetricType = "External"\n'


def copy_of_keda(module: pathlib.Path, out: pathlib.Path) -> None:
    out.mkdir(parents=True)
    for part in PARTS:
        if (module / part).is_dir():
            shutil.copytree(module / part, out / part, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(module / part, out / part)
    for folder, _, _ in os.walk(out):
        os.chmod(folder, 0o755)
    forget(out / "pkg/scaling/scalers_builder.go", remove_scalers(out / "pkg/scalers"))


def remove_scalers(folder: pathlib.Path) -> list[str]:
    """Comes back with the names of the functions that made them."""
    makers = []
    for file in folder.glob("*.go"):
        if file.stem in KEPT:
            continue
        if not file.stem.endswith("_test"):
            makers += re.findall(r"^func (New\w+)\(", file.read_text(), re.M)
        file.unlink()
    (folder / "left.go").write_text(LEFT)
    return makers


def forget(builder: pathlib.Path, makers: list[str]) -> None:
    """The switch over the trigger types, without the cases whose scaler is gone."""
    gone = re.compile(r"\b(?:" + "|".join(makers) + r")\(")
    cases = re.split(r"(?m)(?=^\t(?:case |default:))", builder.read_text())
    builder.write_text("".join(each for each in cases if not (each.startswith("\tcase ") and gone.search(each))))
