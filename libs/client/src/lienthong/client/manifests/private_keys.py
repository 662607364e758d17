"""Private keys that stand where public ones belong: they never leave this machine."""

from __future__ import annotations

from typing import Any

from lienthong.client.errors import Text

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
REFUSED = Text(
    "đây là khoá bí mật; nó chưa được gửi đi đâu. Hãy dùng public.jwks",
    "this is a private key; it was sent nowhere. Name public.jwks here",
)


def take_out(spec: dict[str, Any]) -> bool:
    """Empty a System's `jwks` that holds anything private; say whether it did."""
    jwks = spec.get("jwks")
    if not isinstance(jwks, dict):
        return False
    keys = jwks.get("keys")
    for key in (jwks, *(keys if isinstance(keys, list) else ())):
        if isinstance(key, dict) and not _PRIVATE.isdisjoint(key):
            spec["jwks"] = {"keys": []}
            return True
    return False
