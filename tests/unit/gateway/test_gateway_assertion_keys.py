"""The keys of assertions: alike on every gateway, another one each day, known before they sign."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from lienthong.gateway.assertion_keys import PERIOD_S, AssertionKeys, assertion_secrets

if TYPE_CHECKING:
    from pathlib import Path

SECRET, OTHER = b"a" * 32, b"b" * 32
NOON = 20_000 * PERIOD_S + PERIOD_S / 2


def published(keys: AssertionKeys, at: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(keys.published(at))["keys"]
    return found


def ids(keys: AssertionKeys, at: float) -> set[str]:
    return {key["kid"] for key in published(keys, at)}


def test_gateways_with_one_secret_have_the_same_keys_also_after_a_restart() -> None:
    one, other = AssertionKeys([SECRET]), AssertionKeys([SECRET])
    assert one.published(NOON) == other.published(NOON)
    assert one.signing(NOON).kid == other.signing(NOON).kid
    assert ids(one, NOON).isdisjoint(ids(AssertionKeys([OTHER]), NOON))


def test_a_key_is_published_a_day_before_it_signs_and_a_day_after() -> None:
    keys = AssertionKeys([SECRET])
    signing = keys.signing(NOON).kid
    assert all(signing in ids(keys, NOON + days * PERIOD_S) for days in (-1, 0, 1))
    assert all(signing not in ids(keys, NOON + days * PERIOD_S) for days in (-2, 2))


def test_two_gateways_whose_clocks_differ_around_midnight_publish_the_key_of_either() -> None:
    midnight = 20_001 * PERIOD_S
    before, after = AssertionKeys([SECRET]), AssertionKeys([SECRET])
    assert before.signing(midnight - 5).kid != after.signing(midnight + 5).kid
    assert after.signing(midnight + 5).kid in ids(before, midnight - 5)
    assert before.signing(midnight - 5).kid in ids(after, midnight + 5)


def test_a_clock_that_is_set_back_signs_as_it_did_then() -> None:
    keys = AssertionKeys([SECRET])
    yesterday = keys.signing(NOON - PERIOD_S).kid
    keys.signing(NOON)
    assert keys.signing(NOON - PERIOD_S).kid == yesterday


def test_no_private_part_is_published_and_what_is_signed_verifies() -> None:
    keys = AssertionKeys([SECRET, OTHER])
    listed = published(keys, NOON)
    assert {tuple(sorted(key)) for key in listed} == {("alg", "crv", "kid", "kty", "use", "x", "y")}
    assert {(key["alg"], key["use"]) for key in listed} == {("ES256", "sig")}
    signer = keys.signing(NOON)
    header = jws.serialize_compact({"alg": "ES256", "kid": signer.kid}, b"x", _any_key()).split(".")[0]
    signed = f"{header}.eA".encode()
    text = signed + b"." + _base64url(signer.sign(signed))
    found = jws.deserialize_compact(text, KeySet.import_key_set({"keys": listed}), algorithms=["ES256"])
    assert found.payload == b"x"


def test_while_a_secret_is_replaced_the_keys_of_both_are_published_and_the_first_signs() -> None:
    before = AssertionKeys([SECRET])
    announced, changed = AssertionKeys([SECRET, OTHER]), AssertionKeys([OTHER, SECRET])
    assert announced.signing(NOON).kid == before.signing(NOON).kid
    assert changed.signing(NOON).kid in ids(announced, NOON)
    assert before.signing(NOON).kid in ids(changed, NOON)


def test_the_file_is_made_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "gateway" / "assertion.key"
    made = assertion_secrets(path)
    assert [len(secret) for secret in made] == [32]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert assertion_secrets(path) == made
    path.write_text(f"{SECRET.hex()}\n\n{OTHER.hex()}\n")
    assert assertion_secrets(path) == [SECRET, OTHER]


@pytest.mark.parametrize("secrets", [[], [b"short"], [SECRET] * 5])
def test_what_gives_no_security_is_refused(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="secret"):
        AssertionKeys(secrets)


def _any_key() -> Any:  # noqa: ANN401
    from joserfc.jwk import ECKey

    return ECKey.generate_key("P-256")


def _base64url(data: bytes) -> bytes:
    import base64

    return base64.urlsafe_b64encode(data).rstrip(b"=")
