{{/* Where the brokers are, for KEDA and the NetworkPolicy; "" when only the pods can find out. Takes root and deploy. */}}
{{- define "penstock.brokers" -}}
{{- $values := .root.Values -}}
{{- $log := .deploy.log -}}
{{- if $values.kafka.bootstrapServers -}}
{{- $values.kafka.bootstrapServers -}}
{{- else if eq $log.kind "kafka" -}}
{{- include "penstock.text" (dict "root" .root "deploy" .deploy "text" $log.brokers) -}}
{{- end -}}
{{- end -}}

{{/* What stands for {"env": NAME, "value": TEXT}: the value given here for NAME, its fallback, or the text. */}}
{{- define "penstock.text" -}}
{{- $values := .root.Values -}}
{{- $text := .text | default dict -}}
{{- if not $text.env -}}
{{- $text.value | default "" -}}
{{- else if hasKey $values.environment $text.env -}}
{{- get $values.environment $text.env -}}
{{- else if not (hasKey $values.environmentFrom $text.env) -}}
{{- range .deploy.environment }}{{ if eq .name $text.env }}{{ .fallback | default "" }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The parts of MSK's ARN as a list in JSON: arn, aws, kafka, region, account, cluster/NAME/UUID. */}}
{{- define "penstock.arn" -}}
{{- include "penstock.text" (dict "root" .root "deploy" .deploy "text" .deploy.log.arn) | splitList ":" | toJson -}}
{{- end -}}

{{- define "penstock.region" -}}
{{- $arn := include "penstock.arn" . | fromJsonArray -}}
{{- $region := .root.Values.cloudwatch.region -}}
{{- if and (not $region) (gt (len $arn) 5) }}{{ $region = index $arn 3 }}{{ end -}}
{{- if not $region -}}
{{- fail "\n\nKEDA has to know the region of the cluster, and no value says it.\n  cure: --set cloudwatch.region=…, or give the ARN by environment\n" -}}
{{- end -}}
{{- $region -}}
{{- end -}}

{{/* The ports of the brokers, as a list in JSON. */}}
{{- define "penstock.brokerPorts" -}}
{{- $ports := .root.Values.networkPolicy.brokerPorts -}}
{{- if not $ports -}}
{{- range splitList "," (include "penstock.brokers" .) -}}
{{- if contains ":" . }}{{ $ports = append $ports (splitList ":" . | last | trim | int) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and (not $ports) (eq .deploy.log.kind "msk") -}}
{{- $ports = get (dict "none" 9092 "tls" 9094 "mtls" 9094 "scram" 9096 "msk-iam" 9098) .deploy.log.auth | default 9098 | list -}}
{{- end -}}
{{- $ports | default (list 9092) | uniq | toJson -}}
{{- end -}}

{{/* What a kafka trigger says about the login, beside its TriggerAuthentication. */}}
{{- define "penstock.login" -}}
{{- $auth := .deploy.log.auth -}}
{{- if ne $auth "none" }}
tls: enable
{{- end }}
{{- if eq $auth "plain" }}
sasl: plaintext
{{- else if eq $auth "scram" }}
sasl: scram_sha512
{{- else if eq $auth "oauthbearer" }}
sasl: oauthbearer
saslTokenProvider: bearer
{{- else if eq $auth "msk-iam" }}
sasl: oauthbearer
saslTokenProvider: aws_msk_iam
awsRegion: {{ include "penstock.region" . }}
{{- end }}
{{- end -}}

{{/* The name of the TriggerAuthentication that triggers refer to; "" when they need none. */}}
{{- define "penstock.authentication" -}}
{{- if .root.Values.keda.authentication.name -}}
{{- .root.Values.keda.authentication.name -}}
{{- else if include "penstock.authenticationSpec" . | trim -}}
{{- include "penstock.name" (dict "deploy" .deploy "part" "kafka") -}}
{{- end -}}
{{- end -}}

{{/* The chart's own TriggerAuthentication: its spec, or "". */}}
{{- define "penstock.authenticationSpec" -}}
{{- $keda := .root.Values.keda -}}
{{- $lag := eq .root.Values.scaling "lag" -}}
{{- if or (eq .root.Values.scaling "cloudwatch") (and $lag (eq .deploy.log.auth "msk-iam")) }}
podIdentity:
  provider: aws
  {{- if $keda.aws.roleArn }}
  roleArn: {{ $keda.aws.roleArn }}
  {{- else if $keda.aws.identityOwner }}
  identityOwner: {{ $keda.aws.identityOwner }}
  {{- end }}
{{- end }}
{{- if $lag }}
{{- $given := include "penstock.credentials" . | fromJson }}
{{- range $kind := tuple "secret" "configMap" }}
{{- with get $given $kind }}
{{ $kind }}TargetRef:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
What KEDA takes from where for its login, as JSON: {"secret": [{parameter, name, key}], "configMap": […]}. What is a secret of the
pipeline is one of the Secret that the pods have; what is none is in the chart's own ConfigMap.
*/}}
{{- define "penstock.credentials" -}}
{{- $values := .root.Values -}}
{{- $auth := .deploy.log.auth -}}
{{- $own := include "penstock.name" (dict "deploy" .deploy "part" "kafka") -}}
{{- $secrets := list -}}
{{- $configs := list -}}
{{- $from := $values.keda.caFrom -}}
{{- if $from.secret -}}
{{- $secrets = append $secrets (dict "parameter" "ca" "name" $from.secret "key" $from.key) -}}
{{- else if $from.configMap -}}
{{- $configs = append $configs (dict "parameter" "ca" "name" $from.configMap "key" $from.key) -}}
{{- else if .deploy.ca -}}
{{- $configs = append $configs (dict "parameter" "ca" "name" $own "key" "ca") -}}
{{- end -}}
{{- $wanted := dict "mtls" (dict "certificate" "cert" "key" "key" "key_password" "keyPassword") "plain" (dict "password" "password") "scram" (dict "password" "password") -}}
{{- $wanted = get $wanted $auth | default dict -}}
{{- if not $from }}{{ $wanted = merge (dict "ca" "ca") $wanted }}{{ end -}}
{{- range $setting, $parameter := $wanted -}}
{{- $one := get ($.deploy.log.login | default dict) $setting | default dict -}}
{{- if $one.secret -}}
{{- $secrets = append $secrets (dict "parameter" $parameter "name" $values.secrets.existing "key" $one.secret) -}}
{{- else if not (or (has $setting (tuple "ca" "key_password")) $values.keda.authentication.name) -}}
{{- fail (printf "\n\nKEDA needs the %s of log: from a Secret, and in the pipeline file it is no ${secret:…}.\n  cure: %s: ${secret:NAME} there, or keda.authentication.name, or scaling=need\n" $setting $setting) -}}
{{- end -}}
{{- end -}}
{{- if has $auth (tuple "plain" "scram") -}}
{{- if .deploy.log.login.user.secret -}}
{{- $secrets = append $secrets (dict "parameter" "username" "name" $values.secrets.existing "key" .deploy.log.login.user.secret) -}}
{{- else -}}
{{- $configs = append $configs (dict "parameter" "username" "name" $own "key" "user") -}}
{{- end -}}
{{- else if eq $auth "oauthbearer" -}}
{{- $oauth := $values.keda.oauthbearer -}}
{{- if not (or (and $oauth.tokenEndpoint $oauth.secret) $values.keda.authentication.name) -}}
{{- fail "\n\nKEDA can not use the pipeline's token; it asks for one of its own.\n  cure: keda.oauthbearer.tokenEndpoint and .secret (keys client_id, client_secret), or scaling=need\n" -}}
{{- end -}}
{{- $secrets = append $secrets (dict "parameter" "username" "name" $oauth.secret "key" "client_id") -}}
{{- $secrets = append $secrets (dict "parameter" "password" "name" $oauth.secret "key" "client_secret") -}}
{{- $configs = append $configs (dict "parameter" "oauthTokenEndpointUri" "name" $own "key" "token_endpoint") -}}
{{- if $oauth.scopes }}{{ $configs = append $configs (dict "parameter" "scopes" "name" $own "key" "scopes") }}{{ end -}}
{{- end -}}
{{- dict "secret" $secrets "configMap" $configs | toJson -}}
{{- end -}}
