"""A JSON document with only the fields that a tree of paths lets leave. No I/O.

Values that leave as a whole are copied as the provider wrote them and never built: numbers keep their digits.
All values at the same place of the tree are read in one go, however many elements their arrays have.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.kit.field_paths import FieldTree

_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\n\r"
_KEY: Final = re.compile(rb'"(?:[^"\\]|\\.)*":')
_NULL: Final = b"null"
_objects = msgspec.json.Decoder(list[dict[str, Raw] | None])
_arrays = msgspec.json.Decoder(list[list[Raw] | None])
_encode = msgspec.json.Encoder().encode

Text: TypeAlias = bytes | Raw
Shaped: TypeAlias = Raw | dict[str, Any] | list[Any] | UnsetType | None
"""What leaves of a value, still to be written; UNSET where nothing does."""


class UnfitError(ValueError):
    """The document cannot be shaped: it is not JSON as it has to be, or not what the paths are for."""


class _SpacedError(Exception):
    """The text has more in it than its values need: white space, escapes, or a name twice."""


def shaped(document: bytes, tree: FieldTree) -> tuple[bytes, int]:
    """What leaves of a document, and how many members and elements were taken out of what does.

    Where a path goes on into a value that is neither an object nor an array, as it says, the value is taken
    out; only null stays. The members of an object come in the order of the paths.

    Raises:
        UnfitError: the document is not JSON (RFC 8259) in UTF-8, has a name twice in an object that paths go
            into, is nested too deeply to be read, or is nothing that a path goes into.
    """
    document = document.removeprefix(_BOM)
    try:
        if not document.isascii():
            document.decode()
        try:
            return _shaped(document, tree, compact=False)
        except _SpacedError:
            return _shaped(msgspec.json.format(document, indent=-1), tree, compact=True)
    except UnicodeDecodeError:
        raise UnfitError("it is not UTF-8") from None
    except RecursionError:
        raise UnfitError("it is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise UnfitError(f"it is not JSON: {error}") from None


def bare(document: bytes) -> bytes:
    """A document without what may stand around its value, such as the line end that some writers add."""
    return document.removeprefix(_BOM).strip(_SPACE)


def _shaped(document: bytes, tree: FieldTree, *, compact: bool) -> tuple[bytes, int]:
    if tree.whole:
        # Everything leaves; that it is JSON is looked at all the same.
        msgspec.json.decode(document, type=Raw)
        return document, 0
    shaping = _Shaping(compact=compact)
    (value,) = shaping.values(tree, [document.strip(_SPACE)])
    if value is UNSET:
        raise UnfitError("it is not what the agreement's fields are in")
    return _encode(value), shaping.removed


class _Shaping:
    def __init__(self, *, compact: bool) -> None:
        self.removed = 0
        self._compact = compact
        """Whether the white space of the document was taken out."""

    def values(self, tree: FieldTree, texts: list[Text]) -> list[Shaped]:
        """What leaves of each of some values, given as they were written, at one place of the tree."""
        if tree.whole:
            return list(map(_raw, texts))
        into_objects = bool(tree.members) or tree.every is not None
        if into_objects != (tree.elements is not None):
            try:
                return self._objects(tree, texts) if into_objects else self._arrays(tree, texts)
            except msgspec.ValidationError:
                # Not all of them are what the paths are for.
                pass
        return self._by_kind(tree, texts, into_objects=into_objects)

    def _by_kind(self, tree: FieldTree, texts: list[Text], *, into_objects: bool) -> list[Shaped]:
        found: list[Shaped] = [UNSET] * len(texts)
        of_kind: dict[bytes, list[int]] = {b"{": [], b"[": []}
        for number, text in enumerate(texts):
            start = bytes(memoryview(text)[:1])
            if start in of_kind:
                of_kind[start].append(number)
            elif start == b"n" and bytes(text) == _NULL:
                found[number] = None
            elif start.isspace():
                raise _SpacedError
        if into_objects:
            of_them = of_kind[b"{"]
            for number, value in zip(of_them, self._objects(tree, [texts[n] for n in of_them]), strict=True):
                found[number] = value
        if tree.elements is not None:
            of_them = of_kind[b"["]
            for number, value in zip(of_them, self._arrays(tree, [texts[n] for n in of_them]), strict=True):
                found[number] = value
        return found

    def _objects(self, tree: FieldTree, texts: list[Text]) -> list[Shaped]:
        joined = _list_of(texts)
        objects = _objects.decode(joined)
        _check_count(texts, objects)
        if len(_encode(objects)) != len(joined):
            self._check_once(texts, objects)
        if tree.every is not None:
            return self._every(tree.every, objects)
        members = tree.members
        for name, part in members.items():
            if not part.whole:
                self._part(name, part, objects)
        found: list[Shaped] = []
        for each in objects:
            if each is None:
                found.append(None)
                continue
            left = {name: each[name] for name in members if name in each}
            self.removed += len(each) - len(left)
            found.append(left)
        return found

    def _part(self, name: str, part: FieldTree, objects: list[dict[str, Any] | None]) -> None:
        """Put what leaves of one member in its place."""
        having = [each for each in objects if each is not None and name in each]
        for each, value in zip(having, self.values(part, [each[name] for each in having]), strict=True):
            if value is UNSET:
                del each[name]
                self.removed += 1
            else:
                each[name] = value

    def _every(self, part: FieldTree, objects: list[dict[str, Any] | None]) -> list[Shaped]:
        if part.whole:
            return list(objects)
        values = iter(self.values(part, [value for each in objects if each for value in each.values()]))
        found: list[Shaped] = []
        for each in objects:
            if each is None:
                found.append(None)
                continue
            pairs = zip(each, islice(values, len(each)), strict=True)
            left = {name: value for name, value in pairs if value is not UNSET}
            self.removed += len(each) - len(left)
            found.append(left)
        return found

    def _arrays(self, tree: FieldTree, texts: list[Text]) -> list[Shaped]:
        joined = _list_of(texts)
        arrays = _arrays.decode(joined)
        _check_count(texts, arrays)
        if len(_encode(arrays)) != len(joined) and not self._compact:
            raise _SpacedError
        part = tree.elements
        if part is None or part.whole:
            return list(arrays)
        values = iter(self.values(part, [value for each in arrays if each for value in each]))
        found: list[Shaped] = []
        for each in arrays:
            if each is None:
                found.append(None)
                continue
            left = [value for value in islice(values, len(each)) if value is not UNSET]
            self.removed += len(each) - len(left)
            found.append(left)
        return found

    def _check_once(self, texts: Iterable[Text], objects: Iterable[dict[str, Any] | None]) -> None:
        """Refuse a name that an object has twice (RFC 8259 section 4): others might take the other value.

        An object that was read has one value of each name, in the order of the text. So its text can be gone
        through member by member, unless there was another.
        """
        if not self._compact:
            raise _SpacedError
        for text, each in zip(texts, objects, strict=True):
            if each is not None and not _is_all(bytes(text), each):
                raise UnfitError("a name comes twice in an object")


def _check_count(texts: list[Text], values: list[Any]) -> None:
    """Refuse a document of none or several values; what was read of another value is one anyway."""
    if len(values) != len(texts):
        raise UnfitError("it is not one JSON value")


def _is_all(text: bytes, members: dict[str, Raw]) -> bool:
    """Whether an object's text, without white space, has these members and no others."""
    at = 1
    for name, value in members.items():
        key = _KEY.match(text, at)
        written = bytes(value)
        if key is None or json.loads(key[0][:-1]) != name or not text.startswith(written, key.end()):
            return False
        at = key.end() + len(written) + 1
    return at == max(len(text), 2) if members else text == b"{}"


def _raw(text: Text) -> Raw:
    return text if isinstance(text, Raw) else Raw(text)


def _list_of(texts: list[Text]) -> bytes:
    return b"[" + b",".join(texts) + b"]"
