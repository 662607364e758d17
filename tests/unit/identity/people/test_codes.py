"""Codes and tokens: TOTP after the vectors of RFC 6238, recovery codes, and what is stored of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from lienthong.identity.people.domain.secrets import (
    MOST_RECOVERY_CODES,
    digest,
    new_recovery_codes,
    new_token,
    recovery_digest,
)
from lienthong.identity.people.domain.totp import (
    STEP_S,
    matching_step,
    new_secret,
    provisioning_uri,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238 appendix B, SHA-1: the last six of eight digits.
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
}


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert matching_step(SECRET, code, now=at(seconds), after=0) == seconds // STEP_S


@pytest.mark.parametrize(
    ("late", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False), (86_400, False)]
)
def test_a_clock_may_differ_by_one_step(late: int, taken: bool) -> None:
    found = matching_step(SECRET, VECTORS[1234567890], now=at(1234567890 + late), after=0)
    assert (found is not None) is taken


def test_a_code_is_good_once_and_so_are_those_before_it() -> None:
    now, code = at(1234567890), VECTORS[1234567890]
    step = matching_step(SECRET, code, now=now, after=0)
    assert step is not None
    assert matching_step(SECRET, code, now=now, after=step) is None
    assert matching_step(SECRET, code, now=now, after=step + 1) is None


@pytest.mark.parametrize(
    "code",
    [
        "",
        "00592",
        "0059245",
        "00592x",
        "-05924",
        "+05924",
        "5.9e24",
        "００５９２４",
        "٠٠٥٩٢٤",
        "\u00b205924",
        "0x5924",
        "000000",
        "005924\0",
        "1" * 1_000_000,
        "\ud800" * 6,
    ],
)
def test_what_is_no_code_of_this_moment_is_refused(code: str) -> None:
    assert matching_step(SECRET, code, now=at(1234567890), after=0) is None


def test_a_code_may_be_written_in_two_groups() -> None:
    assert matching_step(SECRET, " 005 924", now=at(1234567890), after=0) is not None


def test_a_telephone_reads_the_secret_and_whose_it_is() -> None:
    secret = new_secret()
    uri = provisioning_uri(secret, login="an@example.vn", issuer="Liên thông")
    assert len(base64.b32decode(secret)) == 20
    assert uri.startswith("otpauth://totp/Li%C3%AAn%20th%C3%B4ng:an%40example.vn?")
    assert f"secret={secret}" in uri


def test_recovery_codes_are_ten_different_ones_of_eighty_bits() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == MOST_RECOVERY_CODES == 10
    for code in codes:
        assert len(base64.b32decode(code.replace("-", ""))) == 10


@pytest.mark.parametrize(
    "typed", ["ABCO-EFGI-IJKB-MNOP", "abco efgi ijkb mnop", "ABC0-EFG1-IJK8-MNOP", "  abc0efg1ijk8mnop "]
)
def test_a_recovery_code_may_be_typed_as_people_type(typed: str) -> None:
    assert recovery_digest(typed) == recovery_digest("ABCOEFGIIJKBMNOP")


def test_another_recovery_code_has_another_digest() -> None:
    assert recovery_digest("ABCO-EFGI-IJKB-MNOQ") != recovery_digest("ABCO-EFGI-IJKB-MNOP")


def test_a_token_has_256_bits_and_any_text_a_digest() -> None:
    token = new_token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert new_token(lambda count: bytes(count)) == "A" * 43
    assert len({digest(one) for one in (token, "", "\ud800", "x" * 1_000_000)}) == 4
