{{/* A whole service: preparation before a roll-out, its processes, their way in, their budget and their network. */}}

{{- define "branchline.service" -}}
{{ include "branchline.preparation" . }}
{{- range $component := list "api" "worker" "jobs" }}
{{- with index $.Values $component }}
---
{{ include "branchline.deployment" (dict "root" $ "component" $component "settings" .) }}
{{- if gt (int .replicas) 1 }}
---
{{ include "branchline.budget" (dict "root" $ "component" $component) }}
{{- end }}
{{- end }}
{{- end }}
---
{{ include "branchline.way" . }}
{{- if .Values.global.networkPolicy.enabled }}
---
{{ include "branchline.network" . }}
{{- end }}
{{- end }}

{{/* A job that ends before anything is rolled out: the newest schema, which the running version still works with, and queues. */}}
{{- define "branchline.preparation" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "branchline.name" . }}-prepare
  labels: {{- include "branchline.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 6
  activeDeadlineSeconds: {{ .Values.prepare.deadlineSeconds }}
  template:
    metadata:
      labels:
        {{- include "branchline.labels" . | nindent 8 }}
        app.kubernetes.io/component: prepare
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: false
      securityContext: {{- include "branchline.podSecurity" . | nindent 8 }}
      imagePullSecrets: {{- toYaml .Values.global.image.pullSecrets | nindent 8 }}
      containers:
        - name: prepare
          image: {{ include "branchline.image" . }}
          imagePullPolicy: {{ .Values.global.image.pullPolicy }}
          args: [prepare]
          env: {{- include "branchline.environment" . | nindent 12 }}
          resources: {{- toYaml .Values.prepare.resources | nindent 12 }}
          securityContext: {{- include "branchline.containerSecurity" . | nindent 12 }}
          volumeMounts: {{- include "branchline.mounts" . | nindent 12 }}
      volumes: {{- include "branchline.volumes" . | nindent 8 }}
{{- end }}

{{/* One kind of process of a service: a dict of root, component and the component's settings. */}}
{{- define "branchline.deployment" -}}
{{- $root := .root }}
{{- $selector := include "branchline.selector" . }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "branchline.name" $root }}-{{ .component }}
  labels:
    {{- include "branchline.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  replicas: {{ .settings.replicas }}
  selector:
    matchLabels: {{- $selector | nindent 6 }}
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  template:
    metadata:
      labels:
        {{- include "branchline.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: {{ $root.Values.global.terminationSeconds }}
      securityContext: {{- include "branchline.podSecurity" $root | nindent 8 }}
      imagePullSecrets: {{- toYaml $root.Values.global.image.pullSecrets | nindent 8 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- $selector | nindent 14 }}
      containers:
        - name: {{ .component }}
          image: {{ include "branchline.image" $root }}
          imagePullPolicy: {{ $root.Values.global.image.pullPolicy }}
          args: [{{ dict "api" "serve" "worker" "work" "jobs" "jobs" | dig .component "" }}]
          env: {{- include "branchline.environment" $root | nindent 12 }}
          {{- if eq .component "api" }}
          ports:
            - {name: {{ $root.Values.door.kind }}, containerPort: {{ $root.Values.door.port }}}
          lifecycle: # others hear that it goes before it goes
            preStop: {exec: {command: [sleep, "5"]}}
          {{- end }}
          {{- include "branchline.probes" . | nindent 10 }}
          resources: {{- toYaml .settings.resources | nindent 12 }}
          securityContext: {{- include "branchline.containerSecurity" $root | nindent 12 }}
          volumeMounts: {{- include "branchline.mounts" $root | nindent 12 }}
      volumes: {{- include "branchline.volumes" $root | nindent 8 }}
{{- end }}

{{/* Ready means that its own database answers; alive only that it turns round, so that a database's rest restarts nobody. */}}
{{- define "branchline.probes" -}}
{{- $door := .root.Values.door }}
{{- if ne .component "api" -}}
startupProbe:
  exec: {command: [python, -m, chassis.check_health]}
  periodSeconds: 5
  timeoutSeconds: 10
  failureThreshold: 24
livenessProbe:
  exec: {command: [python, -m, chassis.check_health]}
  periodSeconds: 30
  timeoutSeconds: 10
{{- else if eq $door.kind "http" -}}
readinessProbe:
  httpGet: {path: /api/v1/health, port: {{ $door.port }}}
  periodSeconds: 5
  timeoutSeconds: 3
livenessProbe:
  httpGet: {path: /api/v1/health, port: {{ $door.port }}}
  initialDelaySeconds: 20
  periodSeconds: 20
  timeoutSeconds: 5
{{- else -}}
readinessProbe:
  grpc: {port: {{ $door.port }}}
  periodSeconds: 5
  timeoutSeconds: 3
livenessProbe:
  tcpSocket: {port: {{ $door.port }}}
  initialDelaySeconds: 20
  periodSeconds: 20
{{- end }}
{{- end }}
