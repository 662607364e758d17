"""What the edge in front of the gateway says of a caller: its address, and the certificate that it showed.

Fields with these names mean nothing from anyone else: they are read only of requests that came over the
edge's own socket, which nobody but the edge can open.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADDRESSES: Final = b"x-forwarded-for"
_CERTIFICATE: Final = b"x-forwarded-client-cert"
_PAIR: Final = re.compile(rb'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)(;|$)')
"""One fact about a certificate, as Envoy writes it: key, value, perhaps in quotes."""
_THUMBPRINT: Final = re.compile(r"[0-9a-f]{64}")
_MAX_SUBJECT: Final = 1_024


class Certificate:
    """A client's certificate, which the edge has checked against the authorities that it trusts."""

    __slots__ = ("sha256", "subject")

    def __init__(self, sha256: str, subject: str) -> None:
        self.sha256 = sha256
        """Of its DER form, in hex (RFC 8705 section 3.1 writes the same in base64url)."""
        self.subject = subject
        """The distinguished name as RFC 2253 writes it."""


def caller_behind(
    fields: Sequence[tuple[bytes, bytes]],
) -> tuple[str | None, Certificate | None]:
    """The address and the certificate of a caller, by the fields that the edge wrote.

    The edge appends the address from which it was called to X-Forwarded-For, so that the last one is its own
    word, and replaces X-Forwarded-Client-Cert.

    Raises:
        ProblemError: malformed-request, when the edge does not replace them, or writes them differently.
    """
    addresses = certificates = b""
    for name, value in fields:
        if name == _ADDRESSES:
            addresses = value
        elif name == _CERTIFICATE:
            if certificates:
                raise _misled()
            certificates = value
    return _address(addresses), _certificate(certificates) if certificates else None


def _address(addresses: bytes) -> str | None:
    last = addresses.rsplit(b",", 1)[-1].strip().decode("latin-1")
    try:
        return str(ipaddress.ip_address(last)) if last else None
    except ValueError:
        raise _misled() from None


def _certificate(value: bytes) -> Certificate:
    facts: dict[bytes, str] = {}
    at = 0
    while at < len(value):
        pair = _PAIR.match(value, at)
        if pair is None:
            # A comma stands between two certificates: the first one would be the caller's own word.
            raise _misled()
        facts.setdefault(pair[1].lower(), _text(pair[2]))
        at = pair.end()
    sha256 = facts.get(b"hash", "").lower()
    if not _THUMBPRINT.fullmatch(sha256):
        raise _misled()
    return Certificate(sha256, facts.get(b"subject", "")[:_MAX_SUBJECT])


def _text(value: bytes) -> str:
    if value.startswith(b'"'):
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    return value.decode("utf-8", "replace")


def _misled() -> Exception:
    return problems.malformed_request(
        "The edge in front of the gateway has to append to X-Forwarded-For, and to replace"
        " X-Forwarded-Client-Cert by the one certificate that it has checked.",
        "Cửa ngõ (edge) trước cổng phải ghi thêm vào X-Forwarded-For và thay X-Forwarded-Client-Cert bằng"
        " chính chứng thư mà nó đã kiểm tra.",
    )
