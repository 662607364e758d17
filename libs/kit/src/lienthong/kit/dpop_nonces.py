"""Nonces for DPoP proofs (RFC 9449 §8 and §9), which every process of the installation can judge by itself.

A nonce is the second in which it was given, and a code (HMAC-SHA-256) over that under a key which only
processes of the installation can form, from the token by which they know each other over gRPC. Nothing of it
is stored. Identity and the gateway, which callers reach at one address, take each other's: callers keep one
nonce for each address.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from lienthong.kit.jws import NotJwsError, base64url, decoded

if TYPE_CHECKING:
    from lienthong.kit.clock import Clock
    from lienthong.kit.rpc_trust import RpcTrust

GOOD_FOR_S: Final = 120
"""How long a proof may be made with a nonce. Each answer to a proof gives a newer one: whoever calls once in
two minutes is never refused for an old one."""
CLOCKS_DIFFER_S: Final = 10
"""How far the clock of another process of the installation may be ahead."""
_PURPOSE: Final = b"lienthong: DPoP nonce"
_TIME_BYTES, _CODE_BYTES = 5, 16
_CHARACTERS: Final = 28
_MOST_KNOWN: Final = 2 * (GOOD_FOR_S + CLOCKS_DIFFER_S)
"""Nonces whose code was checked; there is one for each second, and callers use it many times."""


class Nonces:
    """Gives nonces, and says of each when it was given."""

    def __init__(self, trust: RpcTrust, clock: Clock) -> None:
        self._key = hmac.digest(trust.token.encode(), _PURPOSE, "sha256")
        self._now = clock.now
        self._newest = (-1, "")
        self._known: dict[str, int] = {}

    def fresh(self) -> str:
        """The nonce of this second."""
        now = int(self._now().timestamp())
        if self._newest[0] != now:
            time = now.to_bytes(_TIME_BYTES)
            self._newest = now, base64url(time + self._code(time))
        return self._newest[1]

    def given(self, nonce: str) -> int | None:
        """When a nonce was given, in seconds since 1970; None for one that is too old or not of this
        installation."""
        given = self._known.get(nonce)
        if given is None:
            given = self._read(nonce)
            if given is None:
                return None
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[nonce] = given
        age = self._now().timestamp() - given
        return given if -CLOCKS_DIFFER_S <= age < GOOD_FOR_S else None

    def _read(self, nonce: str) -> int | None:
        """The second that a nonce of this installation says."""
        if len(nonce) != _CHARACTERS:
            return None
        try:
            octets = decoded(nonce)
        except NotJwsError:
            return None
        time, code = octets[:_TIME_BYTES], octets[_TIME_BYTES:]
        return int.from_bytes(time) if hmac.compare_digest(code, self._code(time)) else None

    def _code(self, time: bytes) -> bytes:
        return hmac.digest(self._key, time, "sha256")[:_CODE_BYTES]
