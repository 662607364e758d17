"""Keys that callers state, entries as they are sealed, and how many keys a client begins."""

from __future__ import annotations

import pytest

from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.idempotency.counts import KeyCounts
from lienthong.gateway.idempotency.entry import Entry, Seal, State
from lienthong.gateway.idempotency.key import stated_key
from lienthong.gateway.repeatable import Repeatable
from lienthong.gateway.request_headers import RequestHeaders
from lienthong.kit.clock import ManualClock
from lienthong.kit.problems import ProblemError

ENTRY = Entry(State.ANSWERED, "tx-1", b"mark", 2.0, 1.0, 201, [b"\r\nx: ", b"1"], b"Nguyen Van A", dated=True)


def stating(*values: bytes) -> RequestHeaders:
    prefix = field_prefix(b"idempotency-key")
    return RequestHeaders([part for value in values for part in (prefix, value)], {})


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        (b'"8e03978e-40d5-43dd"', b"8e03978e-40d5-43dd"),
        (b"8e03978e-40d5-43dd", b"8e03978e-40d5-43dd"),
        (b' "a b" ', b"a b"),
        (rb'"a\"b\\c"', rb'a"b\c'),
        (b'"' + b"k" * 255 + b'"', b"k" * 255),
    ],
)
def test_a_key_is_a_string_with_or_without_its_quotation_marks(stated: bytes, key: bytes) -> None:
    assert stated_key(stating(stated)) == key


@pytest.mark.parametrize(
    "stated",
    [
        b"",
        b'""',
        b'"',
        b'"a',
        b'a"',
        b'"a"b"',
        rb'"a\b"',
        b"a b",
        b"a,b",
        b'"a", "b"',
        b'"\xc4\x91"',
        b"k" * 256,
    ],
)
def test_what_is_no_key_is_refused(stated: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        stated_key(stating(stated))
    assert refused.value.code == "malformed-request"


def test_two_keys_are_none() -> None:
    with pytest.raises(ProblemError):
        stated_key(stating(b"a", b"a"))
    assert stated_key(stating()) is None


def test_an_entry_is_opened_where_it_was_sealed_and_tells_nobody_else() -> None:
    seal = Seal(b"s" * 32)
    subject = seal.subject("H11.01/one-stop", "H11.05/land/parcels-v1", b"8e03978e")
    sealed = seal.sealed(subject, ENTRY)
    assert seal.opened(subject, sealed) == ENTRY
    assert Seal(b"s" * 32).opened(subject, sealed) == ENTRY
    for secret in (b"Nguyen", b"tx-1", b"one-stop", b"8e03978e"):
        assert secret not in sealed + subject.encode()
    for other in (Seal(b"t" * 32), seal):
        with pytest.raises(ValueError, match="cannot be opened"):
            other.opened(subject if other is not seal else subject + "0", sealed)
    with pytest.raises(ValueError, match="cannot be opened"):
        seal.opened(subject, sealed[:-1] + bytes((sealed[-1] ^ 1,)))


def test_a_key_is_each_clients_own_for_each_service() -> None:
    seal = Seal(b"s" * 32)
    places = {seal.subject(client, service, b"k") for client in ("A/a", "B/b") for service in ("S/s", "T/t")}
    assert len(places) == 4
    assert {place.split(".")[2] for place in places} == {
        seal.subject(client, "x", b"y").split(".")[2] for client in ("A/a", "B/b")
    }


def test_a_client_begins_so_many_keys_within_a_day() -> None:
    clock = ManualClock()
    counts = KeyCounts(2, clock.monotonic)
    for _ in range(2):
        assert counts.room("A/a")
        counts.add("A/a")
    assert not counts.room("A/a")
    assert counts.room("B/b")
    clock.advance(23 * 3600)
    assert not counts.room("A/a")
    clock.advance(2 * 3600)
    assert counts.room("A/a")


def test_what_is_counted_is_bounded() -> None:
    counts = KeyCounts(2, ManualClock().monotonic)
    for number in range(10_100):
        counts.add(f"A/{number}")
    assert len(counts._of) == 10_000


def test_without_names_all_operations_are_covered_that_change_something() -> None:
    every, one = Repeatable((), required=False, retain_s=60), Repeatable(("pay",), required=True, retain_s=60)
    assert [every.covers("x", method) for method in ("POST", "PATCH", "DELETE", "GET", "QUERY")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert (one.covers("pay", "POST"), one.covers("x", "POST")) == (True, False)
