"""A token acknowledges the one event it was made for, in the one subscription, and cannot be made up."""

from __future__ import annotations

import base64
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.domain.ack_tokens import AckTokens, DeliveryTag, ForgedTokenError
from lienthong.exchange.errors import SecretUnusableError
from lienthong.exchange.service.ack_secret_file import load_ack_secret

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"s" * 32
TAG = DeliveryTag(7, "ab" * 32, "$JS.ACK.EVENTS.subscription-1.1.7.7.1790000000000000000.0")


def test_a_token_opens_to_the_delivery_it_was_issued_for() -> None:
    tokens = AckTokens(SECRET)
    assert tokens.open("one", tokens.issue("one", TAG)) == TAG


def test_a_token_still_opens_after_a_restart() -> None:
    assert AckTokens(SECRET).open("one", AckTokens(SECRET).issue("one", TAG)) == TAG


@pytest.mark.parametrize(("subscription", "secret"), [("two", SECRET), ("one", b"t" * 32)])
def test_it_is_good_for_no_other_subscription_and_under_no_other_secret(
    subscription: str, secret: bytes
) -> None:
    with pytest.raises(ForgedTokenError):
        AckTokens(secret).open(subscription, AckTokens(SECRET).issue("one", TAG))


@given(st.integers(0, 2000))
def test_any_changed_byte_is_noticed(place: int) -> None:
    tokens = AckTokens(SECRET)
    raw = bytearray(base64.urlsafe_b64decode(tokens.issue("one", TAG) + "=="))
    raw[place % len(raw)] ^= 1
    with pytest.raises(ForgedTokenError):
        tokens.open("one", base64.urlsafe_b64encode(bytes(raw)).decode())


_base64 = st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode())


@given(st.text(max_size=200) | _base64)
def test_what_was_not_issued_is_refused(token: str) -> None:
    with pytest.raises(ForgedTokenError):
        AckTokens(SECRET).open("one", token)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32"):
        AckTokens(b"short")
    file = tmp_path / "key"
    file.write_text("short\n")
    with pytest.raises(SecretUnusableError, match="32"):
        load_ack_secret(file, create=True)


def test_a_missing_secret_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "key"
    first = load_ack_secret(file, create=True)
    assert load_ack_secret(file, create=True) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_replicas_do_not_make_one_up(tmp_path: Path) -> None:
    with pytest.raises(SecretUnusableError, match="openssl"):
        load_ack_secret(tmp_path / "key", create=False)
