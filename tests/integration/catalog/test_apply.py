"""Applying manifests over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.catalog import province

if TYPE_CHECKING:
    from tests.integration.catalog.running import Catalog


def test_a_whole_province_is_applied_in_any_order_and_again_without_effect(catalog: Catalog) -> None:
    operator = catalog.operator()
    body = {"manifests": province.province()}

    first = operator.post("/apply", json=body)
    again = operator.post("/apply", json=body)

    assert first.status_code == 200, first.text
    assert {result["action"] for result in first.json()["results"]} == {"created"}
    assert first.json()["version"] == len(body["manifests"])
    assert {result["action"] for result in again.json()["results"]} == {"unchanged"}
    assert again.json()["version"] == first.json()["version"]
