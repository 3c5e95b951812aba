#!/usr/bin/env python3
"""Dashboard and alerts look at metrics that /metrics really has; alerts fire when they should, and only then."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
import yaml  # noqa: E402

import chart  # noqa: E402
import programs_of_tests  # noqa: E402

ARN = "arn:aws:kafka:eu-north-1:111122223333:cluster/demo/x"
# Of others: KEDA's operator, the Kafka exporter.
FOREIGN = {"keda_scaler_metrics_value", "keda_scaled_object_errors_total", "kafka_consumergroup_lag"}


def served() -> set[str]:
    """The names of all metrics of a running pipeline."""
    with tempfile.TemporaryDirectory() as data:
        command = [programs_of_tests.PENSTOCK, "run", str(programs_of_tests.ROOT / "examples/article"), "-t", "local", "--data", data, "--listen",
                   "127.0.0.1:0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            port = next(found[1] for line in process.stderr if (found := re.search(r"health and metrics on port (\d+)", line)))
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                text = answer.read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            process.wait(60)
    return set(re.findall(r"^(penstock_\w+)[{ ]", text, re.MULTILINE))


def by_sources() -> set[str]:
    """Those that only a store's server, or a cluster's lag, brings forth: by the names in the sources."""
    stores = [path.read_text() for path in (programs_of_tests.ROOT / "src/store").glob("*/*.cc")]
    scaler = (programs_of_tests.ROOT / "src/app/scaler_answers.cc").read_text()
    return {f"penstock_store_{name}" for text in stores for name in re.findall(r'\{"(\w+_total)",', text)} | {
        f"penstock_{name}" for name in re.findall(r'\{"(stage_\w+)",', scaler)}


def strange(name: str, expressions: list[str], known: set[str]) -> list[str]:
    if not expressions:
        return [f"{name} looks at nothing"]
    used = {word for one in expressions for word in re.findall(r"\b(?:penstock|keda|kafka)_[a-z_]+\b", one)}
    return [f"{name} looks at {word}, which nobody serves" for word in sorted(used - known)]


def series(name: str, values: str, **labels) -> dict:
    told = ",".join(f'{key}="{value}"' for key, value in {"pipeline": "article", "namespace": "n", "stage": "s", **labels}.items())
    return {"series": f"{name}{{{told}}}", "values": values}


PARTITION = {"consumergroup": "article.processing", "topic": "preprocessed", "partition": "0"}


def needed(workers: str, backlog: str) -> list[dict]:
    labels = {"stage": "processing", "pod": "article-scaler-1"}
    return [series("penstock_stage_workers_needed", workers, **labels), series("penstock_stage_backlog_records", backlog, **labels)]


# Alert, when it is to fire, when it is not; what is seen each minute.
SCENES = [
    ("PenstockNotReady", "30m", [series("penstock_worker_ready", "1x5 0x30")], True),
    ("PenstockNotReady", "30m", [series("penstock_worker_ready", "1x20 0x5 1x10")], False),
    ("PenstockNotReady", "30m", [series("penstock_worker_ready", "0x30", pipeline="another")], False),
    ("PenstockStalled", "40m", [series("penstock_records_open", "5x60"), series("penstock_records_committed_total", "100x60")], True),
    ("PenstockStalled", "40m", [series("penstock_records_open", "5x60"), series("penstock_records_committed_total", "100+10x60")], False),
    ("PenstockStalled", "40m", [series("penstock_records_open", "0x60"), series("penstock_records_committed_total", "100x60")], False),
    ("PenstockStoreRefuses", "20m", [series("penstock_rows_rejected_total", "0x10 3x20")], True),
    ("PenstockStoreRefuses", "20m", [series("penstock_rows_rejected_total", "3x30")], False),
    ("PenstockDeadLetters", "40m", [series("penstock_dead_letters_total", "0+5x60"), series("penstock_records_read_total", "0+100x60")], True),
    ("PenstockDeadLetters", "40m", [series("penstock_dead_letters_total", "0+1x60"), series("penstock_records_read_total", "0+1000x60")], False),
    ("PenstockLagGrows", "90m", [series("kafka_consumergroup_lag", "1000+50x120", **PARTITION)], True),
    ("PenstockLagGrows", "90m", [series("kafka_consumergroup_lag", "9000-50x120", **PARTITION)], False),
    ("PenstockLagGrows", "90m", [series("kafka_consumergroup_lag", "0+1x120", **PARTITION)], False),
    ("PenstockScalingBlind", "60m", [series("keda_scaled_object_errors_total", "0+2x90", scaledObject="article-processing")], True),
    ("PenstockScalingBlind", "60m", [series("keda_scaled_object_errors_total", "7x90", scaledObject="article-processing")], False),
]


SCENES_OF_SCALER = [
    ("PenstockLagGrows", "90m", needed("5x120", "1000+50x120"), True),
    ("PenstockLagGrows", "90m", needed("5x120", "9000-50x120"), False),
    ("PenstockLagGrows", "90m", needed("4x120", "1000+50x120"), False),
]
SCENES_OF_KEDA = [
    ("PenstockLagGrows", "90m", [series("keda_scaler_metrics_value", "500x120", scaledObject="article-processing")], True),
    ("PenstockLagGrows", "90m", [series("keda_scaler_metrics_value", "500x40 499 500x80", scaledObject="article-processing")], False),
]


def wrong_alerts(groups: list[dict], folder: pathlib.Path, scenes: list[tuple]) -> list[str]:
    rules = folder / "rules.yaml"
    rules.write_text(yaml.dump({"groups": groups}))
    tool = str(programs_of_tests.ROOT / "tools/promtool")
    checked = subprocess.run([tool, "check", "rules", str(rules)], capture_output=True, text=True, check=False)
    found = [] if checked.returncode == 0 else [checked.stdout + checked.stderr]
    for number, (name, when, seen, fires) in enumerate(scenes):
        trial = folder / f"trial{number}.yaml"
        # "No alert" as what is expected: that trial fails exactly when the alert fires.
        trial.write_text(yaml.dump({"rule_files": ["rules.yaml"], "tests": [
            {"interval": "1m", "input_series": seen, "alert_rule_test": [{"eval_time": when, "alertname": name, "exp_alerts": []}]}]}))
        done = subprocess.run([tool, "test", "rules", str(trial)], capture_output=True, text=True, check=False, cwd=folder)
        fired = done.returncode != 0 and "got:" in done.stdout + done.stderr
        if done.returncode != 0 and not fired:
            found.append(f"scene {number}: {done.stdout}{done.stderr}")
        elif fired != fires:
            found.append(f"{name} {'fires' if fired else 'does not fire'} in scene {number}")
    return found


def main() -> int:
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        bundle = folder / "bundle.json"
        bundle.write_text(chart.penstock("bundle", programs_of_tests.ROOT / "examples/article", "-t", "prod"))
        values = {"environment": {"MSK_ARN": ARN, "REDSHIFT_HOST": "w"}, "kafka": {"bootstrapServers": "b:9098"}, "dashboard": {"enabled": True}}
        known = served() | by_sources() | FOREIGN
        found = []
        for lag in ("scaler", "keda", "none", "exporter"):
            documents = chart.template(bundle, values={**values, "alerts": {"enabled": True, "lag": lag}})
            groups = next(one for one in documents if one["kind"] == "PrometheusRule")["spec"]["groups"]
            found += strange(f"alerts, {lag}", [rule["expr"] for group in groups for rule in group["rules"]], known)
            found += wrong_alerts(groups, folder, {"exporter": SCENES, "scaler": SCENES_OF_SCALER, "keda": SCENES_OF_KEDA}.get(lag, []))
        names = {rule["alert"] for group in groups for rule in group["rules"]}
        found += [f"nobody tries {name}" for name in sorted(names - {name for name, *_ in SCENES})]
        board = json.loads(next(one for one in documents if one["metadata"]["name"] == "article-dashboard")["data"]["penstock-article.json"])
        found += strange("the dashboard", [target["expr"] for panel in board["panels"] for target in panel["targets"]], known)
    print("\n".join(found) or f"dashboard and alerts are right; {len(known)} metrics are known")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
