from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
import requests

from autogpt_observe.proof.webhook import DeliveredAlert, WebhookReceiver, parse_delivery

if TYPE_CHECKING:
    from collections.abc import Iterator

PAYLOAD = """{
  "receiver": "team",
  "status": "firing",
  "alerts": [
    {
      "status": "firing",
      "labels": {
        "alertname": "HighErrorRate"
      },
      "annotations": {
        "description": "3 µs"
      }
    }
  ],
  "version": "4"
}"""


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as listening:
        yield listening


def post(receiver: WebhookReceiver, body: str) -> int:
    return requests.post(receiver.url, data=body.encode(), timeout=20).status_code


def test_payloads_are_kept_in_order_as_they_came(receiver: WebhookReceiver) -> None:
    resolved = PAYLOAD.replace("firing", "resolved")
    assert [post(receiver, PAYLOAD), post(receiver, resolved)] == [200, 200]
    assert [delivery.text for delivery in receiver.deliveries] == [PAYLOAD, resolved]
    assert receiver.deliveries[0].alerts == (
        DeliveredAlert(
            status="firing",
            labels={"alertname": "HighErrorRate"},
            annotations={"description": "3 µs"},
        ),
    )


def test_a_delivery_is_found_by_alert_and_status(receiver: WebhookReceiver) -> None:
    assert receiver.find("HighErrorRate", status="firing") is None
    post(receiver, PAYLOAD.replace("HighErrorRate", "Other"))
    post(receiver, PAYLOAD)
    assert receiver.find("HighErrorRate", status="firing") is receiver.deliveries[1]
    assert receiver.find("HighErrorRate", status="resolved") is None


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"alerts": [1]}', '{"alerts": 1}', "\xff"])
def test_what_is_no_payload_is_refused(receiver: WebhookReceiver, body: str) -> None:
    assert post(receiver, body) == 400
    assert receiver.deliveries == ()


def test_a_payload_without_alerts_is_explained() -> None:
    with pytest.raises(ValueError, match="not a payload of Alertmanager's webhook: KeyError"):
        parse_delivery(json.dumps({"receiver": "team"}).encode())


def test_a_body_without_a_length_and_one_too_long_are_refused(receiver: WebhookReceiver) -> None:
    def answer(header: str) -> bytes:
        port = int(receiver.url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(f"POST /alerts HTTP/1.1\r\n{header}\r\n\r\n".encode())
            return client.makefile("rb").readline()

    assert b"411" in answer("Host: localhost")
    assert b"413" in answer(f"Content-Length: {10**9}")


def test_nobody_listens_after_the_block() -> None:
    with WebhookReceiver() as receiver:
        url = receiver.url
    with pytest.raises(requests.ConnectionError):
        requests.post(url, data=b"", timeout=20)
