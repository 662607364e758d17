"""Passkeys: both ceremonies, with an authenticator written from the specification, and what is refused."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.identity.people.domain.passkeys import (
    LARGEST_RESPONSE,
    Passkey,
    PasskeyRefusedError,
    RelyingParty,
    authenticated,
    authentication_options,
    credential_id_of,
    new_challenge,
    registered,
    registration_options,
)
from tests.support.authenticator import Authenticator

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN, HOST = "https://lgsp.example", "lgsp.example"
PARTY = RelyingParty.of(f"{ORIGIN}/some/path", "Liên thông")
PERSON = "0193a2b4-0000-7000-8000-000000000001"
CHALLENGE = new_challenge()


def creation() -> dict[str, Any]:
    return registration_options(
        PARTY, person_id=PERSON, login="an@example.vn", name="An", challenge=CHALLENGE, existing=[]
    )


def request() -> dict[str, Any]:
    return authentication_options(PARTY, challenge=CHALLENGE, allowed=[])


def with_passkey(**changed: Any) -> tuple[Authenticator, Passkey]:  # noqa: ANN401
    authenticator = Authenticator(ORIGIN, HOST)
    passkey = registered(PARTY, authenticator.create(creation()), CHALLENGE)
    for name, value in changed.items():
        setattr(authenticator, name, value)
    return authenticator, passkey


def test_the_relying_party_is_the_host_and_origin_of_the_public_address() -> None:
    assert (PARTY.id, PARTY.origin) == (HOST, ORIGIN)
    assert RelyingParty.of("http://localhost:8080", "x").origin == "http://localhost:8080"


def test_the_options_demand_a_passkey_that_checks_the_person() -> None:
    options = creation()
    assert options["rp"] == {"id": HOST, "name": "Liên thông"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert request()["userVerification"] == "required"


def test_a_passkey_is_registered_and_then_signs_in() -> None:
    authenticator, passkey = with_passkey()
    assert passkey.credential_id == authenticator.credential_id
    response = authenticator.get(request())
    assert credential_id_of(response) == passkey.credential_id
    assert authenticated(PARTY, response, CHALLENGE, passkey, PERSON) == 1


def test_an_authenticator_that_counts_nothing_signs_in_again_and_again() -> None:
    authenticator, passkey = with_passkey()
    for _ in range(2):
        authenticator.sign_count = -1
        assert authenticated(PARTY, authenticator.get(request()), CHALLENGE, passkey, PERSON) == 0


REFUSED_REGISTRATIONS: dict[str, Callable[[], str]] = {
    "another origin": lambda: Authenticator("https://lgsp.example.evil", HOST).create(creation()),
    "another port": lambda: Authenticator(f"{ORIGIN}:8443", HOST).create(creation()),
    "plain http": lambda: Authenticator("http://lgsp.example", HOST).create(creation()),
    "another host": lambda: Authenticator(ORIGIN, "evil.example").create(creation()),
    "a page inside another's": lambda: Authenticator(ORIGIN, HOST).create(creation(), crossOrigin=True),
    "the other ceremony": lambda: Authenticator(ORIGIN, HOST).create(creation(), type="webauthn.get"),
    "another challenge": lambda: Authenticator(ORIGIN, HOST).create(creation(), challenge="AAAA"),
    "a challenge that is no text": lambda: Authenticator(ORIGIN, HOST).create(creation(), challenge=1),
    "an origin that is no text": lambda: Authenticator(ORIGIN, HOST).create(creation(), origin=[ORIGIN]),
    "the person was not checked": lambda: Authenticator(ORIGIN, HOST, verified=False).create(creation()),
    "an empty credential id": lambda: Authenticator(ORIGIN, HOST, credential_id=b"").create(creation()),
}


@pytest.mark.parametrize("make", REFUSED_REGISTRATIONS.values(), ids=REFUSED_REGISTRATIONS)
def test_what_does_not_prove_a_new_passkey_registers_none(make: Callable[[], str]) -> None:
    with pytest.raises(PasskeyRefusedError):
        registered(PARTY, make(), CHALLENGE)


REFUSED_SIGN_INS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "another origin": ({"origin": "https://lgsp.example.evil"}, {}),
    "another host": ({"host": "evil.example"}, {}),
    "a page inside another's": ({}, {"crossOrigin": True}),
    "the other ceremony": ({}, {"type": "webauthn.create"}),
    "another challenge": ({}, {"challenge": "AAAA"}),
    "the person was not checked": ({"verified": False}, {}),
    "another key": ({"key": Authenticator(ORIGIN, HOST).key}, {}),
    "another person's handle": ({"user_handle": b"AAAA"}, {}),
}


@pytest.mark.parametrize(("changed", "client"), REFUSED_SIGN_INS.values(), ids=REFUSED_SIGN_INS)
def test_what_does_not_prove_the_passkey_is_refused(
    changed: dict[str, object], client: dict[str, object]
) -> None:
    authenticator, passkey = with_passkey(**changed)
    with pytest.raises(PasskeyRefusedError):
        authenticated(PARTY, authenticator.get(request(), **client), CHALLENGE, passkey, PERSON)


def test_a_count_that_does_not_grow_shows_a_copied_authenticator() -> None:
    authenticator, passkey = with_passkey()
    known = Passkey(passkey.credential_id, passkey.public_key, 7)
    authenticator.sign_count = 6
    with pytest.raises(PasskeyRefusedError):
        authenticated(PARTY, authenticator.get(request()), CHALLENGE, known, PERSON)


def changed(path: str, value: object) -> str:
    """A response of both ceremonies' members, of which one is something else."""
    document = json.loads(Authenticator(ORIGIN, HOST).get({"challenge": "AAAA"}))
    document["response"]["attestationObject"] = "AAAA"
    *parents, last = path.split(".")
    at = document
    for name in parents:
        at = at[name]
    at[last] = value
    return json.dumps(document)


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


UNREADABLE = {
    "empty": "",
    "no JSON": "{",
    "null": "null",
    "a list": "[]",
    "a number": "1",
    "an empty object": "{}",
    "too large": json.dumps({"id": "x" * LARGEST_RESPONSE}),
    "halves of surrogate pairs": '{"rawId": "\ud800"}',
    "lists in lists": "[" * 5_000 + "]" * 5_000,
    "no response": changed("response", None),
    "a response that is text": changed("response", "x"),
    "an id that is a number": changed("id", 1),
    "another id than rawId": changed("id", "AAAA"),
    "a rawId that is a list": changed("rawId", []),
    "another type": changed("type", "password"),
    "client data that are a number": changed("response.clientDataJSON", 1),
    "client data that are no JSON": changed("response.clientDataJSON", encoded(b"{")),
    "client data that are no UTF-8": changed("response.clientDataJSON", encoded(b"\xff\xfe")),
    "client data that are a list": changed("response.clientDataJSON", encoded(b"[]")),
    "client data without members": changed("response.clientDataJSON", encoded(b"{}")),
    "authenticator data that are short": changed("response.authenticatorData", "AAAA"),
    "authenticator data that are no text": changed("response.authenticatorData", {}),
    "a signature that is no base64url": changed("response.signature", "§"),
    "a user handle that is a number": changed("response.userHandle", 7),
    "an attestation of a huge length": changed(
        "response.attestationObject", encoded(b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff")
    ),
    "an attestation that nests": changed("response.attestationObject", encoded(b"\x81" * 9_000)),
    "an attestation of a shared value that is itself": changed(
        "response.attestationObject", encoded(b"\xd8\x1c\x81\xd8\x1d\x00")
    ),
}


@pytest.mark.parametrize("response", UNREADABLE.values(), ids=UNREADABLE)
def test_whatever_comes_instead_of_a_response_is_refused(response: str) -> None:
    _, passkey = with_passkey()
    with pytest.raises(PasskeyRefusedError):
        registered(PARTY, response, CHALLENGE)
    with pytest.raises(PasskeyRefusedError):
        authenticated(PARTY, response, CHALLENGE, passkey, PERSON)


@pytest.mark.parametrize("response", ["", "null", "[]", "{}", '{"rawId": 1}', changed("rawId", [])])
def test_what_names_no_passkey_is_refused(response: str) -> None:
    with pytest.raises(PasskeyRefusedError):
        credential_id_of(response)
