"""A whole platform with a well-behaved tenant, and one that means harm and has no agreement."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from lienthong.client import Client, Credentials, LienthongError, UnavailableError
from tests.hostile.steady import Steady
from tests.support.platform import PROVIDER, Platform, running_platform
from tests.support.upstream import running_upstream
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HOSTILE = "H11.09/hostile"
NOISE = f"{HOSTILE}/noise-v1"
TEMPLATED = f"{PROVIDER}/templated-v1"
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class World:
    """What an attack works on: `others` is the well-behaved tenant that calls all the time."""

    platform: Platform
    hostile: Credentials
    others: Steady

    def stranger(self) -> httpx.Client:
        """A client without a token."""
        return httpx.Client(base_url=self.platform.gateway, timeout=_PATIENCE_S)

    def tenant(self) -> httpx.Client:
        """A client with the hostile tenant's token."""
        return self._with_token(self.hostile)

    def operator(self) -> httpx.Client:
        """A client with the operator's token: for what only operators may send."""
        return self._with_token(Credentials.load(self.platform.home / "operator"))

    def connect(self, process: str = "gateway") -> socket.socket:
        """A bare connection to the REST port of a process."""
        return socket.create_connection(("127.0.0.1", self.platform.settings.port(process)), _PATIENCE_S)

    def entries(self, filters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What the ledger holds."""
        with self.platform.auditor() as auditor:
            return list(auditor.entries(filters))

    def _with_token(self, credentials: Credentials) -> httpx.Client:
        with Client(credentials) as client:
            token = _token(client)
        http = self.stranger()
        http.headers["Authorization"] = f"Bearer {token}"
        return http


def _token(client: Client) -> str:
    """A token, as soon as there is one: strangers before may have used up what this address may ask."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return client.token().value
        except UnavailableError as error:
            if error.code != "rate-limited" or time.monotonic() > deadline:
                raise
        time.sleep(1)


@contextmanager
def hostile_world(folder: Path) -> Iterator[World]:
    """Start the platform and the well-behaved tenant; end both."""
    with ExitStack() as stack:
        upstream = stack.enter_context(running_upstream())
        platform = stack.enter_context(running_platform(folder / "home", upstream))
        hostile = Credentials.new(HOSTILE, gateway=platform.gateway)
        with platform.operator() as operator:
            operator.apply(_manifests(upstream, hostile))
        with Client(hostile) as client:
            wait_until(lambda: _has_token(client), "identity knows the hostile tenant")
        platform.consumer.save(folder / "steady")
        others = Steady(platform.gateway, folder / "steady")
        stack.callback(others.stop)
        wait_until(lambda: len(others.calls) >= 25, "the well-behaved tenant calls")
        yield World(platform, hostile, others)


def answer_on(connection: socket.socket) -> tuple[int, bytes]:
    """Read one response to its end, or as much of it as comes; status 0 when the connection just ended."""
    connection.settimeout(_PATIENCE_S)
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                return 0, received
            received += part
    except ConnectionResetError:
        if not received:
            return 0, b""
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def _has_token(client: Client) -> bool:
    try:
        client.token()
    except LienthongError:
        return False
    return True


def manifest(kind: str, identifier: str, **spec: object) -> dict[str, Any]:
    """A manifest with a name."""
    return {
        "apiVersion": "lienthong/v1",
        "kind": kind,
        "metadata": {"id": identifier},
        "spec": {"name": {"vi": "Thử", "en": "Trial"}, **spec},
    }


def _manifests(upstream: str, hostile: Credentials) -> list[dict[str, Any]]:
    number = {"type": "object", "properties": {"number": {"type": "integer"}}}
    openapi = {
        "openapi": "3.1.0",
        "info": {"title": "Thử", "version": "1.0.0"},
        "paths": {
            "/areas/{from}-{to}": {
                "get": {"operationId": "area", "responses": {"200": {"description": "ok"}}}
            }
        },
    }

    return [
        manifest("Agency", "H11.09", **{"class": "GOV"}),
        manifest("System", HOSTILE, jwks=hostile.public_keys()),
        manifest("EventType", NOISE, dataSchema=number),
        manifest("Service", TEMPLATED, upstreams=[upstream], openapi=openapi),
    ]


def event(event_type: str, number: int, data: object) -> tuple[str, bytes, dict[str, str]]:
    """Path, body and headers that publish one event."""
    document = {
        "specversion": "1.0",
        "id": f"hostile-{number}",
        "source": f"/{HOSTILE}",
        "type": event_type,
        "datacontenttype": "application/json",
        "data": data,
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    return f"/exchange/v1/events/{event_type}", json.dumps(document).encode(), headers
