"""Base paths that providers write into `servers`, and calls that go to the addresses of the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.practice.raw import status
from tests.integration.practice.services import apply, call, service_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.practice.raw import Provider
    from tests.support.platform import Platform

DOCUMENT = """\
openapi: 3.0.3
info: {{title: Thửa đất, version: 1.0.0}}
servers: {servers}
paths:
  /parcels: {{get: {{operationId: listParcels}}}}
"""


@pytest.mark.parametrize(
    ("code", "servers", "base", "line", "said"),
    [
        ("kept-v1", "[{url: /api/v1}]", "/api/v1", b"GET /api/v1/parcels HTTP/1.1", []),
        (
            "lost-v1",
            "[{url: 'https://land.example/api/v1'}]",
            "",
            b"GET /parcels HTTP/1.1",
            ["the base path '/api/v1', and no address here ends with it"],
        ),
        (
            "several-v1",
            "[{url: 'https://land.example/v1'}, {url: 'https://land.example/v2'}]",
            "",
            b"GET /parcels HTTP/1.1",
            ["2 base paths ('/v1', '/v2'), and the addresses here end with none"],
        ),
        (
            "chosen-v1",
            "[{url: 'https://land.example/v1'}, {url: 'https://land.example/v2'}]",
            "/v2",
            b"GET /v2/parcels HTTP/1.1",
            [],
        ),
    ],
)
def test_a_base_path_is_kept_in_the_addresses_or_its_loss_is_said(
    platform: Platform,
    provider: Provider,
    tmp_path: Path,
    code: str,
    servers: str,
    base: str,
    line: bytes,
    said: list[str],
) -> None:
    service = service_id(code)
    applied = apply(platform, tmp_path, service, DOCUMENT.format(servers=servers), provider.url + base)
    (result,) = (result for result in applied.results if result.id == service)
    warnings = [warning.detail.en for warning in result.warnings]
    assert len(warnings) == len(said)
    assert all(part in warning for part, warning in zip(said, warnings, strict=True))
    assert status(call(platform, service, "/parcels")) == 200
    assert provider.lines[-1] == line
