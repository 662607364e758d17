"""A whole platform on this machine, with one provider and one consumer under one agreement."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from lienthong.client import Client, Credentials, LienthongError
from lienthong.kit.settings import Settings
from lienthong.local import Installation
from tests.support.ports import give_back_offset, take_free_offset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROVIDER = "H11.05/land"
CONSUMER = "H11.01/one-stop"
SERVICE = f"{PROVIDER}/parcels-v1"
AGREEMENT = "one-stop-parcels"
PURPOSE = "land-procedure"

_OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Thửa đất", "version": "1.0.0"},
    "paths": {
        "/parcels/{parcelId}": {
            "get": {"operationId": "getParcel", "responses": {"200": {"description": "Thửa đất"}}}
        },
        "/parcels": {
            "post": {"operationId": "registerParcel", "responses": {"201": {"description": "Đã ghi"}}}
        },
    },
}


@dataclass(frozen=True, slots=True)
class Platform:
    """A running installation and the credentials of those who use it."""

    installation: Installation
    settings: Settings
    home: Path
    consumer: Credentials

    @property
    def gateway(self) -> str:
        """The gateway's address."""
        return self.settings.public_url

    def operator(self) -> Client:
        """A client that may change the catalog."""
        return Client.from_folder(self.home / "operator")

    def auditor(self) -> Client:
        """A client that may read the audit trail."""
        return Client.from_folder(self.home / "auditor")

    def condition(self, service: str, check: str) -> dict[str, Any]:
        """What a service says of one of its checks: `state` (`away` where nobody answers), `reason`, …"""
        url = f"http://127.0.0.1:{self.settings.health_port(service)}/health/ready"
        try:
            found: dict[str, Any] = httpx.get(url, trust_env=False).json()
        except httpx.TransportError:
            return {"state": "away"}
        return dict(found.get("conditions", {}).get(check, {"state": "ok"}))


@contextmanager
def running_platform(home: Path, upstream: str) -> Iterator[Platform]:
    """Start everything under `home`, register provider, service, consumer and agreement; end it on exit."""
    settings = Settings(home=home, port_offset=take_free_offset())
    with Installation(settings) as installation:
        yield Platform(installation, settings, home, register(settings, upstream))
    give_back_offset(settings.port_offset)


def register(settings: Settings, upstream: str) -> Credentials:
    """Register provider, service, consumer and agreement; gives the consumer, whose calls are answered."""
    consumer = Credentials.new(CONSUMER, gateway=settings.public_url)
    provider = Credentials.new(PROVIDER, gateway=settings.public_url)
    with Client.from_folder(settings.home / "operator") as operator:
        operator.apply(manifests(upstream, consumer, provider))
    with Client(consumer) as client:
        wait_until_known(client)
    return consumer


def wait_until_known(client: Client, attempts: int = 600) -> None:
    """Wait until identity and the gateway have heard of a system that was just applied."""
    for attempt in range(attempts):
        try:
            answer = client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE)
        except LienthongError:
            if attempt == attempts - 1:
                raise
        else:
            if answer.ok:
                return
        time.sleep(0.1)
    raise RuntimeError("the platform did not learn of the agreement in time")


def manifests(upstream: str, consumer: Credentials, provider: Credentials) -> list[dict[str, Any]]:
    """Two agencies, two systems, a service and an approved agreement."""
    service = {"upstreams": [upstream], "openapi": _OPENAPI, "timeoutMs": 20_000}
    agreement = {
        "consumer": CONSUMER,
        "service": SERVICE,
        "purposes": [PURPOSE],
        "legalGround": "Luật Đất đai 2024",
        "status": "approved",
    }
    return [
        named("Agency", "H11.01", "Trung tâm hành chính công", "One-stop centre", {"class": "GOV"}),
        named("Agency", "H11.05", "Sở Nông nghiệp và Môi trường", "Environment", {"class": "GOV"}),
        named("System", CONSUMER, "Một cửa", "One-stop shop", {"jwks": consumer.public_keys()}),
        named("System", PROVIDER, "Đất đai", "Land", {"jwks": provider.public_keys()}),
        named("Service", SERVICE, "Thửa đất", "Parcels", service),
        manifest("Agreement", AGREEMENT, agreement),
    ]


def named(kind: str, identifier: str, vi: str, en: str, spec: dict[str, Any]) -> dict[str, Any]:
    return manifest(kind, identifier, {"name": {"vi": vi, "en": en}, **spec})


def manifest(kind: str, identifier: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "lienthong/v1", "kind": kind, "metadata": {"id": identifier}, "spec": spec}
