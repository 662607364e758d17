"""DPoP proofs as callers make them, and as they should not (RFC 9449 §4)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from joserfc.jws import JWSRegistry

from lienthong.kit.ids import uuid7

if TYPE_CHECKING:
    from datetime import datetime

    from joserfc.jwk import ECKey, OKPKey, RSAKey

_ALGORITHMS = {"EC": "ES256", "OKP": "EdDSA", "RSA": "PS256"}


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def ath(token: str) -> str:
    return encoded(hashlib.sha256(token.encode()).digest())


def proof(
    key: ECKey | OKPKey | RSAKey,
    method: str,
    address: str,
    *,
    now: datetime,
    nonce: str | None = None,
    token: str | None = None,
    header: dict[str, Any] | None = None,
    **claims: object,
) -> str:
    """A proof for one request, but for the changed members; `...` leaves one out."""
    algorithm = _ALGORITHMS[key.key_type]
    head = {"typ": "dpop+jwt", "alg": algorithm, "jwk": key.as_dict(private=False), **(header or {})}
    said: dict[str, object] = {"jti": uuid7(), "htm": method, "htu": address, "iat": int(now.timestamp())}
    if nonce is not None:
        said["nonce"] = nonce
    if token is not None:
        said["ath"] = ath(token)
    said |= claims
    parts = [{name: value for name, value in part.items() if value is not ...} for part in (head, said)]
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{encoded(JWSRegistry.algorithms[algorithm].sign(signed.encode(), key))}"
