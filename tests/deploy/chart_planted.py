#!/usr/bin/env python3
"""That the chart's tests would notice: one mistake after the other is planted in a copy of the chart, and each has to be found."""
import pathlib
import re
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kafka")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")
import chart  # noqa: E402
import programs_of_tests  # noqa: E402

ENVIRONMENT = {"MSK_ARN": "arn:aws:kafka:eu-north-1:111122223333:cluster/demo/8a1c0f6e-0000-4000-8000-000000000000-1", "REDSHIFT_HOST": "w.example"}
# Template, what stands there, what is planted, what has to be said, and how the stages are scaled.
PLANTED = [
    ("_triggers.tpl", "consumerGroup: {{ $.stage.group | quote }}", "consumerGroup: {{ $.stage.id | quote }}", "consumerGroup is", "lag"),
    ("_triggers.tpl", "topic: {{ $topic.name | quote }}", "topic: {{ (first $.stage.topics).name | quote }}", "topic is", "lag"),
    ("_triggers.tpl", "lagThreshold: {{ $.stage.lag_threshold", "lagThreshold: {{ add 1 $.stage.lag_threshold", "lagThreshold is", "lag"),
    ("_triggers.tpl", "offsetResetPolicy: earliest", "offsetResetPolicy: latest", "offsetResetPolicy is", "lag"),
    ("_triggers.tpl", "lagThreshold:", "lagTreshold:", "no metadata lagTreshold", "lag"),
    ("_triggers.tpl", 'allowIdleConsumers: "false"', "allowIdleConsumers: false", "is not of type 'string'", "lag"),
    ("_triggers.tpl", '(ne .root.Values.scaling "need") (gt (len .stage.topics) 1)', "false", "are not summed", "lag"),
    ("_triggers.tpl", 'join " + " $names', 'join " * " $names', "is not the sum", "lag"),
    ("_triggers.tpl", "target: {{ .stage.lag_threshold", "target: {{ 7", "is compared with", "lag"),
    ("_triggers.tpl", ".stage.id | urlquery", ".stage.name | urlquery", "the scaler is asked for", "need"),
    ("_triggers.tpl", '"stabilizationWindowSeconds" 0', '"stabilizationWindowSeconds" 300', "waits 300 s more", "need"),
    ("_triggers.tpl", 'targetValue: "1"', 'targetValue: "100"', "targetValue is", "need"),
    ("_triggers.tpl", 'printf "%s;%s;%s" $cluster $.stage.group', 'printf "%s;%s;%s" $cluster $.stage.name', "dimensionValue is", "cloudwatch"),
    ("_kafka.tpl", "awsRegion: {{ include", "awsRegio: {{ include", "awsRegion is", "lag"),
    ("_kafka.tpl", 'include "penstock.name" (dict "deploy" .deploy "part" "kafka") -}}\n{{- end -}}\n{{- end -}}', '"somebody" -}}\n{{- end -}}\n{{- end -}}',
     "no TriggerAuthentication somebody", "lag"),
    ("scaling.yaml", "int $stage.max", "add 1 $stage.max", "maxReplicaCount is", "lag"),
    ("scaling.yaml", "minReplicaCount: {{ min $stage.min $stage.max }}", "minReplicaCount: 1", "minReplicaCount is", "lag"),
    ("scaling.yaml", "int $stage.poll_seconds", "int $stage.cooldown_seconds", "pollingInterval is", "lag"),
    ("scaling.yaml", "int $stage.cooldown_seconds", "int $stage.poll_seconds", "cooldownPeriod is", "lag"),
    ("scaling.yaml", "{{- range $stage := $deploy.stages }}", "{{- range $stage := rest $deploy.stages }}", "0 ScaledObjects", "lag"),
    ("stages.yaml", "  revisionHistoryLimit: 3\n", "  revisionHistoryLimit: 3\n  replicas: 1\n", "has replicas", "lag"),
    ("stages.yaml", "  revisionHistoryLimit: 3\n", "  revisionHistoryLimits: 3\n", "revisionHistoryLimits", "lag"),
    ("stages.yaml", '"--stage" $stage.id', '"--stage" $stage.name', "Deployments for", "lag"),
    ("stages.yaml", "(add 15 $.Values.graceSeconds)", "$.Values.graceSeconds", "a drain of 25 s in 25 s", "lag"),
    ("stages.yaml", "kind: PodDisruptionBudget", "kind: PodDisruptionBudgets", "PodDisruptionBudgets", "lag"),
    ("_names.tpl", "\napp.kubernetes.io/component: {{ .part }}", "", "its selector means", "lag"),
    ("_pod.tpl", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "token", "lag"),
    ("_pod.tpl", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "not restricted", "lag"),
    ("_pod.tpl", "capabilities: {drop: [ALL]}", "capabilities: {drop: [NET_RAW]}", "not restricted", "lag"),
    ("_pod.tpl", "seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Unconfined}", "not restricted", "lag"),
    ("_pod.tpl", "emptyDir: {sizeLimit: 64Mi}", "emptyDir: {}", "has no limit", "lag"),
    ("_pod.tpl", "- {name: tmp, mountPath: /tmp}", "- {name: tmp, mountPath: /data}", "volumes and mounts differ", "lag"),
    ("_pod.tpl", "configMap: {name: {{ .bundle }}}", "configMap: {name: {{ .deploy.name }}-bundle}", "there is no ConfigMap", "lag"),
    ("_pod.tpl", "readinessProbe:", "livenessProbes:", "a probe is missing|livenessProbes", "lag"),
    ("_serviceaccount.tpl", 'include "penstock.metadata" .', 'include "penstock.metadata" (merge (dict "part" "all") .)', "no service account|twice", "lag"),
    ("apply.yaml", '(dict "weight" "-10" "gone" false)', '(dict "weight" "-20" "gone" false)', "may start before what it needs", "lag"),
    ("_networkpolicy.tpl", "podSelector:\n    matchLabels:\n      {{- include \"penstock.selector\" . | nindent 6 }}", "podSelector: {matchLabels: {}}", "its network policy means", "lag"),
    ("_networkpolicy.tpl", '"redshift" 5439', '"redshift" 5432', "it may reach the ports", "lag"),
    ("_networkpolicy.tpl", "  egress:\n", "  egress:\n    - {}\n", "it may reach the ports", "lag"),
    ("networkpolicies.yaml", "{{- range $stage := $deploy.stages }}", "{{- range $stage := rest $deploy.stages }}", "no network policy", "lag"),
    ("bundle.yaml", "immutable: true", "immutable: false", "can be changed under running pods", "lag"),
    ("bundle.yaml", "bundle.json: {{ .Values.bundle | quote }}", "bundle.json: {{ .Values.bundle | upper | quote }}", "holds another bundle", "lag"),
]


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        source = programs_of_tests.ROOT / "examples/meters"
        bundle = folder / "bundle.json"
        bundle.write_text(chart.penstock("bundle", source, "-t", "prod"))
        values = {"environment": ENVIRONMENT, "kafka": {"bootstrapServers": "b:9098"}}
        plan = chart.plan_of(source, "prod", ENVIRONMENT, values, "msk-iam")

        def found(scaling: str, where: pathlib.Path) -> list[str]:
            documents = chart.template(bundle, values={**values, "scaling": scaling}, folder=where)
            return chart.problems(plan, documents, scaling, bundle)

        missed = [f"without a mistake: {problem}" for scaling in ("lag", "need", "cloudwatch") for problem in found(scaling, programs_of_tests.CHART)]
        for i, (file, old, new, words, scaling) in enumerate(PLANTED):
            copy = folder / f"chart{i}"
            shutil.copytree(programs_of_tests.CHART, copy)
            template = copy / "templates" / file
            text = template.read_text()
            if old not in text:
                missed.append(f"{file} has no {old!r} any more")
                continue
            template.write_text(text.replace(old, new))
            said = found(scaling, copy)
            if not any(re.search(words, problem) for problem in said):
                missed.append(f"nobody noticed {new!r} in {file}; said was: {said[:3]}")
    print("\n".join(missed) or f"{len(PLANTED)} planted mistakes, all noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
