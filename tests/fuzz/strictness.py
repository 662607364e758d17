"""Where h11 and the gateway differ in what they take of a caller; whatever else differs is a finding.

The gateway takes one way of writing things where RFC 9112 lets a reader be lenient, and h11 some more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fuzz.service import MAX_HEAD

if TYPE_CHECKING:
    from tests.fuzz.readers import Message
    from tests.fuzz.service import Call

# Sections 2.2, 5.2 and 5.5: LF alone, folded lines, CR and other control characters within a line.
_LENIENT_LINES = re.compile(rb"(?<!\r)\n|\r\n[ \t]|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"QUERY")
_VERSIONS = (b"1.0", b"1.1")
_MOST_DIGITS = 18


def explains(reason: str, message: Message, stream: bytes) -> bool:
    """Whether this flaw, or reason of no request, is one that h11 does not see in a request."""
    method, target, version = message.start
    if reason == "METHOD":
        return method not in _METHODS
    if reason == "CONNECT":
        return method == b"CONNECT"
    if reason == "TARGET":
        return b"#" in target or not target.startswith(b"/")
    if reason == "LENGTH":
        return _length_is_unclear(message, stream)
    if reason == "EXPECT":
        return any(name.lower() == b"expect" for name, _ in message.fields)
    if reason == "TOO_LARGE":
        return len(stream) > MAX_HEAD
    if reason == "version":
        return version not in _VERSIONS
    return reason in ("FIELDS", "malformed", "TOO_SLOW", "tls") and _LENIENT_LINES.search(stream) is not None


def _length_is_unclear(message: Message, stream: bytes) -> bool:
    """Section 6: more than one length, a coding beside one or over HTTP/1.0, or too many digits.

    h11 makes one of equal lengths: so it is looked for in the stream.
    """
    values = {name.lower(): value for name, value in message.fields}
    coded, lengths = b"transfer-encoding" in values, stream.lower().count(b"content-length")
    digits = len(values.get(b"content-length", b""))
    return lengths > 1 or (coded and (lengths > 0 or message.start[2] == b"1.0")) or digits > _MOST_DIGITS


def of_h11(refused: str, call: Call) -> bool:
    """Whether h11 refuses what the gateway takes, or what its stages refuse."""
    if "Host" in refused:
        return sum(name == b"host" for name, _ in call.fields) != 1
    if "Transfer-Encoding" in refused:
        codings = [value.lower() for name, value in call.fields if name == b"transfer-encoding"]
        return codings not in ([], [b"chunked"])
    # More than one empty line before a request (section 2.2).
    return refused == "no request line received"
