"""The audit record of an administrative act: its exact bytes, which become an entry of the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from lienthong.kit.journal import LARGEST_RECORD, AdminAct, AdminRecord

AT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def encoded(act: AdminAct) -> bytes:
    return act.record(node="catalog", at=AT, record_id="i").encode()


def test_an_administrative_record_has_its_keys_in_the_order_of_the_schema() -> None:
    act = AdminAct("operator", "agreement.approve", "Agreement/a", {"lý do": "đúng\nluật"}, "t")
    assert encoded(act) == (
        b'{"v":1,"id":"i","kind":"admin","tx":"t","at":"2026-11-23T06:30:00.000000Z","node":"catalog",'
        b'"actor":"operator","action":"agreement.approve","object":"Agreement/a",'
        + '"detail":{"lý do":"đúng\\nluật"}}'.encode()
    )


def test_a_record_without_detail_has_no_such_member() -> None:
    assert encoded(AdminAct("operator", "system.suspend", "System/H11.05/land")) == (
        b'{"v":1,"id":"i","kind":"admin","tx":"i","at":"2026-11-23T06:30:00.000000Z","node":"catalog",'
        b'"actor":"operator","action":"system.suspend","object":"System/H11.05/land"}'
    )


def test_the_members_of_detail_keep_their_order() -> None:
    detail = {"z": 1, "a": [None, True, 1.5], "m": {"y": "", "b": "một cửa"}}
    assert encoded(AdminAct("a", "x", "o", detail)).endswith(
        ',"detail":{"z":1,"a":[null,true,1.5],"m":{"y":"","b":"một cửa"}}}'.encode()
    )


@pytest.mark.parametrize("sent", [None, "", "z" * 129, "a b", "a\n", "\0", "đ"])
def test_a_record_without_a_causing_request_is_its_own_transaction(sent: str | None) -> None:
    record = json.loads(encoded(AdminAct("a", "x", "o", tx=sent)))
    assert record["tx"] == record["id"]
    assert "detail" not in record


def test_a_record_larger_than_an_entry_of_the_log_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        encoded(AdminAct("a", "x", "o", {"x": "y" * LARGEST_RECORD}))


def test_a_record_can_be_read_back() -> None:
    act = AdminAct("operator", "agreement.approve", "Agreement/a", {"purposes": ["land-procedure"]}, "t")
    assert msgspec.json.decode(encoded(act), type=AdminRecord) == act.record(
        node="catalog", at=AT, record_id="i"
    )
