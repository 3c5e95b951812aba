{{/* An object's name: the pipeline's, and what it is. Not the release's: a group has one set of pods. */}}
{{- define "penstock.name" -}}
{{- printf "%s-%s" .deploy.name .part -}}
{{- end -}}

{{/* Takes deploy and part. */}}
{{- define "penstock.selector" -}}
app.kubernetes.io/name: penstock
app.kubernetes.io/part-of: {{ .deploy.name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{/* Takes root, deploy and part. */}}
{{- define "penstock.labels" -}}
{{ include "penstock.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ include "penstock.tag" .root | trunc 63 | trimSuffix "-" | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- define "penstock.metadata" -}}
name: {{ include "penstock.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "penstock.labels" . | nindent 2 }}
{{- end -}}

{{- define "penstock.tag" -}}
{{- .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{- define "penstock.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (include "penstock.tag" .) -}}
{{- end -}}
{{- end -}}

{{- define "penstock.bundleName" -}}
{{- printf "%s-bundle-%s" .deploy.name (.deploy.sha | trunc 10) -}}
{{- end -}}

{{/*
Before everything else: a hook of Helm, and of Argo CD in its own words, which would take what a Job needs away before the Job ran.
Takes weight, and gone (bool): Helm takes it away when the hooks are done.
*/}}
{{- define "penstock.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation{{ if .gone }},hook-succeeded{{ end }}
argocd.argoproj.io/hook: PreSync
argocd.argoproj.io/sync-wave: {{ .weight | quote }}
argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
{{- end -}}
