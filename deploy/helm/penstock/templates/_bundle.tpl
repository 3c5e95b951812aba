{{/*
The bundle, read and checked: its `deploy` with what else of it the chart needs, as JSON.
A bundle that is none ends here with one message, whichever template is rendered first.
*/}}
{{- define "penstock.deploy" -}}
{{- if not .Values.bundle -}}
{{- fail "\n\nThe chart has no bundle.\n  cure: penstock bundle pipeline.yaml -t TARGET > bundle.json, then --set-file bundle=bundle.json\n" -}}
{{- end -}}
{{- if gt (len .Values.bundle) 1000000 -}}
{{- fail (printf "\n\nThe bundle has %d bytes; a ConfigMap takes 1,000,000.\n  cure: keep large tables out of it: files above 512 KiB come from a volume (tables.volume)\n" (len .Values.bundle)) -}}
{{- end -}}
{{- $bundle := fromJson .Values.bundle -}}
{{- if not (hasKey $bundle "penstock_bundle") -}}
{{- fail (printf "\n\nWhat was given as bundle is none%s.\n  cure: penstock bundle pipeline.yaml -t TARGET > bundle.json, then --set-file bundle=bundle.json\n" (ternary (printf " (%v)" $bundle.Error) "" (hasKey $bundle "Error"))) -}}
{{- end -}}
{{- if ne (toString $bundle.penstock_bundle) "1" -}}
{{- fail (printf "\n\nThe bundle has version %v, made by %v; this chart reads version 1.\n  cure: take chart and penstock of one release\n" $bundle.penstock_bundle $bundle.made_by) -}}
{{- end -}}
{{- range tuple "pipeline" "target" "plan_hash" "deploy" "plan" "files" -}}
{{- if not (hasKey $bundle .) -}}
{{- fail (printf "\n\nThe bundle has no %q: it is damaged.\n  cure: make it anew by penstock bundle\n" .) -}}
{{- end -}}
{{- end -}}
{{- $files := $bundle.files | default dict -}}
{{- $plan := $bundle.plan | default dict -}}
{{- $queries := list -}}
{{- range $plan.tables -}}
{{- if ne .kind "csv" }}{{ $queries = append $queries . }}{{ end -}}
{{- end -}}
{{- $ca := dig "log" "login" "ca" dict ($bundle.deploy | default dict) | default dict -}}
{{- $more := dict "pipeline" $bundle.pipeline "target" $bundle.target "plan_hash" $bundle.plan_hash
    "environment" ($bundle.environment | default list) "secrets" ($bundle.secrets | default list)
    "tables" ($bundle.tables | default list) "queries" $queries "sha" (.Values.bundle | sha256sum)
    "ca" (get $files ($ca.value | default "" | toString)) -}}
{{- /* `helm lint` goes on after a fail, also without a bundle: what is looked into below has to be there. */ -}}
{{- $empty := dict "name" "none" "log" (dict "kind" "" "auth" "none") "stages" list "stores" list "producers" list -}}
{{- $deploy := merge $more ($bundle.deploy | default dict) $empty -}}
{{- include "penstock.checks" (dict "root" . "deploy" $deploy) -}}
{{- toJson $deploy -}}
{{- end -}}

{{/* What can not run here, and values that name nothing. Takes root and deploy. */}}
{{- define "penstock.checks" -}}
{{- $values := .root.Values -}}
{{- $deploy := .deploy -}}
{{- if eq $deploy.log.kind "embedded" -}}
{{- fail (printf "\n\nThe log of target %q is embedded: one process owns it, so there is nothing to scale.\n  cure: a target with log: {kafka: …} or {msk: …}, and penstock bundle -t THAT\n" $deploy.target) -}}
{{- end -}}
{{- range $deploy.stores -}}
{{- if eq .kind "sqlite" -}}
{{- fail (printf "\n\nStore %q of target %q is SQLite: it would be gone with its pod.\n  cure: name another store for it in targets.%s.stores\n" .name $deploy.target $deploy.target) -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range $deploy.stages -}}
{{- $name := include "penstock.name" (dict "deploy" $deploy "part" .name) -}}
{{- if or (has .name $names) (has .name (tuple "apply" "produce" "scaler" "bundle" "kafka" "alerts" "dashboard")) -}}
{{- fail (printf "\n\nTwo objects would be called %q.\n  cure: rename stage %q\n" $name .id) -}}
{{- end -}}
{{- if or (gt (len $name) 54) (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name)) -}}
{{- fail (printf "\n\n%q can not be the name of an object (a-z, 0-9 and -, at most 54).\n  cure: make the bundle anew by penstock bundle\n" $name) -}}
{{- end -}}
{{- if lt (int .max) 1 -}}
{{- fail (printf "\n\nscale.max of stage %q is 0: KEDA scales to one pod at least.\n  cure: another max; to keep it still, the annotation autoscaling.keda.sh/paused-replicas: \"0\" on its ScaledObject\n" .id) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- range $key, $_ := $values.stages -}}
{{- if not (has $key $names) -}}
{{- fail (printf "\n\nstages.%s: there is no such stage.\n  cure: one of %s\n" $key (join ", " $names)) -}}
{{- end -}}
{{- end -}}
{{- $accounts := concat $names (list "apply" "produce" "scaler") -}}
{{- range $key, $_ := $values.serviceAccounts -}}
{{- if not (has $key $accounts) -}}
{{- fail (printf "\n\nserviceAccounts.%s: there is no such account.\n  cure: one of %s\n" $key (join ", " $accounts)) -}}
{{- end -}}
{{- end -}}
{{- $asked := list -}}
{{- range $deploy.environment }}{{ $asked = append $asked .name }}{{ end -}}
{{- range $key := concat (keys $values.environment) (keys $values.environmentFrom) -}}
{{- if not (has $key $asked) -}}
{{- fail (printf "\n\nenvironment.%s: the pipeline does not ask for it.\n  cure: one of: %s; anything else belongs to extraEnvironment\n" $key (join ", " $asked | default "(none)")) -}}
{{- end -}}
{{- end -}}
{{- range $deploy.environment -}}
{{- if and (eq .fallback nil) (not (hasKey $values.environment .name)) (not (hasKey $values.environmentFrom .name)) -}}
{{- fail (printf "\n\nThe pipeline needs ${env:%s} in target %q, and no value gives it.\n  cure: --set environment.%s=… (or environmentFrom.%s, from a Secret)\n" .name $deploy.target .name .name) -}}
{{- end -}}
{{- end -}}
{{- if and $deploy.secrets (not $values.secrets.existing) -}}
{{- fail (printf "\n\nThe pipeline needs ${secret:…}: %s.\n  cure: kubectl create secret generic penstock%s, then --set secrets.existing=penstock\n" (join ", " $deploy.secrets) (include "penstock.fromFiles" $deploy.secrets)) -}}
{{- end -}}
{{- range $deploy.tables -}}
{{- if and (not .inline) (not $values.tables.volume) -}}
{{- fail (printf "\n\nTable %q (%s, %v bytes) is too large for the bundle.\n  cure: tables.volume, a volume with %s in it, e.g. {persistentVolumeClaim: {claimName: tables}}\n" .name .path (int64 .size_bytes) .path) -}}
{{- end -}}
{{- end -}}
{{- if and $values.producers.enabled (not $deploy.producers) -}}
{{- fail "\n\nproducers.enabled: the pipeline has no producers.\n  cure: --set producers.enabled=false, or add producers: to the pipeline file\n" -}}
{{- end -}}
{{- if eq (include "penstock.tag" .root) "latest" -}}
{{- fail "\n\nimage.tag is \"latest\": two pods of one stage could run two versions.\n  cure: name a version, or a digest\n" -}}
{{- end -}}
{{- end -}}

{{- define "penstock.fromFiles" -}}
{{- range . }} --from-literal={{ . }}=…{{ end -}}
{{- end -}}
