"""The certificate that a caller showed at the edge, as the gateway tells it to the platform's own services.

What they do with it, authenticate a client (RFC 8705 section 2) or take a token that is bound to it (section
3), is worth as much as the certainty that a gateway has written it. Their ports are plain HTTP, so the value
carries a code (HMAC-SHA-256) under a key that only processes of the installation can form, from the token by
which they know each other over gRPC. The code holds for the one transaction, and for a minute.
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
_FIELD: Final = CERTIFICATE_HEADER.lower().encode()
_TRANSACTION: Final = TRANSACTION_HEADER.lower().encode()
_PURPOSE: Final = b"lienthong: certificate shown at the edge"
_GOOD_FOR: Final = timedelta(minutes=1)
_DIGITS: Final = 64

_log = structlog.get_logger(__name__)


class ShownCertificates:
    """Writes and reads the field LGSP-Client-Certificate: SHA-256 of the certificate and code, in hex."""

    def __init__(self, trust: RpcTrust, clock: Clock) -> None:
        self._key = hmac.digest(trust.token.encode(), _PURPOSE, "sha256")
        self._now = clock.now

    def written(self, sha256: str, tx: str) -> bytes:
        """The value of the field for one transaction."""
        return sha256.encode() + self._code(sha256.encode(), tx.encode())

    def read(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The SHA-256 of the certificate, in hex; None without one, and where no gateway has written it.

        Names of `headers` are in lower case.
        """
        certificates, transactions = [], []
        for name, value in headers:
            if name == _FIELD:
                certificates.append(value)
            elif name == _TRANSACTION:
                transactions.append(value)
        if not certificates:
            return None
        if len(certificates) == len(transactions) == 1:
            sha256, code, tx = certificates[0][:_DIGITS], certificates[0][_DIGITS:], transactions[0]
            if hmac.compare_digest(code, self._code(sha256, tx)) and self._is_recent(tx):
                return sha256.decode("ascii")
        _log.warning("not from a gateway of this installation, or too old", field=CERTIFICATE_HEADER)
        return None

    def _code(self, sha256: bytes, tx: bytes) -> bytes:
        return hmac.digest(self._key, sha256 + b" " + tx, "sha256").hex().encode()

    def _is_recent(self, tx: bytes) -> bool:
        return abs(self._now() - uuid7_time(tx.decode("ascii"))) < _GOOD_FOR
