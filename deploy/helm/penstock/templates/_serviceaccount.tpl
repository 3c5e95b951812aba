{{/* Takes root, deploy, part, and annotations of a hook ("" for none). */}}
{{- define "penstock.serviceAccount" -}}
{{- $own := get .root.Values.serviceAccounts .part | default dict -}}
{{- $annotations := $own.annotations | default dict | deepCopy -}}
{{- if $own.roleArn }}{{ $_ := set $annotations "eks.amazonaws.com/role-arn" $own.roleArn }}{{ end -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "penstock.metadata" . | nindent 2 }}
  {{- if or $annotations .hook }}
  annotations:
    {{- with .hook }}{{ . | nindent 4 }}{{ end }}
    {{- with $annotations }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
