"""Writing a request to a provider (RFC 9112): its head in one piece, and the framing of its body.

Nothing else in the gateway writes HTTP to providers. Whatever reaches a head from outside goes through here,
so this is where it is made sure that no value begins a line of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.fields import field_prefix, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.http1.address import Address

_METHODS_WITH_CONTENT = frozenset(("PATCH", "POST", "PUT", "QUERY"))
"""Requests of these methods say `Content-Length: 0` when they have no body (RFC 9110 section 8.6)."""
_CONTENT_LENGTH: Final = field_prefix(b"content-length")
_AUTHORIZATION: Final = field_prefix(b"authorization")
_CHUNKED: Final = field_prefix(b"transfer-encoding") + b"chunked"
_END_OF_HEAD: Final = b"\r\n\r\n"


class ProviderRequest:
    """A request, complete but for the address of the provider that will take it."""

    __slots__ = ("after_host", "method", "target")

    def __init__(self, method: bytes, target: bytes, after_host: bytes) -> None:
        self.method = method
        self.target = target
        """The path below the provider's base address, with the query."""
        self.after_host = after_host
        """Everything behind the Host field."""

    def to(self, address: Address) -> bytes:
        """The bytes for a provider at `address`: request line, Host (RFC 9112 section 3.2), the rest."""
        return b"%b %b%b HTTP/1.1\r\nhost: %b%b" % (
            self.method,
            address.path,
            self.target,
            address.authority,
            self.after_host,
        )


def provider_request(
    method: str,
    target: bytes,
    passed: Sequence[bytes],
    own: Sequence[bytes],
    *,
    authorization: bytes | None,
    length: int | None,
    body: bytes,
) -> ProviderRequest:
    """Write a request.

    `passed` holds the caller's fields, `own` the gateway's own, as they are written. `length` is the size of
    the body in bytes, None when it is sent in chunks. `body` is the body itself as far as it is known: all of
    it, or nothing when it is sent afterwards.

    Raises:
        RuntimeError: one of the gateway's own values holds a line break. The catalog and the stages accept
            none, but one that came all the same would speak in the gateway's name.
    """
    parts = [*passed, joined(own)]
    if authorization is not None:
        parts += (_AUTHORIZATION, authorization)
    if length is None:
        parts.append(_CHUNKED)
    elif length or method in _METHODS_WITH_CONTENT:
        parts += (_CONTENT_LENGTH, b"%d" % length)
    parts += (_END_OF_HEAD, body)
    return ProviderRequest(method.encode(), target, b"".join(parts))


def chunk(data: bytes) -> bytes:
    """One part of a body of undeclared length (RFC 9112 section 7.1). `data` must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK: Final = b"0\r\n\r\n"
"""The end of a body of undeclared length, without trailers."""
