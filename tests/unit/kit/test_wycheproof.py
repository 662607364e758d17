"""Project Wycheproof's vectors against what verifies tokens and assertions: `kit.jwk` and `kit.tokens`."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lienthong.kit.jwk import ALGORITHMS, KeyRefusedError, read_public_key
from lienthong.kit.jws import decoded, json_object, split
from lienthong.kit.tokens import KeySet, TokenRefusedError, _choose

FOLDER = Path(__file__).parent / "wycheproof"
OURS = {"typ": "at+jwt"}
"""The vectors have no type of token; ours is put in its place, so that the rest of the header decides."""
NOT_TAKEN = {"rfc7520", "rfc7520WithKeyOps"}
"""Their keys say another algorithm than their headers, or name none that is taken here."""


@cache
def groups(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def cases(name: str) -> list[Any]:
    return [
        pytest.param(group, test, id=f"{test[0]}-{group.get('comment', '')}-{test[1]}".replace(" ", "-"))
        for group in groups(name)
        for test in group["tests"]
    ]


def is_accepted(jwks: object, jws: str) -> bool:
    """Whether the verifier of access tokens accepts key, header and signature."""
    try:
        keys = KeySet.from_jwks(json.dumps(jwks))
        header_part, payload_part, signature_part = split(jws, 8192)
        key = _choose(json_object(header_part) | OURS, keys)
        signature = decoded(signature_part)
    except (ValueError, TokenRefusedError):
        return False
    return key.verifies(f"{header_part}.{payload_part}".encode("ascii"), signature)


@pytest.mark.parametrize(("group", "test"), cases("jws"))
def test_a_signature_is_accepted_only_if_it_is_good(group: dict[str, Any], test: list[Any]) -> None:
    _, comment, jws, result = test
    key = {name: value for name, value in group["key"].items() if name != "d"}
    taken = key.get("alg") in ALGORITHMS and group["comment"] not in NOT_TAKEN
    # Nothing is signed that has no payload.
    wanted = result == "valid" and taken and comment != "emptyPayload"
    assert is_accepted({"keys": [key]}, jws) is wanted


@pytest.mark.parametrize(("group", "test"), cases("jwk"))
def test_no_key_is_used_that_is_weak_or_for_something_else(group: dict[str, Any], test: list[Any]) -> None:
    """Those that are valid are of algorithms that are not taken here."""
    assert not is_accepted(group["set"], test[2])


@pytest.mark.parametrize(("group", "test"), cases("ed25519"))
def test_an_ed25519_signature_is_accepted_only_if_it_is_good(group: dict[str, Any], test: list[Any]) -> None:
    _, _, message, signature, result = test
    x = base64.urlsafe_b64encode(bytes.fromhex(group["pk"])).rstrip(b"=").decode()
    try:
        key = read_public_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    except KeyRefusedError:
        accepted = False
    else:
        accepted = key.verifies(bytes.fromhex(message), bytes.fromhex(signature))
    assert accepted is (result == "valid")
