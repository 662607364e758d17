"""What a gateway says of a caller's certificate is believed, and nothing that anyone else says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lienthong.kit.clock import ManualClock
from lienthong.kit.shown_certificate import CERTIFICATE_HEADER, ShownCertificates
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
def certificates(clock: ManualClock) -> ShownCertificates:
    return ShownCertificates(rpc_trust(), clock)


def test_what_a_gateway_wrote_is_read(certificates: ShownCertificates, clock: ManualClock) -> None:
    written = certificates.written(SHA256, TX)
    clock.jump(timedelta(seconds=-59))
    assert certificates.read([OF_TX, (FIELD, written)]) == SHA256
    clock.jump(timedelta(seconds=118))
    assert certificates.read([OF_TX, (FIELD, written)]) == SHA256


def test_without_the_field_there_is_no_certificate(certificates: ShownCertificates) -> None:
    assert certificates.read([OF_TX, (b"x-forwarded-client-cert", SHA256.encode())]) is None


def test_of_another_installation(certificates: ShownCertificates, clock: ManualClock) -> None:
    other = ShownCertificates(replace(rpc_trust(), token="another"), clock)
    assert certificates.read([OF_TX, (FIELD, other.written(SHA256, TX))]) is None


def test_for_another_transaction(certificates: ShownCertificates) -> None:
    other = (b"lgsp-transaction-id", TX.replace("8000", "8001").encode())
    written = certificates.written(SHA256, TX)
    assert certificates.read([other, (FIELD, written)]) is None
    assert certificates.read([(FIELD, written)]) is None
    assert certificates.read([OF_TX, OF_TX, (FIELD, written)]) is None


@pytest.mark.parametrize("later_s", [-61, 61])
def test_at_another_time(certificates: ShownCertificates, clock: ManualClock, later_s: int) -> None:
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
def test_a_value_that_was_changed(certificates: ShownCertificates, change: object) -> None:
    assert callable(change)
    changed = change(certificates.written(SHA256, TX))
    assert certificates.read([OF_TX, (FIELD, changed)]) is None


def test_two_of_them_are_none(certificates: ShownCertificates) -> None:
    written = (FIELD, certificates.written(SHA256, TX))
    assert certificates.read([OF_TX, written, written]) is None
