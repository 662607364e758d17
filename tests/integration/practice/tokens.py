"""Requests to the token endpoint, byte by byte."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from joserfc import jwt

from lienthong.client.assertions import ASSERTION_TYPE
from lienthong.kit.ids import uuid7
from tests.integration.practice.raw import body, exchange, head

if TYPE_CHECKING:
    from lienthong.client.credentials import PrivateKey
    from tests.support.platform import Platform

FORM = "application/x-www-form-urlencoded"


def assertion(
    platform: Platform, client_id: str, key: PrivateKey, *, kid: str | None = None, **claims: object
) -> str:
    """A signed assertion of this moment, good for a minute; `claims` take the place of the usual ones."""
    now = int(time.time())
    usual = {
        "iss": client_id,
        "sub": client_id,
        "aud": platform.gateway,
        "iat": now,
        "exp": now + 60,
        "jti": uuid7(),
    }
    return jwt.encode({"alg": "ES256"} | ({"kid": kid} if kid else {}), usual | claims, key)


def ask(platform: Platform, signed: str, content_type: str = FORM) -> bytes:
    """Ask for a token with an assertion; the bytes of the answer."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    }
    request = head("POST", "/oauth2/token", f"Content-Type: {content_type}", body=urlencode(form).encode())
    return exchange(platform.gateway, request)


def document(answer: bytes) -> dict[str, Any]:
    """The JSON object of an answer."""
    found: dict[str, Any] = json.loads(body(answer))
    return found
