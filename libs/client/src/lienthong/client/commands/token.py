"""`lienthong token`: an access token, for use with curl."""

import base64
import json
from typing import Any

from lienthong.client.commands import options


def token(
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """In một mã truy cập, để dùng với curl · Print an access token, for use with curl."""
    with options.open_client(as_, gateway, default=None) as client:
        found = client.token()
    screen = options.screen(as_json=as_json)
    document = {
        "access_token": found.value,
        "token_type": "Bearer",
        "expires_in": int(found.expires_in),
        "scope": found.scope,
        "claims": claims(found.value),
    }
    screen.result(document, lambda: screen.raw(f"{found.value}\n"))


def claims(value: str) -> dict[str, Any] | None:
    """The claims of a JWT, not verified (that is the gateway's business); none where it is no JWT."""
    try:
        payload = value.split(".")[1]
        document = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return None
    return document if isinstance(document, dict) else None
