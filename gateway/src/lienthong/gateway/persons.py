"""The persons that a call names: where its operation has them, and what of them is recorded.

A person is recorded as a keyed hash of the normal form of what names it, so that it is found however that was
written: percent-encoding is undone, what surrounds it of white space (Unicode's White_Space) is left out, and
upper and lower case are the same (Unicode's full case folding, before and after it Normalization Form C).
Bytes that are no UTF-8 stay as they are.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from unicodedata import normalize
from urllib.parse import unquote_to_bytes

from lienthong.gateway.paths import SEMICOLON, decoded_segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.gateway.privacy import Privacy
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.kit.field_paths import FieldTree
    from lienthong.kit.json_text import Json

MOST: Final = 100
"""Persons that are recorded one by one."""
_WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000"
)
_PARAMETER: Final = re.compile(r"\{([^{}]*)\}")
_ASCII_WHITE_SPACE: Final = b"\t\n\v\f\r "


class PathValue:
    """A parameter in the path: the `number`th of those in a segment, which has `literals` around them."""

    __slots__ = ("_literals", "_number", "_segment", "_separator")

    def __init__(self, segment: int, literals: Sequence[bytes], number: int, separator: bytes) -> None:
        self._segment = segment
        self._literals = literals
        self._number = number
        self._separator = separator

    @classmethod
    def named(cls, template: str, name: str, separator: bytes = b"") -> PathValue:
        """The parameter of that name in a path template.

        Raises:
            ValueError: the template has none.
        """
        for index, segment in enumerate(template.lstrip("/").split("/")):
            names = _PARAMETER.findall(segment)
            if name in names:
                literals = [unquote_to_bytes(text) for text in _PARAMETER.split(segment)[::2]]
                return cls(index, literals, names.index(name), separator)
        raise ValueError(f"{template} has no parameter {name}")

    def values(self, segments: Sequence[bytes]) -> list[bytes]:
        """Its values in the decoded segments of a path that the operation's template matches."""
        found = self.text(segments)
        if SEMICOLON in found:
            # Some servers take what follows it for parameters of the segment, and leave it out.
            return [*_split(found, self._separator), found.split(b";", 1)[0]]
        return _split(found, self._separator)

    def text(self, segments: Sequence[bytes]) -> bytes:
        """All that stands in its place, in the decoded segments."""
        text = segments[self._segment]
        at, end = len(self._literals[0]), len(text) - len(self._literals[-1])
        for number, literal in enumerate(self._literals[1:-1]):
            # As the operation is found: the first place of each literal that leaves something before it.
            next_literal = text.find(literal, at + 1, end)
            if number == self._number:
                return text[at:next_literal]
            at = next_literal + len(literal)
        return text[at:end]


class PersonPlaces:
    """Where the calls of an operation name persons.

    `query` and `headers` give the separator of values (empty: there is one) by the name of a parameter, and
    by the `field_prefix` of a header field.
    """

    __slots__ = ("_headers", "_path", "_query", "answer", "in_bodies", "request")

    def __init__(
        self,
        path: Sequence[PathValue],
        query: Mapping[bytes, bytes],
        headers: Mapping[bytes, bytes],
        request: FieldTree | None,
        answer: FieldTree | None,
    ) -> None:
        self._path = path
        self._query = query
        self._headers = headers
        self.request = request
        """In the JSON document that is the request's body."""
        self.answer = answer
        """In that of the answer."""
        self.in_bodies = request is not None or answer is not None

    def stated(self, path: bytes, query: bytes, headers: RequestHeaders) -> Persons:
        """The persons that a request names outside of its body: by its path below the service, its query with
        the question mark, and its header fields."""
        found: list[bytes] = []
        if self._path:
            segments = decoded_segments(path)
            for place in self._path:
                found += place.values(segments)
        if self._query and query:
            for pair in query[1:].split(b"&"):
                name, _, value = pair.partition(b"=")
                separator = self._query.get(query_text(name))
                if separator is not None:
                    found += _split(query_text(value), separator)
        for prefix, separator in self._headers.items():
            for value in headers.passed_values(prefix):
                found += _split(value, separator)
        persons = Persons()
        # At once: of many persons each addition costs as much as all of them.
        persons.add(found)
        return persons


class Persons:
    """The persons that a call names, each once."""

    __slots__ = ("_digest", "_forms", "unread")

    def __init__(self) -> None:
        self._forms: set[bytes] = set()
        self._digest: bytes | None = None
        self.unread: list[str] = []
        """The bodies that could not be read: `request`, `answer`."""

    def add(self, values: list[bytes]) -> None:
        """Add what names persons, as it was written, percent-encoding undone.

        Of tens of thousands this takes its time: not on the event loop.
        """
        forms = self._forms
        forms.update(map(normal_form, values))
        forms.discard(b"")
        # What the record needs of many, formed here and not where the record is.
        self._digest = _digest(forms) if len(forms) > MOST else None

    def hashes(self, privacy: Privacy) -> list[str] | None:
        """The keyed hash of each; None where there is none, or more than are recorded one by one."""
        if not self._forms or self._digest is not None:
            return None
        return [privacy.hashed(form) for form in sorted(self._forms)]

    def count(self) -> int | None:
        """How many there are, where they are more."""
        return len(self._forms) if self._digest is not None else None

    def commitment(self, privacy: Privacy) -> str | None:
        """What tells, where they are more, whether a list of persons is this one, to whoever has the key: the
        keyed hash of the SHA-256 digest of the netstrings of their normal forms, ordered by their bytes."""
        return privacy.hashed(self._digest) if self._digest is not None else None


def normal_form(value: bytes) -> bytes:
    """The form in which a person is hashed; empty where nothing is left."""
    if value.isascii():
        return value.strip(_ASCII_WHITE_SPACE).lower()
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value
    return normalize("NFC", normalize("NFC", text).casefold()).strip(_WHITE_SPACE).encode()


def named_in(document: Json, tree: FieldTree) -> list[bytes]:
    """What a JSON document has at these places: text, and the digits of whole numbers."""
    found: list[bytes] = []
    stack = [(document, tree)]
    while stack:
        value, place = stack.pop()
        if place.whole:
            if isinstance(value, str):
                found.append(value.encode(errors="replace"))
            elif isinstance(value, int) and not isinstance(value, bool):
                found.append(b"%d" % value)
        elif isinstance(value, dict):
            if place.every is not None:
                stack += [(part, place.every) for part in value.values()]
            stack += [(value[name], part) for name, part in place.members.items() if name in value]
        elif isinstance(value, list) and place.elements is not None:
            stack += [(part, place.elements) for part in value]
    return found


def _digest(forms: set[bytes]) -> bytes:
    return sha256(b"".join(b"%d:%b," % (len(form), form) for form in sorted(forms))).digest()


def _split(value: bytes, separator: bytes) -> list[bytes]:
    return value.split(separator) if separator else [value]


def query_text(text: bytes) -> bytes:
    """Text of a query, as forms and OpenAPI write it."""
    if b"+" in text:
        text = text.replace(b"+", b" ")
    return unquote_to_bytes(text) if b"%" in text else text
