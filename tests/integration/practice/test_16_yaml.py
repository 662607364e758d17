"""YAML as other tools write and read it: core schema of YAML 1.2, anchors that are used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.client import InvalidError
from lienthong.client.manifests.load import load
from tests.integration.practice.services import apply, service_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.practice.raw import Provider
    from tests.support.platform import Platform

DOCUMENT = """\
openapi: 3.0.3
info: {title: On, version: 1.10}
paths:
  /parcels:
    get:
      operationId: listParcels
      deprecated: False
      x-mode: 0o17
      x-none: NULL
      x-switch: on
      x-day: 2026-11-30
      x-code: 0123
      x-answer: &answer {description: one}
      x-again: *answer
    post:
      operationId: addParcel
      x-answer: &answer {description: two}
      x-again: *answer
"""


def test_a_document_means_what_yaml_1_2_says(platform: Platform, provider: Provider, tmp_path: Path) -> None:
    service = service_id("yaml-v1")
    apply(platform, tmp_path, service, DOCUMENT, provider.url)
    with platform.operator() as operator:
        (manifest,) = (
            found
            for found in operator.manifests("services", {"system": service.rpartition("/")[0]})
            if found["metadata"]["id"] == service
        )
        assert [operation["id"] for operation in manifest["operations"]] == ["listParcels", "addParcel"]
    document = load([tmp_path / "service.yaml"]).values[0]["spec"]["openapi"]
    assert document["info"] == {"title": "On", "version": "1.10"}
    get, post = document["paths"]["/parcels"]["get"], document["paths"]["/parcels"]["post"]
    assert {name: value for name, value in get.items() if name.startswith("x-")} == {
        "x-mode": 15,
        "x-none": None,
        "x-switch": "on",
        "x-day": "2026-11-30",
        "x-code": "0123",
        "x-answer": {"description": "one"},
        "x-again": {"description": "one"},
    }
    assert get["deprecated"] is False
    assert post["x-again"] == {"description": "two"}


def test_what_is_text_is_said_where_something_else_is_wanted(
    platform: Platform, provider: Provider, tmp_path: Path
) -> None:
    with platform.operator() as operator, pytest.raises(InvalidError) as refused:
        operator.apply(load([_written(tmp_path, provider.url)]).values)
    assert {mistake.field: mistake.detail.en for mistake in refused.value.mistakes} == {
        "manifests[0].spec.writeAhead": "must be true or false, without quotes",
        "manifests[0].spec.name.en": "must be text; put it in quotes",
    }


def _written(folder: Path, upstream: str) -> Path:
    manifest = folder / "service.yaml"
    (folder / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    manifest.write_text(
        f"apiVersion: lienthong/v1\nkind: Service\nmetadata: {{id: {service_id('text-v1')}}}\n"
        f"spec: {{name: {{vi: on, en: 0o17}}, upstreams: [{upstream}], writeAhead: yes, "
        "openapiFile: openapi.yaml}\n",
        encoding="utf-8",
    )
    return manifest
