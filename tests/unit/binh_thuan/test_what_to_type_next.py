"""What `make run` says to type next: commands that do something at that moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from binh_thuan import catalog
from binh_thuan.screen import commands
from lienthong.client import Credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

APPROVE = "lienthong agreement approve company-parcels"


@pytest.mark.parametrize("waits", [True, False])
def test_an_agreement_is_to_be_approved_while_it_waits(waits: bool) -> None:
    told = [command for command, _ in commands([], Path("receipts"), waits=waits)]
    assert (APPROVE in told) is waits
    assert "lienthong status" in told


class Catalog:
    """A client whose catalog has these agreements."""

    agreements: Sequence[dict[str, Any]] = ()

    def __init__(self, credentials: object, *, gateway: str) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def manifests(self, kind: str) -> Sequence[dict[str, Any]]:
        assert kind == "agreements"
        return self.agreements


@pytest.mark.parametrize(
    ("agreement", "found"),
    [
        ({"metadata": {"id": "company-parcels"}, "spec": {"status": "requested"}}, "requested"),
        ({"metadata": {"id": "company-parcels"}, "spec": {"status": "approved"}}, "approved"),
        ({"metadata": {"id": "company-parcels"}, "spec": {}, "status": {"state": "rejected"}}, "rejected"),
        ({"metadata": {"id": "another"}, "spec": {"status": "requested"}}, None),
    ],
)
def test_the_catalog_says_how_it_stands(
    monkeypatch: pytest.MonkeyPatch, agreement: dict[str, Any], found: str | None
) -> None:
    monkeypatch.setattr(Catalog, "agreements", [agreement])
    monkeypatch.setattr(catalog, "Client", Catalog)
    monkeypatch.setattr(Credentials, "load", lambda folder: folder)
    assert catalog.status_of("company-parcels", Path("operator"), "http://127.0.0.1:8080") == found
