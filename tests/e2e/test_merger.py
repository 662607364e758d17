"""Bình Thuận is merged into Lâm Đồng while its systems call: no call fails, and it is on record."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from tests.e2e.province import Province
from tests.support.ports import take_free_offset
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.client import Client

PARCELS, PARCEL = "H11.05/land/parcels-v1", "/parcels/59301-4-113"
ON = ("--on", "2025-07-01")
LAM_DONG = """
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H68}
spec:
  class: GOV
  name: {vi: UBND tỉnh Lâm Đồng, en: People's Committee of Lâm Đồng province}
---
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H68.05}
spec:
  class: GOV
  parent: H68
  name: {vi: Sở Nông nghiệp và Môi trường, en: Department of Agriculture and Environment}
"""


class Callers:
    """One who calls without a pause until it is told to end, and what it got."""

    def __init__(self, client: Client) -> None:
        self.statuses: list[int] = []
        self._client = client
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._call)

    def __enter__(self) -> Callers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _call(self) -> None:
        while not self._ending.is_set():
            self.statuses.append(self._client.call(PARCELS, "GET", PARCEL).status)


def merge(province: Province, *words: str) -> dict[str, Any]:
    done = province.command("agency", "merge", *words, *ON, "--json")
    assert done.returncode == 0, done.stderr
    merged: dict[str, Any] = json.loads(done.stdout)
    return merged


def acts(auditor: Client) -> set[tuple[str, str]]:
    """What was done last, and with what."""
    records = [one["record"] for one in auditor.entries({"kind": "admin"}, limit=100)]
    return {(one["action"], one["object"]) for one in records}


def test_a_province_is_merged_while_its_systems_call(tmp_path: Path) -> None:
    province = Province.start(tmp_path / "home", take_free_offset())
    try:
        manifests = tmp_path / "lam-dong.yaml"
        manifests.write_text(LAM_DONG, encoding="utf-8")
        applied = province.command("apply", "-f", str(manifests))
        assert applied.returncode == 0, applied.stderr
        with province.client("one-stop") as one_stop, Callers(one_stop) as callers:
            wait_until(lambda: len(callers.statuses) > 3, lambda: "nobody calls")
            department = merge(province, "H11.05", "--into", "H68.05", "--dry-run")
            assert PARCELS in department["moved"]["services"]
            assert merge(province, "H11.05", "--into", "H68.05")["moved"] == department["moved"]
            merged = merge(province, "H11", "--into", "H68")
            assert "H11.01" in merged["moved"]["agencies"]
            seen = len(callers.statuses)
            wait_until(lambda: len(callers.statuses) > seen + 3, lambda: "nobody calls any more")
        assert set(callers.statuses) == {200}

        # With a token that was asked for after the merger.
        with province.client("one-stop") as anew:
            after = anew.call(PARCELS, "GET", PARCEL)
        assert after.status == 200
        assert merge(province, "H11.05", "--into", "H68.05")["agencies"] == [
            {"id": "H11.05", "action": "unchanged"}
        ]

        shown = province.command("get", "agencies", "--merged-into", "H68.05", "--json")
        assert [one["metadata"]["id"] for one in json.loads(shown.stdout)["items"]] == ["H11.05"]
        systems = json.loads(province.command("get", "systems", "--agency", "H68.05", "--json").stdout)
        assert "H11.05/land" in {one["metadata"]["id"] for one in systems["items"]}
        refused = province.command("agency", "merge", "H11.01", "--into", "H11.05", *ON)
        assert refused.returncode == 4
        assert "H68.05" in refused.stderr

        with province.client("auditor") as auditor:
            wait_until(
                lambda: (
                    {("agency.merge", "Agency/H11"), ("system.move", "System/H11.05/land")} <= acts(auditor)
                ),
                lambda: f"on record are {acts(auditor)}",
            )
            wait_until(
                lambda: len(list(auditor.entries({"tx": after.transaction_id or ""}))) == 1,
                lambda: "the call is not on record",
            )
    finally:
        province.stop()
