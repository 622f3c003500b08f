{{/* What all pods of the platform have. Each template is called with the root of a service's sub-chart. */}}

{{- define "branchline.name" -}}branchline-{{ .Chart.Name }}{{- end }}

{{- define "branchline.labels" -}}
app.kubernetes.io/part-of: branchline
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Which pods a Deployment, a Service or a budget means: a dict of root and component. */}}
{{- define "branchline.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "branchline.image" -}}
{{ .Values.global.image.prefix }}{{ .Chart.Name }}:{{ .Values.global.image.tag }}
{{- end }}

{{- define "branchline.environment" -}}
- {name: LOG_LEVEL, value: {{ .Values.global.logLevel | quote }}}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .Values.global.otlpEndpoint | quote }}}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .Values.global.tracesShare | quote }}}
{{- range list "directory" "contacts" "deals" "scheduling" "imports" "reporting" }}
- {name: {{ upper . }}_ADDRESS, value: "branchline-{{ . }}:7400"}
{{- end }}
{{- range $service, $number := .Values.global.queues }}
- {name: {{ upper $service }}_QUEUES, value: {{ $number | quote }}}
{{- end }}
{{- if .Values.global.encrypted }}
- {name: TLS_FOLDER, value: /run/certificates}
{{- end }}
{{- with .Values.door }}
- {name: {{ ternary "HTTP_LISTEN" "GRPC_LISTEN" (eq .kind "http") }}, value: "0.0.0.0:{{ .port }}"}
{{- end }}
{{- end }}

{{- define "branchline.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "branchline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The volumes of every pod: its service's secrets, and a place for its health file. */}}
{{- define "branchline.volumes" -}}
- name: settings
  secret: {secretName: {{ .Values.secretName | default (include "branchline.name" .) }}, defaultMode: 0440}
{{- if .Values.global.encrypted }}
- name: certificates
  secret: {secretName: branchline-certificates-{{ .Chart.Name }}, defaultMode: 0440}
{{- end }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- end }}

{{- define "branchline.mounts" -}}
- {name: settings, mountPath: /run/branchline, readOnly: true}
{{- if .Values.global.encrypted }}
- {name: certificates, mountPath: /run/certificates, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- end }}
