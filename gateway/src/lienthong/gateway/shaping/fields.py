"""The header fields of calls whose answers are shaped, in both directions."""

from __future__ import annotations

from typing import Final

from lienthong.gateway.http1.fields import field_prefix

CONTENT_LENGTH: Final = field_prefix(b"content-length")
CONTENT_TYPE: Final = field_prefix(b"content-type")
_CODING: Final = field_prefix(b"content-encoding")
_ACCEPT_CODING: Final = field_prefix(b"accept-encoding")
_ETAG: Final = field_prefix(b"etag")
_WEAK: Final = b"W/"
_IDENTITY: Final = (b"identity", b"")

# Of a request: what asks for a part of the document, for a difference to another, or for its digest.
_NOT_ASKED: Final = frozenset(
    map(
        field_prefix,
        (
            b"accept-encoding", b"a-im", b"if-range", b"range", b"te", b"want-content-digest", b"want-digest",
            b"want-repr-digest",
        ),
    )
)  # fmt: skip
# Of an answer: what is true of the whole document only.
_OF_THE_WHOLE: Final = frozenset(
    map(
        field_prefix,
        (
            b"accept-ranges", b"content-digest", b"content-encoding", b"content-length", b"content-md5",
            b"content-range", b"delta-base", b"digest", b"im", b"repr-digest", b"signature",
            b"signature-input",
        ),
    )
)  # fmt: skip


class AnswerFields:
    """The fields of an answer, as written, as far as they hold for its shaped body."""

    __slots__ = ("coding", "fields", "media_type")

    def __init__(self, fields: list[bytes]) -> None:
        self.fields: list[bytes] = []
        """Without the length."""
        self.media_type: bytes | None = None
        """In lower case, without parameters; two of them make none that anyone knows."""
        self.coding = b""
        for prefix, value in zip(fields[::2], fields[1::2], strict=True):
            if prefix == _CODING:
                self.coding = (self.coding + b"," + value if self.coding else value).strip().lower()
            if prefix in _OF_THE_WHOLE:
                continue
            if prefix == CONTENT_TYPE:
                stated = value.partition(b";")[0].strip().lower()
                self.media_type = stated if self.media_type is None else b""
            elif prefix == _ETAG and not value.startswith(_WEAK):
                # Another agreement has other bytes of the same document (RFC 9110 section 8.8.1).
                value = _WEAK + value
            self.fields += (prefix, value)

    @property
    def coded(self) -> bool:
        """Whether the body is coded, as nobody has asked for."""
        return self.coding not in _IDENTITY

    @property
    def is_json(self) -> bool:
        """Whether the body is said to be one JSON document (RFC 8259, RFC 6839 section 3.1)."""
        media_type = self.media_type
        return media_type is not None and (media_type == b"application/json" or media_type.endswith(b"+json"))

    def without_type(self) -> list[bytes]:
        """The fields of an answer whose body is left out."""
        pairs = zip(self.fields[::2], self.fields[1::2], strict=True)
        return [part for pair in pairs if pair[0] != CONTENT_TYPE for part in pair]


def asked(fields: list[bytes]) -> list[bytes]:
    """The fields of a request, as written, that asks for the whole document as it is."""
    pairs = zip(fields[::2], fields[1::2], strict=True)
    kept = [part for pair in pairs if pair[0] not in _NOT_ASKED for part in pair]
    return [*kept, _ACCEPT_CODING, b"identity"]
