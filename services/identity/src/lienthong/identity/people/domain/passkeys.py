"""Passkeys: the ceremonies of WebAuthn Level 3 (§7.1, §7.2), by the library `webauthn`.

Two things the library leaves to who calls it: that the authenticator has checked the person, which makes a
passkey two factors, and that the page was not embedded in one of another origin (`crossOrigin`,
findings/webauthn-cross-origin.sh).
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

MOST_PASSKEYS: Final = 10
LARGEST_RESPONSE: Final = 16_384
"""Bytes of what a browser sends of a ceremony, as JSON; one with an attestation has about two thousand."""
LONGEST_CREDENTIAL_ID: Final = 1023
"""Bytes (WebAuthn Level 3 §4, credential ID)."""

_UNREADABLE: Final = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class PasskeyRefusedError(Exception):
    """The response of a ceremony does not prove what it should; the reason is for the log only."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: the host, the origin of its pages, and the name that the browser shows."""

    id: str
    origin: str
    name: str

    @classmethod
    def of(cls, public_url: str, name: str) -> Self:
        """The relying party whose pages lie under this address."""
        parts = urlsplit(public_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}", name)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A registered passkey. `sign_count` is what the authenticator said last."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def new_challenge() -> bytes:
    """The challenge of a ceremony (§13.4.3), 32 random bytes."""
    return secrets.token_bytes(32)


def registration_options(
    party: RelyingParty,
    *,
    person_id: str,
    login: str,
    name: str,
    challenge: bytes,
    existing: Sequence[bytes],
) -> dict[str, Any]:
    """What the page hands to `navigator.credentials.create`, in its JSON form."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_name=login,
        user_id=person_id.encode(),
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in existing],
    )
    return dict(options_to_json_dict(options))


def authentication_options(
    party: RelyingParty, *, challenge: bytes, allowed: Sequence[bytes]
) -> dict[str, Any]:
    """What the page hands to `navigator.credentials.get`; without `allowed` the person chooses a passkey."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options_to_json_dict(options))


def registered(party: RelyingParty, response: str, challenge: bytes) -> Passkey:
    """The passkey that a registration proves (§7.1).

    Raises:
        PasskeyRefusedError: it proves none.
    """
    try:
        document = _read(response)
        found = webauthn.verify_registration_response(
            credential=document,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise PasskeyRefusedError(str(error)) from error
    if not 0 < len(found.credential_id) <= LONGEST_CREDENTIAL_ID:
        raise PasskeyRefusedError("the credential id has no usable length")
    return Passkey(found.credential_id, found.credential_public_key, found.sign_count)


def credential_id_of(response: str) -> bytes:
    """Which passkey a response says that it is by; nothing is proved yet.

    Raises:
        PasskeyRefusedError: it is no response.
    """
    try:
        stated = _read(response)["rawId"]
        if not isinstance(stated, str):
            raise PasskeyRefusedError("the credential id is no text")
        return base64url_to_bytes(stated)
    except _UNREADABLE as error:
        raise PasskeyRefusedError(str(error)) from error


def authenticated(
    party: RelyingParty, response: str, challenge: bytes, passkey: Passkey, person_id: str
) -> int:
    """The new count of signatures; the response proves that the passkey was used for this challenge (§7.2).

    Raises:
        PasskeyRefusedError: it does not; also when the count has not grown, as of a copied authenticator.
    """
    try:
        document = _read(response)
        handle = document["response"].get("userHandle")
        if handle is not None and base64url_to_bytes(handle) != person_id.encode():
            raise PasskeyRefusedError("the passkey is someone else's")
        found = webauthn.verify_authentication_response(
            credential=document,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise PasskeyRefusedError(str(error)) from error
    return found.new_sign_count


def _read(response: str) -> dict[str, Any]:
    """The JSON object of a response of a page that stood by itself."""
    if len(response.encode("utf-8", "surrogatepass")) > LARGEST_RESPONSE:
        raise PasskeyRefusedError("too large")
    document = json.loads(response)
    if not isinstance(document, dict):
        raise PasskeyRefusedError("no JSON object")
    client_data = parse_client_data_json(base64url_to_bytes(document["response"]["clientDataJSON"]))
    if client_data.cross_origin:
        raise PasskeyRefusedError("it comes from a page that another origin embeds")
    return document
