"""A small bundle with a file of every format, all of them right."""

from __future__ import annotations

import json

RULES = """\
groups:
  - name: autogpt
    rules:
      - alert: Down
        expr: up == 0
        for: 1m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.job }} is down"}
      - record: job:up:sum
        expr: sum by (job) (up)
"""
RULE_TESTS = """\
rule_files: [../alerts.rules.yml]
evaluation_interval: 1m
tests:
  - name: down
    interval: 1m
    input_series: [{series: 'up{job="a"}', values: 1 0x5}]
    alert_rule_test:
      - {eval_time: 1m, alertname: Down, exp_alerts: []}
      - eval_time: 3m
        alertname: Down
        exp_alerts:
          - exp_labels: {job: a, severity: critical}
            exp_annotations: {summary: a is down}
    promql_expr_test:
      - {expr: 'sum(up)', eval_time: 0m, exp_samples: [{labels: '{}', value: 1}]}
"""
PROMETHEUS = """\
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: ['*.rules.yml']
scrape_configs:
  - job_name: autogpt
    static_configs: [{targets: ['localhost:9464']}]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['localhost:9093']}]
"""
ALERTMANAGER = """\
route:
  receiver: webhook
  group_by: [alertname]
  routes:
    - {receiver: webhook, matchers: ['severity="critical"'], continue: true}
receivers:
  - name: webhook
    webhook_configs: [{url: 'http://localhost:8080/', send_resolved: true}]
inhibit_rules:
  - {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [a]}
"""
ROUTING_TESTS = """\
tests:
  - alerts: Down
    labels: {severity: critical}
    receivers: [webhook]
"""
GRID = {"x": 0, "y": 0, "w": 24, "h": 1}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DASHBOARD: dict[str, object] = {
    "uid": "autogpt-overview",
    "title": "Overview",
    "schemaVersion": 41,
    "time": {"from": "now-6h", "to": "now"},
    "panels": [
        {
            "id": 1,
            "type": "row",
            "title": "Runs",
            "collapsed": False,
            "gridPos": GRID,
            "panels": [],
        },
        {
            "id": 2,
            "type": "timeseries",
            "title": "Runs",
            "datasource": DATASOURCE,
            "gridPos": GRID | {"y": 1, "h": 8},
            "fieldConfig": {"defaults": {"unit": "short"}, "overrides": []},
            "options": {},
            "targets": [{"refId": "A", "expr": "up", "datasource": DATASOURCE}],
        },
    ],
}
DASHBOARDS = """\
apiVersion: 1
providers: [{name: autogpt, type: file, options: {path: /var/lib/grafana/dashboards}}]
"""
DATASOURCES = """\
apiVersion: 1
datasources: [{name: Prometheus, type: prometheus, url: 'http://localhost:9090'}]
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: autogpt, labels: {app.kubernetes.io/name: autogpt}}
spec:
  replicas: 2
  selector: {matchLabels: {app.kubernetes.io/name: autogpt}}
  template:
    metadata: {labels: {app.kubernetes.io/name: autogpt}}
    spec:
      containers:
        - name: autogpt
          image: autogpt:1.0
          ports: [{name: http, containerPort: 8000}]
          resources: {requests: {cpu: 500m, memory: 2Gi}}
          readinessProbe: {httpGet: {path: /readyz, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: autogpt}
spec: {selector: {app: autogpt}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: autogpt}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: autogpt}
  maxReplicas: 10
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
    - type: External
      external:
        metric: {name: queue_depth}
        target: {type: AverageValue, averageValue: 500m}
"""
BUNDLE = {
    "rules/alerts.rules.yml": RULES,
    "rules/tests/down.yml": RULE_TESTS,
    "rules/prometheus.yml": PROMETHEUS,
    "rules/alertmanager.yml": ALERTMANAGER,
    "rules/routing-tests.yml": ROUTING_TESTS,
    "dashboards/overview.json": json.dumps(DASHBOARD),
    "dashboards/provisioning/dashboards.yml": DASHBOARDS,
    "dashboards/provisioning/datasources.yml": DATASOURCES,
    "deploy/kubernetes/all.yaml": DEPLOYMENT,
    "pipelines/logstash/main.conf": "input {}\n",
}
