"""What a caller showed, the certificate at the edge and the key of its DPoP proof, as the gateway tells it to
the platform's own services.

What they do with it, authenticate a client (RFC 8705 section 2) or take a token that is bound to it (RFC 8705
section 3, RFC 9449 section 7), is worth as much as the certainty that a gateway has written it. Their ports
are plain HTTP, so the value carries a code (HMAC-SHA-256) under a key that only processes of the installation
can form, from the token by which they know each other over gRPC. The code holds for the one transaction, and
for a minute.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.kit.ids import uuid7_time
from lienthong.kit.problems.problem import TRANSACTION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.kit.clock import Clock
    from lienthong.kit.rpc_trust import RpcTrust

CERTIFICATE_HEADER: Final = "LGSP-Client-Certificate"
"""SHA-256 of the certificate in hex, and the code."""
KEY_HEADER: Final = "LGSP-Client-Key"
"""RFC 7638 thumbprint of the key, and the code."""
_TRANSACTION: Final = TRANSACTION_HEADER.lower().encode()
_GOOD_FOR: Final = timedelta(minutes=1)
_CODE_DIGITS: Final = 64

_log = structlog.get_logger(__name__)


class ShownField:
    """Writes and reads a field that tells what a caller showed: the text, and the code in hex."""

    def __init__(self, header: str, purpose: bytes, trust: RpcTrust, clock: Clock) -> None:
        self._header = header
        self._field = header.lower().encode()
        self._key = hmac.digest(trust.token.encode(), purpose, "sha256")
        self._now = clock.now

    def written(self, text: str, tx: str) -> bytes:
        """The value of the field for one transaction."""
        return text.encode() + self._code(text.encode(), tx.encode())

    def read(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The text; None without one, and where no gateway has written it.

        Names of `headers` are in lower case.
        """
        values, transactions = [], []
        for name, value in headers:
            if name == self._field:
                values.append(value)
            elif name == _TRANSACTION:
                transactions.append(value)
        if not values:
            return None
        if len(values) == len(transactions) == 1:
            text, code, tx = values[0][:-_CODE_DIGITS], values[0][-_CODE_DIGITS:], transactions[0]
            if hmac.compare_digest(code, self._code(text, tx)) and self._is_recent(tx):
                return text.decode("ascii")
        _log.warning("not from a gateway of this installation, or too old", field=self._header)
        return None

    def _code(self, text: bytes, tx: bytes) -> bytes:
        return hmac.digest(self._key, text + b" " + tx, "sha256").hex().encode()

    def _is_recent(self, tx: bytes) -> bool:
        return abs(self._now() - uuid7_time(tx.decode("ascii"))) < _GOOD_FOR


class Shown:
    """The fields of one installation."""

    def __init__(self, trust: RpcTrust, clock: Clock) -> None:
        self.certificates = ShownField(
            CERTIFICATE_HEADER, b"lienthong: certificate shown at the edge", trust, clock
        )
        """Of the certificates that callers showed at the edge."""
        self.keys = ShownField(KEY_HEADER, b"lienthong: key of a DPoP proof", trust, clock)
        """Of the keys that callers have proved to hold."""
