"""What a gateway says of a caller's certificate or key is believed, and nothing that anyone else says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lienthong.kit.clock import ManualClock
from lienthong.kit.shown import CERTIFICATE_HEADER, KEY_HEADER, Shown, ShownField
from tests.support.rpc import rpc_trust

SHA256 = "ab" * 32
TX = "0193582c-b340-7000-8000-000000000000"
"""Of 23 November 2024, 06:30 UTC."""
FIELD = CERTIFICATE_HEADER.lower().encode()
OF_TX = (b"lgsp-transaction-id", TX.encode())


@pytest.fixture
def clock() -> ManualClock:
    from lienthong.kit.ids import uuid7_time

    return ManualClock(uuid7_time(TX))


@pytest.fixture
def certificates(clock: ManualClock) -> ShownField:
    return Shown(rpc_trust(), clock).certificates


def test_what_a_gateway_wrote_is_read(certificates: ShownField, clock: ManualClock) -> None:
    written = certificates.written(SHA256, TX)
    clock.jump(timedelta(seconds=-59))
    assert certificates.read([OF_TX, (FIELD, written)]) == SHA256
    clock.jump(timedelta(seconds=118))
    assert certificates.read([OF_TX, (FIELD, written)]) == SHA256


def test_without_the_field_there_is_no_certificate(certificates: ShownField) -> None:
    assert certificates.read([OF_TX, (b"x-forwarded-client-cert", SHA256.encode())]) is None


def test_of_another_installation(certificates: ShownField, clock: ManualClock) -> None:
    other = Shown(replace(rpc_trust(), token="another"), clock).certificates
    assert certificates.read([OF_TX, (FIELD, other.written(SHA256, TX))]) is None


def test_for_another_transaction(certificates: ShownField) -> None:
    other = (b"lgsp-transaction-id", TX.replace("8000", "8001").encode())
    written = certificates.written(SHA256, TX)
    assert certificates.read([other, (FIELD, written)]) is None
    assert certificates.read([(FIELD, written)]) is None
    assert certificates.read([OF_TX, OF_TX, (FIELD, written)]) is None


@pytest.mark.parametrize("later_s", [-61, 61])
def test_at_another_time(certificates: ShownField, clock: ManualClock, later_s: int) -> None:
    written = certificates.written(SHA256, TX)
    clock.jump(timedelta(seconds=later_s))
    assert certificates.read([OF_TX, (FIELD, written)]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda value: b"",
        lambda value: value[:64],
        lambda value: value[:-1],
        lambda value: value + b"0",
        lambda value: b"cd" * 32 + value[64:],
        lambda value: value.upper(),
        lambda value: b"\xff" * 128,
        lambda value: SHA256.encode() * 2,
    ],
)
def test_a_value_that_was_changed(certificates: ShownField, change: object) -> None:
    assert callable(change)
    changed = change(certificates.written(SHA256, TX))
    assert certificates.read([OF_TX, (FIELD, changed)]) is None


def test_two_of_them_are_none(certificates: ShownField) -> None:
    written = (FIELD, certificates.written(SHA256, TX))
    assert certificates.read([OF_TX, written, written]) is None


def test_a_key_is_told_in_a_field_of_its_own_and_is_no_certificate(clock: ManualClock) -> None:
    shown = Shown(rpc_trust(), clock)
    thumbprint = "x" * 43
    written = shown.keys.written(thumbprint, TX)
    assert shown.keys.read([OF_TX, (KEY_HEADER.lower().encode(), written)]) == thumbprint
    assert shown.certificates.read([OF_TX, (FIELD, written)]) is None
    as_key = (KEY_HEADER.lower().encode(), shown.certificates.written(SHA256, TX))
    assert shown.keys.read([OF_TX, as_key]) is None
