"""Refusing every request path that two readers could understand differently.

The gateway decides on a path and the provider acts on it; whatever one of them would decode, collapse or
strip and the other would not is a way around an agreement. So nothing is rewritten here: a path is either
in normal form, and then goes to the provider byte for byte, or it is refused.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_PLAIN = (
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    b"-._~"  # unreserved, RFC 3986 section 2.3
    b"!$&'()*+,;=:@"  # what else a path segment may hold unencoded, RFC 3986 section 3.3
    b"/%"
)
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})?")
_ENCODED_TWICE = re.compile(rb"%25(?:25)*(?:2[EeFf]|5[Cc]|00)")
# CPython 3.11 finds a number in bytes many times faster than it tells whether other bytes are in them.
_PERCENT, SEMICOLON = ord("%"), ord(";")
_FORBIDDEN_OCTETS = frozenset((*range(0x20), 0x7F, ord("."), ord("/"), ord("\\")))


class PathNotNormalError(ValueError):
    """The path is not in normal form; the message says why and ends up in the problem's detail."""


def check_normal(path: bytes) -> None:
    """Refuse a raw (still percent-encoded) path that is not in normal form.

    Normal means: absolute, only the characters of RFC 3986 section 3.3, no empty segment but a last one,
    no `.` or `..` segment (also not followed by `;`, which some servers strip), every percent-encoding
    complete, none that stands for `.`, `/`, `\\` or a control character (also not when decoded twice), and
    the decoded bytes are UTF-8.

    Raises:
        PathNotNormalError: with the reason.
    """
    if not path.startswith(b"/"):
        raise PathNotNormalError("it does not start with /")
    if path.translate(None, _PLAIN):
        raise PathNotNormalError("it holds a character that has to be percent-encoded")
    if path.find(b"//") >= 0:
        raise PathNotNormalError("it has an empty segment (//)")
    if path.find(b"/.") >= 0 and any(_is_dots(segment) for segment in path.split(b"/")):
        raise PathNotNormalError("it has a . or .. segment")
    if _PERCENT in path:
        _check_encodings(path)


def _is_dots(segment: bytes) -> bool:
    return segment.split(b";", 1)[0] in (b".", b"..")


def _check_encodings(path: bytes) -> None:
    for encoding in _ENCODED.finditer(path):
        digits = encoding[1]
        if digits is None:
            raise PathNotNormalError("it has an incomplete percent-encoding")
        if int(digits, 16) in _FORBIDDEN_OCTETS:
            raise PathNotNormalError(
                f"it has an encoded dot, slash, backslash or control character (%{digits.decode()})"
            )
    if _ENCODED_TWICE.search(path):
        raise PathNotNormalError("it has a dot, slash or backslash that is encoded twice")
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise PathNotNormalError("its percent-encodings are not UTF-8") from None


def without_parameters(path: bytes) -> bytes:
    """The path as servers read it that strip what follows a `;` from each segment before they route.

    `b"/parcels;v=1/7"` gives `b"/parcels/7"`.
    """
    return b"/".join(segment.split(b";", 1)[0] for segment in path.split(b"/"))


def decoded_segments(path: bytes) -> list[bytes]:
    """The segments of a normal path after the leading slash, percent-decoded.

    `b"/parcels/%C4%91/"` gives `[b"parcels", b"\\xc4\\x91", b""]`.
    """
    segments = path[1:].split(b"/")
    if _PERCENT in path:
        return [unquote_to_bytes(segment) for segment in segments]
    return segments
