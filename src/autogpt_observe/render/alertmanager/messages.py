"""The words of notifications: Go templates over a group of alerts, as Alertmanager fills them in.

They stand in the configuration itself: a template file that is forgotten on Alertmanager's disk
would show only when a notification fails. Reference:
https://prometheus.io/docs/alerting/latest/notifications/
"""

from __future__ import annotations

from autogpt_observe.names import (
    ALERT_NAME,
    ENVIRONMENT,
    OWNER,
    RUNBOOK_URL,
    SERVICE,
    SEVERITY,
)

_MOST_ALERTS = 10
"""More alerts of one group are only counted: Slack cuts long messages, and nobody reads them."""


def common_label(label: str) -> str:
    """The value of a label where all alerts of the group have the same; else nothing."""
    return f"{{{{ .CommonLabels.{label} }}}}"


def common_annotation(annotation: str) -> str:
    """A text that all alerts of the group share; else nothing."""
    return f"{{{{ .CommonAnnotations.{annotation} }}}}"


def _by_severity(*, critical: str, warning: str, other: str) -> str:
    """One of three words, by the most severe alert of the group."""
    severity = f".Labels.{SEVERITY}"
    return (
        f'{{{{ $word := "{other}" }}}}{{{{ range .Alerts }}}}'
        f'{{{{ if eq {severity} "critical" }}}}{{{{ $word = "{critical}" }}}}'
        f'{{{{ else if and (eq {severity} "warning") (ne $word "{critical}") }}}}'
        f'{{{{ $word = "{warning}" }}}}{{{{ end }}}}{{{{ end }}}}{{{{ $word }}}}'
    )


def _for_slack(value: str) -> str:
    """``value`` so that no `<!channel>` in a label or text can call anybody.

    https://api.slack.com/reference/surfaces/formatting#escaping
    """
    return f'{value} | reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;"'


_NAME = (
    f"{{{{ with .CommonLabels.{ALERT_NAME} }}}}{{{{ . }}}}"
    "{{ else }}{{ .Alerts | len }} alerts{{ end }}"
)
_WHERE = (
    f"{{{{ with .CommonLabels.{SERVICE} }}}} in {{{{ . }}}}{{{{ end }}}}"
    f"{{{{ with .CommonLabels.{ENVIRONMENT} }}}} ({{{{ . }}}}){{{{ end }}}}"
)
ALERTMANAGER = "{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}"
SUBJECT = f"{_NAME}{_WHERE}{{{{ with .CommonAnnotations.summary }}}}: {{{{ . }}}}{{{{ end }}}}"
TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] '
    + _by_severity(critical="CRITICAL", warning="WARNING", other="INFO")
    + f" {_NAME}{_WHERE}"
)
LINK = (
    f"{{{{ with .CommonAnnotations.{RUNBOOK_URL} }}}}{{{{ . }}}}"
    f"{{{{ else }}}}{ALERTMANAGER}{{{{ end }}}}"
)

SLACK_COLOUR = (
    '{{ if eq .Status "resolved" }}good{{ else }}'
    + _by_severity(critical="danger", warning="warning", other="#439FE0")
    + "{{ end }}"
)
PAGERDUTY_SEVERITY = _by_severity(critical="critical", warning="warning", other="info")
OPSGENIE_PRIORITY = _by_severity(critical="P1", warning="P3", other="P5")
OPSGENIE_TAGS = ",".join(common_label(label) for label in (SEVERITY, OWNER, ENVIRONMENT))

_TOLD_APART = f'stringSlice "{ALERT_NAME}" "{SEVERITY}" "{SERVICE}" "{ENVIRONMENT}"'
_MORE = (
    f"{{{{ if gt (len .Alerts.Firing) {_MOST_ALERTS} -}}}}\n"
    "The first of {{ .Alerts.Firing | len }} alerts; all: {{ .ExternalURL }}\n"
    "{{ end -}}\n"
)

SLACK_TEXT = f"""\
{{{{ range $number, $alert := .Alerts.Firing }}}}{{{{ if lt $number {_MOST_ALERTS} -}}}}
*{{{{ {_for_slack(".Annotations.summary")} }}}}*
{{{{ with .Annotations.description }}}}{{{{ {_for_slack(".")} }}}}
{{{{ end -}}}}
{{{{ range (.Labels.Remove ({_TOLD_APART})).SortedPairs -}}}}
`{{{{ .Name }}}}={{{{ {_for_slack(".Value")} }}}}` {{{{ end }}}}
{{{{ with .Annotations.{RUNBOOK_URL} }}}}<{{{{ . }}}}|Runbook> {{{{ end -}}}}
{{{{ with .GeneratorURL }}}}<{{{{ . }}}}|Query>{{{{ end }}}}

{{{{ end }}}}{{{{ end -}}}}
{_MORE}\
{{{{ range .Alerts.Resolved -}}}}
Resolved: {{{{ {_for_slack(".Annotations.summary")} }}}}
{{{{ end -}}}}
"""
PLAIN_TEXT = f"""\
{{{{ range $number, $alert := .Alerts.Firing }}}}{{{{ if lt $number {_MOST_ALERTS} -}}}}
{{{{ .Annotations.summary }}}}
{{{{ with .Annotations.description }}}}{{{{ . }}}}
{{{{ end -}}}}
{{{{ with .Annotations.{RUNBOOK_URL} }}}}Runbook: {{{{ . }}}}
{{{{ end -}}}}
{{{{ with .GeneratorURL }}}}Query: {{{{ . }}}}
{{{{ end -}}}}
{{{{ range .Labels.SortedPairs }}}}  {{{{ .Name }}}}={{{{ .Value }}}}
{{{{ end }}}}
{{{{ end }}}}{{{{ end -}}}}
{_MORE}\
{{{{ range .Alerts.Resolved -}}}}
Resolved: {{{{ .Annotations.summary }}}}
{{{{ end -}}}}
"""
