"""Documents whose path items and operations are references, as bundlers and people write them."""

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

INSIDE = """\
openapi: 3.1.0
info: {title: Thửa đất, version: 1.0.0}
paths:
  /parcels/{id}: {$ref: '#/components/pathItems/Parcel'}
  /owners:
    get: {$ref: '#/components/x-operations/listOwners'}
components:
  pathItems:
    Parcel:
      get: {operationId: getParcel}
  x-operations:
    listOwners: {operationId: listOwners}
"""


def test_references_inside_the_document_are_followed_and_called(
    platform: Platform, provider: Provider, tmp_path: Path
) -> None:
    service = service_id("references-v1")
    apply(platform, tmp_path, service, INSIDE, provider.url)
    assert status(call(platform, service, "/parcels/7")) == 200
    assert status(call(platform, service, "/owners")) == 200
    assert provider.lines[-2:] == [b"GET /parcels/7 HTTP/1.1", b"GET /owners HTTP/1.1"]


@pytest.mark.parametrize("item", ["{$ref: paths/parcel.yaml}", "{get: {$ref: 'paths/get-parcel.yaml'}}"])
def test_a_reference_out_of_the_document_is_told_to_bundle(
    platform: Platform, provider: Provider, tmp_path: Path, item: str
) -> None:
    document = f"openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths:\n  /parcels: {item}\n"
    with pytest.raises(InvalidError) as refused:
        apply(platform, tmp_path, service_id("split-v1"), document, provider.url)
    (mistake,) = refused.value.mistakes
    assert mistake.pointer.endswith("/$ref")
    assert "bundle all parts into one document" in mistake.detail.en
    assert "operationId" not in mistake.detail.en
