#!/usr/bin/env bash
# webauthn (py_webauthn) 3.0.1: a ceremony in a page that another origin embeds
#
# Expected: a response whose client data say `crossOrigin: true` is refused, unless the caller said that its pages may be
#           embedded. Web Authentication Level 3, sections 7.1 and 7.2: if crossOrigin is present and set to true, verify that
#           the relying party expects a credential of a frame that is not same-origin with its ancestors.
# Seen:     verify_registration_response and verify_authentication_response read the member and compare it with nothing; there is
#           no argument for it. A page that embeds the sign-in page gets responses that pass.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check webauthn==3.0.1 cryptography==50.0.2 cbor2==6.3.0

"$folder/venv/bin/python" - <<'PY'
import base64
import hashlib
import json
import sys

import cbor2
import webauthn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers.exceptions import WebAuthnException

HOST, ORIGIN, CHALLENGE, KEY_ID = "login.example", "https://login.example", b"c" * 32, b"k" * 16
VERIFIED, ATTESTED = 0x05, 0x40
key = ec.generate_private_key(ec.SECP256R1())


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def client_data(kind: str, cross_origin: bool) -> bytes:
    members = {"type": kind, "challenge": encode(CHALLENGE), "origin": ORIGIN, "crossOrigin": cross_origin}
    return json.dumps(members | ({"topOrigin": "https://other.example"} if cross_origin else {})).encode()


def authenticator_data(flags: int) -> bytes:
    return hashlib.sha256(HOST.encode()).digest() + bytes([flags]) + bytes(4)


def credential(response: dict[str, str]) -> dict[str, object]:
    return {"id": encode(KEY_ID), "rawId": encode(KEY_ID), "type": "public-key", "response": response}


def register(cross_origin: bool) -> webauthn.registration.verify_registration_response.VerifiedRegistration:
    """What a browser answers to navigator.credentials.create, verified."""
    public = key.public_key().public_numbers()
    cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")})
    attested = bytes(16) + len(KEY_ID).to_bytes(2, "big") + KEY_ID + cose
    attestation = {"fmt": "none", "attStmt": {}, "authData": authenticator_data(VERIFIED | ATTESTED) + attested}
    response = {
        "clientDataJSON": encode(client_data("webauthn.create", cross_origin)),
        "attestationObject": encode(cbor2.dumps(attestation)),
    }
    return webauthn.verify_registration_response(
        credential=credential(response),
        expected_challenge=CHALLENGE,
        expected_rp_id=HOST,
        expected_origin=ORIGIN,
        require_user_verification=True,
    )


def sign_in(public_key: bytes, cross_origin: bool) -> None:
    """What a browser answers to navigator.credentials.get, verified."""
    stated, data = client_data("webauthn.get", cross_origin), authenticator_data(VERIFIED)
    signature = key.sign(data + hashlib.sha256(stated).digest(), ec.ECDSA(hashes.SHA256()))
    response = {"clientDataJSON": encode(stated), "authenticatorData": encode(data), "signature": encode(signature)}
    webauthn.verify_authentication_response(
        credential=credential(response),
        expected_challenge=CHALLENGE,
        expected_rp_id=HOST,
        expected_origin=ORIGIN,
        credential_public_key=public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )


seen = {}
for cross_origin in (False, True):
    try:
        sign_in(register(cross_origin).credential_public_key, cross_origin)
        seen[cross_origin] = "accepted"
    except WebAuthnException as refused:
        seen[cross_origin] = f"refused: {refused}"
print(f"a page by itself:                        {seen[False]}")
print(f"a page that https://other.example embeds: {seen[True]}")
if seen != {False: "accepted", True: "accepted"}:
    sys.exit("webauthn no longer behaves as described")
PY
