"""What a provider's answer says of its own address, as callers reach it: Location and Content-Location.

RFC 9110 sections 10.2.2 and 8.7. A provider knows itself by the address that the call was forwarded to; there
callers do not come, and are not told where it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from lienthong.gateway.http1.address import Address

LOCATIONS: Final = frozenset((b"location", b"content-location"))
"""The names of the fields."""
_WRITTEN: Final = frozenset(map(field_prefix, LOCATIONS))

# RFC 3986 section 4.2: with an authority, with a scheme or without one.
_WITH_AUTHORITY = re.compile(rb"(?:(https?):)?//([^/?#]*)", re.IGNORECASE)
_END_OF_PATH = re.compile(rb"[?#]")
_DOTS = re.compile(rb"[/\\](?:\.|%2e){1,2}(?![^/;\\])", re.IGNORECASE)
_NOT_FIRST: Final = b"/\\\t "
"""What at the beginning of a path would make it the name of another host, for some readers."""


def public_locations(fields: list[bytes], address: Address, prefix: bytes) -> list[bytes]:
    """Fields, as written, of an answer from `address`, with its locations as callers reach them.

    `prefix` is the path under which callers call the service, without a `/` at the end.
    """
    found = list(fields)
    for at in range(0, len(found), 2):
        if found[at] in _WRITTEN:
            found[at + 1] = public_location(found[at + 1], address, prefix)
    return found


def public_location(value: bytes, address: Address, prefix: bytes) -> bytes:
    """A location of an answer from `address`, as callers reach it.

    What lies below the address lies below `prefix` for callers. They get a path, so that they stay with the
    host that they called. What else the address's own origin has is nowhere at the gateway: its path alone is
    left. The rest comes back untouched: other origins, and relative references, which are right as they are.
    """
    absolute = _WITH_AUTHORITY.match(value)
    if absolute is None:
        return (_public_path(value, address, prefix) or value) if value.startswith(b"/") else value
    if not _is_origin(absolute[1], absolute[2], address):
        return value
    rest = value[absolute.end() :]
    return _public_path(rest, address, prefix) or b"/" + rest.lstrip(_NOT_FIRST)


def _public_path(reference: bytes, address: Address, prefix: bytes) -> bytes | None:
    """A path, query and fragment as callers reach them; None: they are not below the address."""
    # Frameworks that are told the prefix put it before the path that they got.
    told = _is_below(prefix, reference)
    rest = reference[len(prefix) :] if told else reference
    if _is_below(address.path, rest):
        return prefix + rest[len(address.path) :]
    return reference if told else None


def _is_below(base: bytes, reference: bytes) -> bool:
    path = _END_OF_PATH.split(reference, 1)[0]
    return path.startswith(base) and path[len(base) :][:1] in (b"", b"/") and _DOTS.search(path) is None


def _is_origin(scheme: bytes | None, authority: bytes, address: Address) -> bool:
    """Whether they name the origin of the address (RFC 6454 section 4), its usual port said or not."""
    own = b"https" if address.origin.tls else b"http"
    if scheme is not None and scheme.lower() != own:
        return False
    shown = address.authority
    return authority.lower() in (shown, b"%b:%d" % (shown, address.origin.port))
