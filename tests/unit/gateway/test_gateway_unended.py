"""Endless answers that a kill cut off: their opening records are found once, and become those of ends."""

from __future__ import annotations

import json
import os
from itertools import count
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.journal.records import CallRecord, lost_of, opening_of
from lienthong.gateway.journal.records import encode as encoded
from lienthong.gateway.journal.unended import Unended

if TYPE_CHECKING:
    from pathlib import Path

NOW, LATER = "2026-11-23T06:30:00.000000Z", "2026-11-23T07:00:00.000000Z"


def opening(tx: str) -> bytes:
    known = CallRecord(
        v=1, id="o", kind="call", tx=tx, at=NOW, node="n", method="GET", target="h", received=NOW, opened=NOW,
        status=200, answered=NOW, response_bytes=0,
    )  # fmt: skip
    return encoded(opening_of(known))


def ended(unended: Unended) -> None:
    """As if its process had been killed: the lock is free, the files are there."""
    unended._disk.shutdown()
    os.close(unended._lock)


def test_what_a_lost_worker_left_open_is_found_until_it_is_forgotten(tmp_path: Path) -> None:
    numbers = count()
    lost, living, next_one = (Unended(tmp_path, lambda: f"w{next(numbers)}") for _ in range(3))
    for tx in ("a", "b"):
        lost.begin(tx, opening(tx))
    lost.end("a")
    living.begin("c", opening("c"))
    ended(lost)
    assert [json.loads(found)["tx"] for found in next_one.adopt()] == ["b"]
    next_one.forget()
    assert next_one.adopt() == []
    living.end("c")
    living.close()
    next_one.close()
    assert list(tmp_path.iterdir()) == []


def test_two_that_begin_at_once_do_not_both_adopt(tmp_path: Path) -> None:
    numbers = count()
    lost, one, other = (Unended(tmp_path, lambda: f"w{next(numbers)}") for _ in range(3))
    lost.begin("a", opening("a"))
    ended(lost)
    assert len(one.adopt()) == 1
    assert other.adopt() == []
    one.forget()
    assert other.adopt() == []
    one.close()
    other.close()


def test_what_another_one_has_just_forgotten_holds_up_no_adoption(tmp_path: Path) -> None:
    numbers = count()
    lost, one = (Unended(tmp_path, lambda: f"w{next(numbers)}") for _ in range(2))
    lost.begin("a", opening("a"))
    ended(lost)
    # It is in the list of the folder, and cannot be opened any more.
    (tmp_path / "v.lock").symlink_to(tmp_path / "gone")
    assert len(one.adopt()) == 1
    one.forget()
    one.close()


def test_without_a_folder_nothing_is_noted_and_nothing_fails(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert Unended.opened(blocked / "open", lambda: "w") is None


def test_an_opening_record_becomes_the_record_of_an_end() -> None:
    record = json.loads(encoded(lost_of(opening("a"), "r", LATER, "gateway-lost")))
    assert record == {
        "v": 1, "id": "r", "kind": "call", "tx": "a", "at": LATER, "node": "n", "method": "GET",
        "target": "h", "status": 200, "error": "gateway-lost", "failed": "gateway", "received": NOW,
        "opened": NOW, "aborted": True,
    }  # fmt: skip


@pytest.mark.parametrize("cut", [b"", b"{", b"[]", b'{"v":1}', b'{"v":[1]}', b"\xff"])
def test_what_a_kill_cut_off_is_told(cut: bytes) -> None:
    with pytest.raises(ValueError, match="not an opening record"):
        lost_of(cut, "r", LATER, "gateway-lost")
