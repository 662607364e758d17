"""What the ledger reads in a journal record, and what it refuses to make an entry of."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.ledger.domain.records import JournalRecord, UnusableRecord, read_message, read_record
from lienthong.ledger.events import JournalMessage
from lienthong.tlog import leaf_hash

CALL = (
    '{"v":1,"id":"019aaf2c-0000-7000-8000-000000000001","kind":"call","tx":"019aaf2c-0000-7000-8000-000000000002",'
    '"at":"2026-11-23T06:30:00.123456Z","node":"gateway-1","client":"H11.01/one-stop",'
    '"service":"H11.05/land/parcels-v1","operation":"getParcel","status":200,"error":"thửa"}'
).encode()


def record_of(**members: object) -> JournalRecord | UnusableRecord:
    return read_record(msgspec.json.encode({"id": "1", **members}))


def test_a_call_is_found_by_everything_it_is_searched_for() -> None:
    assert read_record(CALL) == JournalRecord(
        data=CALL,
        leaf=leaf_hash(CALL),
        record_id="019aaf2c-0000-7000-8000-000000000001",
        kind="call",
        tx="019aaf2c-0000-7000-8000-000000000002",
        client="H11.01/one-stop",
        client_agency="H11.01",
        service="H11.05/land/parcels-v1",
        provider_agency="H11.05",
        operation="getParcel",
        status=200,
        error="thửa",
        at=datetime(2026, 11, 23, 6, 30, 0, 123456, UTC),
    )


def test_who_administers_is_found_as_the_client() -> None:
    record = record_of(kind="admin", actor="operator", action="agreement.approve", object="Agreement/a")
    assert isinstance(record, JournalRecord)
    assert (record.client, record.client_agency) == ("operator", None)


@pytest.mark.parametrize("value", [None, 5, True, [], {}, "", "with \0 in it", "x" * 256])
def test_a_member_of_a_strange_kind_is_not_searchable_but_the_record_is_kept(value: object) -> None:
    record = record_of(client=value, service=value, kind=value, tx=value, operation=value, error=value)
    assert isinstance(record, JournalRecord)
    found = (record.client, record.service, record.kind, record.tx, record.operation, record.error)
    assert found == (None,) * 6


@pytest.mark.parametrize("value", ["200", 2.5, 2**31, -(2**40), 10**30, True, None])
def test_a_status_that_is_no_small_integer_is_not_searchable(value: object) -> None:
    record = record_of(status=value)
    assert isinstance(record, JournalRecord)
    assert record.status is None


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-11-23T06:30:00", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z", 5]
)
def test_a_time_that_is_no_moment_is_not_searchable(value: object) -> None:
    record = record_of(at=value)
    assert isinstance(record, JournalRecord)
    assert record.at is None


@pytest.mark.parametrize("at", ["2026-12-31T23:59:60Z", "2026-12-31T23:59:59.9999999Z"])
def test_a_time_that_a_datetime_cannot_hold_stays_in_its_second(at: str) -> None:
    record = record_of(at=at)
    assert isinstance(record, JournalRecord)
    assert record.at == datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a JSON object"),
        (b"{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"id":"1"} {"id":"2"}', "not a JSON object"),
        (b'{"id":"1","text":"\xff"}', "not a JSON object"),
        (b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "not a JSON object"),
        (b"{}", "no `id`"),
        (b'{"id":5}', "no `id`"),
        (b'{"id":""}', "no `id`"),
        (b'{"id":"a\\u0000b"}', "no `id`"),
        (b'{"id":"' + b"x" * 129 + b'"}', "no `id`"),
        (b'{"id":"1","text":"' + b"x" * 65_536 + b'"}', "65556 bytes"),
    ],
)
def test_what_cannot_be_an_entry_is_kept_with_the_reason(data: bytes, reason: str) -> None:
    found = read_record(data)
    assert isinstance(found, UnusableRecord)
    assert found.data == data
    assert reason in found.reason


def test_the_largest_entry_is_an_entry() -> None:
    data = b'{"id":"1","text":"'.ljust(65_533, b"x") + b'"}'
    assert len(data) == 65_535
    assert isinstance(read_record(data), JournalRecord)


@given(st.lists(st.one_of(st.just(CALL), st.binary(max_size=40)), max_size=8))
def test_no_byte_of_a_message_is_lost(parts: list[bytes]) -> None:
    payload = b"\n".join(parts)
    message = read_message(JournalMessage(7, payload))
    assert message.sequence == 7
    assert b"\n".join(item.data for item in message.records) == payload


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5
)


@given(st.dictionaries(st.sampled_from(["client", "service", "kind", "tx", "status", "at"]), json_values))
def test_any_object_with_an_id_becomes_an_entry_that_a_database_can_hold(members: dict[str, object]) -> None:
    record = record_of(**members)
    assert isinstance(record, JournalRecord)
    for text in (record.client, record.service, record.kind, record.tx, record.client_agency):
        assert text is None or (0 < len(text) <= 255 and "\0" not in text)
