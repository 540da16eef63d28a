"""Alertmanager's receivers. Secrets are files on Alertmanager's disk; nothing here holds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import ALERT_NAME, OWNER, RUNBOOK_URL, SERVICE
from autogpt_observe.render.alertmanager import messages

if TYPE_CHECKING:
    from autogpt_observe.names import Name
    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import (
        Email,
        Opsgenie,
        PagerDuty,
        Receiver,
        Slack,
        Webhook,
    )


def render_receiver(name: Name, receiver: Receiver) -> dict[str, Document]:
    """A receiver with all its ways."""
    rendered: dict[str, Document] = {"name": name}
    if receiver.webhook is not None:
        rendered["webhook_configs"] = [_webhook(receiver.webhook)]
    if receiver.slack is not None:
        rendered["slack_configs"] = [_slack(receiver.slack)]
    if receiver.pagerduty is not None:
        rendered["pagerduty_configs"] = [_pagerduty(receiver.pagerduty)]
    if receiver.opsgenie is not None:
        rendered["opsgenie_configs"] = [_opsgenie(receiver.opsgenie)]
    if receiver.email is not None:
        rendered["email_configs"] = [_email(receiver.email)]
    return rendered


def _webhook(webhook: Webhook) -> dict[str, Document]:
    address: dict[str, Document] = (
        {"url_file": webhook.url_file} if webhook.url is None else {"url": webhook.url}
    )
    config = {**address, "send_resolved": webhook.send_resolved}
    if webhook.credentials_file is not None:
        bearer: Document = {"type": "Bearer", "credentials_file": webhook.credentials_file}
        config["http_config"] = {"authorization": bearer}
    return config


def _slack(slack: Slack) -> dict[str, Document]:
    return {
        "api_url_file": slack.api_url_file,
        "channel": slack.channel,
        "send_resolved": slack.send_resolved,
        "color": messages.SLACK_COLOUR,
        "title": messages.TITLE,
        "title_link": messages.LINK,
        "fallback": messages.TITLE,
        "text": messages.SLACK_TEXT,
    }


def _pagerduty(pagerduty: PagerDuty) -> dict[str, Document]:
    events: dict[str, Document] = {} if pagerduty.url is None else {"url": pagerduty.url}
    return {
        "routing_key_file": pagerduty.routing_key_file,
        **events,
        "send_resolved": pagerduty.send_resolved,
        "severity": messages.PAGERDUTY_SEVERITY,
        "description": messages.SUBJECT,
        "class": messages.common_label(ALERT_NAME),
        "component": messages.common_label(SERVICE),
        "group": messages.common_label(OWNER),
        "client": "Alertmanager",
        "client_url": messages.ALERTMANAGER,
        "details": {"firing": messages.PLAIN_TEXT},
        "links": [
            {"href": messages.common_annotation(RUNBOOK_URL), "text": "Runbook"},
            {"href": messages.ALERTMANAGER, "text": "Alertmanager"},
        ],
    }


def _opsgenie(opsgenie: Opsgenie) -> dict[str, Document]:
    api: dict[str, Document] = {} if opsgenie.api_url is None else {"api_url": opsgenie.api_url}
    return {
        "api_key_file": opsgenie.api_key_file,
        **api,
        "send_resolved": opsgenie.send_resolved,
        "message": messages.SUBJECT,
        "description": messages.PLAIN_TEXT,
        "priority": messages.OPSGENIE_PRIORITY,
        "source": messages.ALERTMANAGER,
        "entity": messages.common_label(SERVICE),
        "tags": messages.OPSGENIE_TAGS,
    }


def _email(email: Email) -> dict[str, Document]:
    config: dict[str, Document] = {
        "to": ", ".join(email.to),
        "from": email.from_,
        "smarthost": email.smarthost,
    }
    if email.username is not None:
        config["auth_username"] = email.username
    if email.password_file is not None:
        config["auth_password_file"] = email.password_file
    return {
        **config,
        "require_tls": True,
        "send_resolved": email.send_resolved,
        "headers": {"Subject": messages.TITLE},
        "text": messages.PLAIN_TEXT,
    }
