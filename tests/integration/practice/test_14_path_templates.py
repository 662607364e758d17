"""How clients write parameters into paths (OpenAPI `style`), and what cannot stand in a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.client import Client, InvalidError
from tests.integration.practice.raw import exchange, head, status
from tests.integration.practice.services import apply, call, service_id
from tests.support.platform import PURPOSE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.practice.raw import Provider
    from tests.support.platform import Platform

STYLES = """\
openapi: 3.1.0
info: {title: Thửa đất, version: 1.0.0}
paths:
  /labels/{id}:
    get: {operationId: getLabel, parameters: [{name: id, in: path, required: true, style: label}]}
  /files{format}:
    get: {operationId: getFiles, parameters: [{name: format, in: path, required: true, style: label}]}
  /policies/:
    get: {operationId: listPolicies}
  /policies/{id}/:
    get: {operationId: getPolicy}
"""


@pytest.mark.parametrize(
    "target",
    ["/labels/.7", "/labels/.7.8.9", "/labels/.role=admin", "/files.json", "/policies/", "/policies/7/"],
)
def test_labels_and_slashes_at_the_end_reach_the_provider_as_they_are(
    platform: Platform, provider: Provider, tmp_path: Path, target: str
) -> None:
    service = service_id("templates-v1")
    apply(platform, tmp_path, service, STYLES, provider.url)
    assert status(call(platform, service, target)) == 200
    assert provider.lines[-1] == f"GET {target} HTTP/1.1".encode()


@pytest.mark.parametrize("target", ["/policies", "/policies/7"])
def test_a_path_without_its_slash_is_another_path(
    platform: Platform, provider: Provider, tmp_path: Path, target: str
) -> None:
    service = service_id("templates-v1")
    apply(platform, tmp_path, service, STYLES, provider.url)
    answer = call(platform, service, target)
    assert status(answer) == 404
    assert b"unknown-operation" in answer


NAMES = """\
openapi: 3.1.0
info: {title: Quy hoạch, version: 1.0.0}
paths:
  /zones/{id}:
    get: {}
    delete: {}
  /zones/{id}/:
    get: {operationId: zones/xem quy hoạch}
webhooks:
  zoneChanged: {post: {}}
"""


def test_operations_have_any_name_or_none_and_rights_on_them_are_exact(
    platform: Platform, provider: Provider, tmp_path: Path
) -> None:
    service = service_id("names-v1")
    allowed = ["GET /zones/{id}", "zones/xem quy hoạch"]
    apply(platform, tmp_path, service, NAMES, provider.url, operations=allowed)
    assert status(call(platform, service, "/zones/7")) == 200
    assert status(call(platform, service, "/zones/7/")) == 200
    with Client(platform.consumer) as client:
        fields = (f"Authorization: Bearer {client.token().value}", f"LGSP-Purpose: {PURPOSE}")
    refused = exchange(platform.gateway, head("DELETE", f"/api/{service}/zones/7", *fields))
    assert status(refused) == 403
    assert b"does not allow the operation DELETE /zones/{id}." in refused

    def recorded() -> bool:
        with platform.auditor() as auditor:
            found = auditor.entries({"service": service, "kind": "call", "status": "200"})
            return {entry["record"]["operation"] for entry in found} == set(allowed)

    wait_until(recorded)


def test_a_service_of_webhooks_alone_answers_no_call(
    platform: Platform, provider: Provider, tmp_path: Path
) -> None:
    service = service_id("webhooks-v1")
    document = NAMES[: NAMES.index("paths:")] + NAMES[NAMES.index("webhooks:") :]
    apply(platform, tmp_path, service, document, provider.url)
    answer = call(platform, service, "/zones/7")
    assert status(answer) == 404
    assert b"unknown-operation" in answer


@pytest.mark.parametrize(
    ("path", "parameters", "reason"),
    [
        ("/parcels/{id}", "[{name: id, in: path, style: matrix}]", "has the style 'matrix'"),
        ("/parcels;v=1/{id}", "[]", "is not made of plain text"),
        ("/Task#return", "[]", "'#' begins a fragment, which no client sends"),
        ("/parcels?kind=land", "[]", "'?' begins the query"),
    ],
)
def test_what_could_never_be_called_is_refused_at_registration(
    platform: Platform, provider: Provider, tmp_path: Path, path: str, parameters: str, reason: str
) -> None:
    operation = f"{{operationId: a, parameters: {parameters}}}"
    document = f"openapi: 3.1.0\ninfo: {{title: T, version: '1'}}\npaths:\n  '{path}': {{get: {operation}}}\n"
    with pytest.raises(InvalidError) as refused:
        apply(platform, tmp_path, service_id("never-v1"), document, provider.url)
    (mistake,) = refused.value.mistakes
    assert reason in mistake.detail.en
