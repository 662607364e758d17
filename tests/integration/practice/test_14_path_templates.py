"""How clients write parameters into paths (OpenAPI `style`), and what cannot stand in a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.client import InvalidError
from tests.integration.practice.raw import status
from tests.integration.practice.services import apply, call, service_id

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
