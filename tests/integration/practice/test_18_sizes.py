"""The largest bodies that the platform's own services promise to take, sent through the gateway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lienthong.client import Client, Credentials, LienthongError
from lienthong.kit import request_sizes
from tests.integration.practice.raw import body, exchange, head, status
from tests.integration.practice.tokens import FORM, document
from tests.support.platform import named
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.platform import Platform

SENDER = "H11.05/sender"
EVENT_TYPE = f"{SENDER}/large-v1"
BATCH = "Content-Type: application/cloudevents-batch+json"


@pytest.fixture(scope="module")
def sender(platform: Platform) -> str:
    """The token of a system that publishes large events."""
    credentials = Credentials.new(SENDER, gateway=platform.gateway)
    with platform.operator() as operator:
        operator.apply(
            [
                named("System", SENDER, "Nguồn", "Sender", {"jwks": credentials.public_keys()}),
                named("EventType", EVENT_TYPE, "Lớn", "Large", {"dataSchema": {"type": "string"}}),
            ]
        )
    tokens: list[str] = []

    def known() -> bool:
        with Client(credentials) as client:
            try:
                tokens.append(client.token().value)
                client.publish(EVENT_TYPE, data="first", event_id="first")
            except LienthongError:
                return False
        return True

    wait_until(known)
    return tokens[-1]


def test_a_batch_of_the_size_that_the_exchange_promises_passes_the_gateway(
    platform: Platform, sender: str
) -> None:
    events = []
    for number in range(request_sizes.EVENTS):
        event = {
            "specversion": "1.0",
            "id": f"large-{number:03}",
            "source": f"/{SENDER}",
            "type": EVENT_TYPE,
            "data": "",
        }
        event["data"] = "x" * (request_sizes.EVENT - 2 - len(json.dumps(event, separators=(",", ":"))))
        events.append(event)
    batch = json.dumps(events, separators=(",", ":")).encode()
    assert request_sizes.EXCHANGE - 3 * request_sizes.EVENTS < len(batch) <= request_sizes.EXCHANGE
    fields = (f"Authorization: Bearer {sender}", BATCH)
    answer = exchange(
        platform.gateway, head("POST", f"/exchange/v1/events/{EVENT_TYPE}", *fields, body=batch)
    )
    assert status(answer) == 202
    assert len(json.loads(body(answer))["accepted"]) == request_sizes.EVENTS


def test_an_apply_of_the_size_that_the_catalog_promises_passes_the_gateway(platform: Platform) -> None:
    manifests = json.dumps({"manifests": [named("Agency", "H11.05", "Sở", "Department", {"class": "GOV"})]})
    padded = manifests.encode().ljust(request_sizes.CATALOG)
    with platform.operator() as operator:
        fields = (f"Authorization: Bearer {operator.token().value}", "Content-Type: application/json")
    answer = exchange(platform.gateway, head("POST", "/catalog/v1/apply?dry_run=true", *fields, body=padded))
    assert status(answer) == 200


@pytest.mark.parametrize(
    ("target", "content_type", "most"),
    [
        (f"/exchange/v1/events/{EVENT_TYPE}", BATCH, request_sizes.EXCHANGE),
        ("/catalog/v1/apply", "Content-Type: application/json", request_sizes.CATALOG),
    ],
)
def test_one_byte_more_is_refused_before_it_is_sent(
    platform: Platform, sender: str, target: str, content_type: str, most: int
) -> None:
    fields = (f"Authorization: Bearer {sender}", content_type, f"Content-Length: {most + 1}")
    answer = exchange(platform.gateway, head("POST", target, *fields))
    assert status(answer) == 413
    assert f"{most} byte" in json.loads(body(answer))["detail"]


def test_a_token_request_that_is_too_large_is_refused_in_the_words_of_oauth(platform: Platform) -> None:
    form = b"grant_type=client_credentials&scope=".ljust(request_sizes.IDENTITY + 1, b"x")
    answer = exchange(platform.gateway, head("POST", "/oauth2/token", f"Content-Type: {FORM}", body=form))
    assert status(answer) == 413
    assert document(answer)["error"] == "invalid_request"
    assert f"longer than {request_sizes.IDENTITY} bytes" in document(answer)["error_description"]
