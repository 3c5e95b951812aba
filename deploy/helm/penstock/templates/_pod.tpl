{{/*
A pod that runs one verb of penstock. Takes root, deploy, part (the service account and the stage's own values), args, and:
probes (bool), grace (seconds), bundle (the ConfigMap's name), spread (bool).
*/}}
{{- define "penstock.pod" -}}
{{- $values := .root.Values -}}
{{- $own := get $values.stages .part | default dict -}}
metadata:
  labels:
    {{- include "penstock.selector" . | nindent 4 }}
    app.kubernetes.io/instance: {{ .root.Release.Name }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    kubectl.kubernetes.io/default-container: penstock
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "penstock.name" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .grace }}
  {{- with $own.priorityClassName | default $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $own.nodeSelector | default $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations | default $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .spread }}
  topologySpreadConstraints:
    {{- range tuple "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "penstock.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: penstock
      image: {{ include "penstock.image" .root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        {{- toYaml (concat .args ($own.extraArgs | default list)) | nindent 8 }}
      {{- include "penstock.environment" . | nindent 6 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources:
        {{- toYaml (.resources | default ($own.resources | default $values.resources)) | nindent 8 }}
      {{- if .probes }}
      {{- include "penstock.probes" . | nindent 6 }}
      {{- end }}
      volumeMounts:
        - {name: bundle, mountPath: /bundle, readOnly: true}
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
        {{- if .deploy.secrets }}
        - {name: secrets, mountPath: /secrets, readOnly: true}
        {{- end }}
        {{- if $values.tables.volume }}
        - {name: tables, mountPath: /tables, readOnly: true}
        {{- end }}
  volumes:
    - name: bundle
      configMap: {name: {{ .bundle }}}
    - name: data
      emptyDir: {sizeLimit: {{ $values.dataSize }}}
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    {{- if .deploy.secrets }}
    - name: secrets
      secret:
        secretName: {{ $values.secrets.existing }}
        defaultMode: 0440
        items:
          {{- range .deploy.secrets }}
          - {key: {{ . | quote }}, path: {{ . | quote }}}
          {{- end }}
    {{- end }}
    {{- with $values.tables.volume }}
    - name: tables
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end -}}

{{/* The environment of every container. */}}
{{- define "penstock.environment" -}}
{{- $values := .root.Values -}}
{{- $env := list -}}
{{- range .deploy.environment -}}
{{- if hasKey $values.environmentFrom .name -}}
{{- $from := get $values.environmentFrom .name -}}
{{- $ref := dict "name" $from.secret "key" $from.key -}}
{{- $env = append $env (dict "name" .name "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- else if hasKey $values.environment .name -}}
{{- $env = append $env (dict "name" .name "value" (get $values.environment .name)) -}}
{{- end -}}
{{- end -}}
{{- range $name := keys $values.extraEnvironment | sortAlpha -}}
{{- $env = append $env (dict "name" $name "value" (get $values.extraEnvironment $name)) -}}
{{- end -}}
{{- if .deploy.secrets }}{{ $env = append $env (dict "name" "PENSTOCK_SECRETS" "value" "/secrets") }}{{ end -}}
{{- if $values.tables.volume }}{{ $env = append $env (dict "name" "PENSTOCK_TABLES" "value" "/tables") }}{{ end -}}
env:
  {{- toYaml $env | nindent 2 }}
{{- end -}}

{{- define "penstock.probes" -}}
ports:
  - {name: http, containerPort: 9090}
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}
