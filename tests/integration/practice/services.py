"""Services that tests register with documents of their own, and calls of them byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.client import Client
from lienthong.client.manifests.load import load
from tests.integration.practice.raw import exchange, head, status
from tests.support.platform import CONSUMER, PROVIDER, PURPOSE, manifest
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.client.answers import ApplyResult
    from tests.support.platform import Platform

_MANIFEST = """\
apiVersion: lienthong/v1
kind: Service
metadata: {{id: {service}}}
spec:
  name: {{vi: Dịch vụ thử, en: A service}}
  upstreams: [{upstream}]
  openapiFile: openapi.yaml
"""


def apply(
    platform: Platform, folder: Path, service: str, document: str, upstream: str, **terms: object
) -> ApplyResult:
    """Apply a service whose document is this YAML, as `lienthong apply` does; the consumer may call it then.

    `terms` are more of its agreement's.
    """
    (folder / "openapi.yaml").write_text(document, encoding="utf-8")
    (folder / "service.yaml").write_text(
        _MANIFEST.format(service=service, upstream=upstream), encoding="utf-8"
    )
    found = load([folder / "service.yaml"])
    assert found.mistakes == []
    agreement = manifest(
        "Agreement",
        f"one-stop-{service.rpartition('/')[2]}",
        {
            "consumer": CONSUMER,
            "service": service,
            "purposes": [PURPOSE],
            "legalGround": "Luật Đất đai 2024",
            "status": "approved",
            **terms,
        },
    )
    with platform.operator() as operator:
        return operator.apply([*found.values, agreement])


def service_id(code: str) -> str:
    """The id of a service of the provider."""
    return f"{PROVIDER}/{code}"


def call(platform: Platform, service: str, target: str, method: str = "GET") -> bytes:
    """Call a service of a moment ago; the bytes of the answer."""
    with Client(platform.consumer) as client:
        token = client.token().value
    fields = (f"Authorization: Bearer {token}", f"LGSP-Purpose: {PURPOSE}")
    request = head(method, f"/api/{service}{target}", *fields)
    answers: list[bytes] = []

    def known() -> bool:
        answers.append(exchange(platform.gateway, request))
        return status(answers[-1]) not in {403, 404} or b"unknown-operation" in answers[-1]

    wait_until(known)
    return answers[-1]
