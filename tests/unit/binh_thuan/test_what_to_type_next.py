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
    ("agreement", "status", "waits"),
    [
        ("company-parcels", "requested", True),
        ("company-parcels", "approved", False),
        ("company-parcels", "rejected", False),
        ("another", "requested", False),
    ],
)
def test_the_catalog_says_whether_it_waits(
    monkeypatch: pytest.MonkeyPatch, agreement: str, status: str, waits: bool
) -> None:
    found = {"metadata": {"id": agreement}, "spec": {"status": status}}
    monkeypatch.setattr(Catalog, "agreements", [found])
    monkeypatch.setattr(catalog, "Client", Catalog)
    monkeypatch.setattr(Credentials, "load", lambda folder: folder)
    assert catalog.waits(Path("operator"), "http://127.0.0.1:8080") is waits
