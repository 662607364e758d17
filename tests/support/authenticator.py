"""A passkey authenticator in software, written from WebAuthn Level 3 alone: what a browser would send.

It signs with ES256 and gives no attestation, as browsers do when a page asks for none.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One passkey. What its responses say can be changed, for responses that must be refused."""

    origin: str
    host: str
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sign_count: int = 0
    user_handle: bytes = b""
    verified: bool = True

    def create(self, options: dict[str, Any], **client: object) -> str:
        """`navigator.credentials.create` (§5.1.3), as JSON."""
        self.user_handle = options["user"]["id"].encode()
        public = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cbor2.dumps(cose)
        data = self._data(ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._response(
            {
                "clientDataJSON": b64url(self._client("webauthn.create", options, client)),
                "attestationObject": b64url(attestation),
                "transports": ["internal"],
            }
        )

    def get(self, options: dict[str, Any], **client: object) -> str:
        """`navigator.credentials.get` (§5.1.4), as JSON."""
        self.sign_count += 1
        client_data = self._client("webauthn.get", options, client)
        data = self._data(0)
        signed = data + hashlib.sha256(client_data).digest()
        return self._response(
            {
                "clientDataJSON": b64url(client_data),
                "authenticatorData": b64url(data),
                "signature": b64url(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                # The handle in the options is base64url already, and is given back so.
                "userHandle": self.user_handle.decode(),
            }
        )

    def _client(self, kind: str, options: dict[str, Any], changed: dict[str, object]) -> bytes:
        members = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
            **changed,
        }
        return json.dumps(members).encode()

    def _data(self, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verified else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4)

    def _response(self, response: dict[str, object]) -> str:
        return json.dumps(
            {
                "id": b64url(self.credential_id),
                "rawId": b64url(self.credential_id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
                "authenticatorAttachment": "platform",
            }
        )
