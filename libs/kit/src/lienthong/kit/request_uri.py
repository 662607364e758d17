"""Comparing the address of a request with one that was stated, without query and fragment (RFC 3986 §6.2)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

MAX_URI: Final = 4096
"""Characters; a path that the gateway takes is shorter."""
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def normal_uri(text: str) -> str | None:
    """An http or https URI in one spelling, without its query and fragment; None for what is none.

    Scheme and host in lower case, the default port left out, an empty path written `/`, percent-encoding in
    capitals and only where it is needed, dot segments removed (RFC 3986 §6.2.2 and §6.2.3).
    """
    if len(text) > MAX_URI or not _PRINTABLE.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        host = f"{host}:{port}"
    return f"{scheme}://{host}{_without_dots(_ENCODED.sub(_spelled, parts.path))}"


def _spelled(encoded: re.Match[str]) -> str:
    character = chr(int(encoded[1], 16))
    return character if character in _UNRESERVED else encoded[0].upper()


def _without_dots(path: str) -> str:
    """A path without the segments `.` and `..` (RFC 3986 §5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
