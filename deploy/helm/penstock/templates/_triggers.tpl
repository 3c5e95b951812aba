{{/* Each takes root, deploy, part and stage. */}}

{{/* How the last pod is reached from 11 partitions on: tolerance, factors or none. */}}
{{- define "penstock.lastPod" -}}
{{- $way := .root.Values.keda.lastPod -}}
{{- if lt (int .stage.partitions) 11 -}}
{{- $way = "none" -}}
{{- else if eq $way "auto" -}}
{{- if semverCompare ">=1.35.0-0" .root.Capabilities.KubeVersion.Version -}}
{{- $way = "tolerance" -}}
{{- else -}}
{{- $way = ternary "factors" "none" (and (eq .root.Values.scaling "lag") (eq (len .stage.topics) 1)) -}}
{{- end -}}
{{- end -}}
{{- $way -}}
{{- end -}}

{{- define "penstock.advanced" -}}
{{- $behavior := deepCopy .root.Values.keda.behavior -}}
{{- if eq .root.Values.scaling "need" -}}
{{- /* The scaler has waited for a minute before it asks for fewer. */ -}}
{{- $behavior = mergeOverwrite (dict "scaleDown" (dict "stabilizationWindowSeconds" 0)) $behavior -}}
{{- end -}}
{{- if eq (include "penstock.lastPod" .) "tolerance" -}}
{{- $up := get $behavior "scaleUp" | default dict -}}
{{- /* From p-1 pods to p is a step of 1/(p-1): half of 1/p lets it through. */ -}}
{{- $behavior = merge (dict "scaleUp" (merge $up (dict "tolerance" (divf 0.5 .stage.partitions | printf "%.4f")))) $behavior -}}
{{- end -}}
{{- $several := and (ne .root.Values.scaling "need") (gt (len .stage.topics) 1) -}}
{{- if or $behavior $several }}
advanced:
  {{- with $behavior }}
  horizontalPodAutoscalerConfig:
    behavior:
      {{- toYaml . | nindent 6 }}
  {{- end }}
  {{- if $several }}
  # The autoscaler would take the largest of several triggers: the lag is their sum.
  scalingModifiers:
    formula: {{ include "penstock.sum" (len .stage.topics) | quote }}
    target: {{ .stage.lag_threshold | int64 | quote }}
    activationTarget: "0"
    metricType: AverageValue
  {{- end }}
{{- end }}
{{- end -}}

{{- define "penstock.sum" -}}
{{- $names := list -}}
{{- range until (int .) }}{{ $names = append $names (printf "t%d" .) }}{{ end -}}
{{- join " + " $names -}}
{{- end -}}

{{- define "penstock.reference" -}}
{{- with include "penstock.authentication" . }}
authenticationRef:
  name: {{ . }}
  {{- with $.root.Values.keda.authentication.name }}
  kind: {{ $.root.Values.keda.authentication.kind }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "penstock.lagTriggers" -}}
{{- $brokers := include "penstock.brokers" . -}}
{{- if not $brokers -}}
{{- fail (printf "\n\nKEDA has to be told the brokers, which the bundle does not say (%s).\n  cure: --set-string kafka.bootstrapServers='b1:9098\\,b2:9098' (MSK: aws kafka get-bootstrap-brokers --cluster-arn …), or scaling=need\n" .deploy.log.kind) -}}
{{- end -}}
{{- range $i, $topic := .stage.topics }}
- type: kafka
  {{- if gt (len $.stage.topics) 1 }}
  name: t{{ $i }}
  {{- end }}
  metadata:
    bootstrapServers: {{ $brokers | quote }}
    consumerGroup: {{ $.stage.group | quote }}
    topic: {{ $topic.name | quote }}
    lagThreshold: {{ $.stage.lag_threshold | int64 | quote }}
    offsetResetPolicy: earliest
    allowIdleConsumers: "false"
    scaleToZeroOnInvalidOffset: "false"
    {{- if eq (include "penstock.lastPod" $) "factors" }}
    ensureEvenDistributionOfPartitions: "true"
    {{- end }}
    version: {{ $.root.Values.keda.kafkaVersion | quote }}
    {{- with include "penstock.login" $ | trim }}
    {{- . | nindent 4 }}
    {{- end }}
  {{- with include "penstock.reference" $ | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "penstock.needTriggers" }}
- type: metrics-api
  metadata:
    url: "http://{{ include "penstock.name" (dict "deploy" .deploy "part" "scaler") }}.{{ .root.Release.Namespace }}.svc:9090/v1/stages/{{ .stage.id | urlquery }}"
    valueLocation: replicas
    targetValue: "1"
{{- end -}}

{{- define "penstock.cloudwatchTriggers" -}}
{{- $arn := include "penstock.arn" . | fromJsonArray -}}
{{- $cluster := .root.Values.cloudwatch.clusterName -}}
{{- if and (not $cluster) (gt (len $arn) 5) }}{{ $cluster = index (splitList "/" (index $arn 5)) 1 }}{{ end -}}
{{- if not $cluster -}}
{{- fail "\n\nscaling=cloudwatch needs the name of the MSK cluster, and no value says it.\n  cure: --set cloudwatch.clusterName=…, or give the ARN by environment\n" -}}
{{- end -}}
{{- range $i, $topic := .stage.topics }}
- type: aws-cloudwatch
  {{- if gt (len $.stage.topics) 1 }}
  name: t{{ $i }}
  {{- end }}
  metadata:
    namespace: AWS/Kafka
    metricName: {{ $.root.Values.cloudwatch.metric }}
    dimensionName: "Cluster Name;Consumer Group;Topic"
    dimensionValue: {{ printf "%s;%s;%s" $cluster $.stage.group $topic.name | quote }}
    targetMetricValue: {{ $.stage.lag_threshold | int64 | quote }}
    minMetricValue: "0"
    metricStat: Maximum
    metricStatPeriod: "60"
    metricCollectionTime: "300"
    awsRegion: {{ include "penstock.region" $ }}
  {{- with include "penstock.reference" $ | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}
