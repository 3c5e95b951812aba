{{/*
What a pod may reach, and who may reach it. Takes root, deploy, part, stores (those it writes), hook (annotations or ""),
listens (bool), and from (peers that may come in beside who asks for metrics).
*/}}
{{- define "penstock.networkPolicy" -}}
{{- $values := .root.Values.networkPolicy -}}
{{- $deploy := .deploy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "penstock.metadata" . | nindent 2 }}
  {{- with .hook }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "penstock.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- if .listens }}
    - ports: [{port: 9090, protocol: TCP}]
      {{- with concat $values.metrics (.from | default list) }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- else }} []
    {{- end }}
  egress:
    - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    {{- include "penstock.egress" (dict "ports" (include "penstock.brokerPorts" . | fromJsonArray) "to" $values.brokers) | nindent 4 }}
    {{- $aws := or (eq $deploy.log.kind "msk") (get .root.Values.serviceAccounts .part) }}
    {{- $ports := list }}
    {{- range .stores }}
    {{- $usual := get (dict "postgres" 5432 "redshift" 5439) .kind }}
    {{- if $usual }}{{ $ports = append $ports (dig "port" "value" $usual (dict "port" (.port | default dict)) | default $usual | int) }}{{ end }}
    {{- if has .kind (tuple "redshift" "dynamodb") }}{{ $aws = true }}{{ end }}
    {{- $endpoint := include "penstock.text" (dict "root" $.root "deploy" $deploy "text" .endpoint) }}
    {{- with regexFind ":[0-9]+" $endpoint }}{{ $ports = append $ports (trimPrefix ":" . | int) }}{{ end }}
    {{- end }}
    {{- range $deploy.queries }}{{ $ports = append $ports (dig "settings" "port" 5432 . | int) }}{{ end }}
    {{- if $ports }}
    {{- include "penstock.egress" (dict "ports" (uniq $ports) "to" $values.stores) | nindent 4 }}
    {{- end }}
    {{- if $aws }}
    {{- include "penstock.egress" (dict "ports" (list 443) "to" $values.aws) | nindent 4 }}
    # EKS Pod Identity's agent on the node.
    - ports: [{port: 80, protocol: TCP}]
      to: [{ipBlock: {cidr: 169.254.170.23/32}}]
    {{- end }}
    {{- with $values.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "penstock.egress" -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
