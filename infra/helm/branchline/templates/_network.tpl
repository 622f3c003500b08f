{{/* How pods are reached, how many may go at once, and whom they may speak to. */}}

{{/* Without an address of its own, so that callers see every pod behind the name. */}}
{{- define "branchline.way" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "branchline.name" . }}
  labels: {{- include "branchline.labels" . | nindent 4 }}
spec:
  {{- if eq .Values.door.kind "grpc" }}
  clusterIP: None
  {{- end }}
  selector: {{- include "branchline.selector" (dict "root" . "component" "api") | nindent 4 }}
  ports:
    - {name: {{ .Values.door.kind }}, port: {{ .Values.door.port }}, targetPort: {{ .Values.door.kind }}}
{{- end }}

{{- define "branchline.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "branchline.name" .root }}-{{ .component }}
  labels: {{- include "branchline.labels" .root | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "branchline.selector" . | nindent 6 }}
{{- end }}

{{/* In: to the door, from the platform's own pods; to the gateway, from anywhere. Out: names, databases, bus, doors, traces. */}}
{{- define "branchline.network" -}}
{{- $policy := .Values.global.networkPolicy }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "branchline.name" . }}
  labels: {{- include "branchline.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ .Chart.Name }}
      app.kubernetes.io/instance: {{ .Release.Name }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {protocol: TCP, port: {{ .Values.door.port }}}
      {{- if eq .Values.door.kind "grpc" }}
      from:
        - podSelector:
            matchLabels: {app.kubernetes.io/part-of: branchline}
      {{- end }}
  egress:
    - ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
    - ports:
        - {protocol: TCP, port: {{ $policy.databasePort }}}
        - {protocol: TCP, port: {{ $policy.busPort }}}
        {{- if eq .Chart.Name "directory" }}
        - {protocol: TCP, port: {{ $policy.busManagementPort }}}
        {{- end }}
        - {protocol: TCP, port: {{ $policy.otlpPort }}}
    - ports:
        - {protocol: TCP, port: 7400}
      to:
        - podSelector:
            matchLabels: {app.kubernetes.io/part-of: branchline}
{{- end }}
