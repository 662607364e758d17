"""JSON documents read into types that are made of agreed paths and of names known before. No I/O.

msgspec reads those objects fastest whose names it knows. Two types are made of each place of a tree where
objects are. One has the members that leave, and passes over all others, in C. The other has all members that
objects there have been seen with: it tells whether anything was passed over that nobody looked at. What it
has read is written again, and is as long as the document only if this has no other member, no name twice, and
no white space or escape that names and brackets can do without. In it the members are counted that stay here.

What types cost is bounded for a whole tree: one takes some 20 µs and 2.5 KB, and 4 µs and 0.6 KB more for
each name.
"""

from __future__ import annotations

import re
from functools import reduce
from itertools import chain, islice
from operator import attrgetter, or_
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lienthong.kit.field_paths import FieldTree

MOST_PLACES: Final = 32
"""Of a tree. Types of more are not made: they would take longer than most documents."""
MOST_NAMES: Final = 64
"""At one place. Objects with a name for each person or parcel have more, and the next one has others."""
MOST_NAMES_OF_TREE: Final = 256
"""At all its places together, those of its paths among them."""
WEIGHT_OF_PLACE: Final = 8
"""In names: a place without any takes as much memory as so many names, of 0.6 to 1.2 KB each."""
_MOST_MEMBERS_OF_BYTE: Final = 4
"""Values of types have room for all their names, 8 bytes each, even where an object has none of them."""
_MOST_CHARACTERS: Final = 128
_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')
"""In names that msgspec's types cannot have."""
_encode = msgspec.json.Encoder().encode


class _Room:
    """How many names may still be learnt at all places of a tree together."""

    def __init__(self, names: int) -> None:
        self.names = names


class Place:
    """A place on the way of paths, and what objects there have been seen with."""

    def __init__(self, tree: FieldTree, room: _Room | None = None) -> None:
        self._room = room or _Room(MOST_NAMES_OF_TREE - size(tree)[1])
        self.tree = tree
        self.members = {name: _place(part, self._room) for name, part in tree.members.items()}
        """The places below, by name; None for what leaves as a whole."""
        self.every = _place(tree.every, self._room)
        self.elements = _place(tree.elements, self._room)
        self._seen: dict[str, bool] = {}
        """Whether all objects had the name."""
        self._looked = False
        self.types: dict[bool, Any] = {}
        """What values are read into, with the members that do not leave or without; made when asked for."""

    @property
    def is_knowable(self) -> bool:
        """Whether types can have the names of all paths."""
        return all(map(_is_name, self.members)) and all(place.is_knowable for place in self._below)

    @property
    def weight(self) -> int:
        """Of this place and those below, in names."""
        return WEIGHT_OF_PLACE + len(self.names) + sum(place.weight for place in self._below)

    @property
    def widest(self) -> int:
        """The most names of a place, of this and those below."""
        return max(len(self.names), *(place.widest for place in self._below), 0)

    @property
    def _below(self) -> list[Place]:
        return [place for place in (*self.members.values(), self.every, self.elements) if place is not None]

    @property
    def names(self) -> list[str]:
        """In the order in which documents had them first, as msgspec looks for the next name first."""
        return list(dict.fromkeys((*self._seen, *self.members)))

    def others(self, *, always: bool) -> list[str]:
        """The names that do not leave, of those that all objects had, or not all."""
        return [name for name, of_all in self._seen.items() if of_all is always and name not in self.members]

    def learn(self, values: list[Any]) -> int:
        """Note the names of objects that are read from JSON.

        Returns the weight of the places whose types have to be made anew: 0 where nothing is learnt.
        """
        objects = [value for value in values if isinstance(value, dict)]
        new = 0
        if self.members and objects:
            for name, place in self.members.items():
                if place is not None:
                    new += place.learn([each[name] for each in objects if name in each])
        if self.every is not None:
            new += self.every.learn([value for each in objects for value in each.values()])
        if self.elements is not None:
            arrays = (value for value in values if isinstance(value, list))
            new += self.elements.learn(list(chain.from_iterable(arrays)))
        if (self.members and objects and self._learn_names(objects)) or new:
            # Types of others stay; those without the members that do not leave have nothing to learn.
            self.types.pop(True, None)
            new += WEIGHT_OF_PLACE + len(self.names)
        return new

    def _learn_names(self, objects: list[dict[str, Any]]) -> bool:
        before = self._seen.copy()
        found = (name for name in dict.fromkeys(chain.from_iterable(objects)) if name not in self._seen)
        for name in islice(found, MOST_NAMES):
            new = name not in self.members
            if len(self._seen) < MOST_NAMES and _is_name(name) and self._room.names >= new:
                self._room.names -= new
                self._seen[name] = not self._looked
        for name, of_all in self._seen.items():
            self._seen[name] = of_all and all(name in each for each in objects)
        self._looked = True
        return self._seen != before


def size(tree: FieldTree) -> tuple[int, int]:
    """How many places a tree has, and how many names at all of them."""
    places = names = 0
    parts = [tree]
    while parts:
        part = parts.pop()
        if not part.whole:
            places += 1
            names += len(part.members)
            parts.extend(part.members.values())
            parts.extend(below for below in (part.every, part.elements) if below is not None)
    return places, names


def is_sparse(document: bytes, widest: int) -> bool:
    """Whether the values of types would take far more memory than a document.

    That is where it has many small objects, and some place has many names.
    """
    return document.count(b"{") * widest > _MOST_MEMBERS_OF_BYTE * len(document)


class Structures:
    """The types of a tree, as long as nothing new is learnt of it."""

    def __init__(self, root: Place) -> None:
        self._widest = root.widest
        self._all = msgspec.json.Decoder(_type(root, whole=True)).decode
        self._left = msgspec.json.Decoder(_type(root, whole=False)).decode
        self._others = _Others(root)

    def shaped(self, document: bytes) -> tuple[bytes, int] | None:
        """What leaves of a bare document in UTF-8, and how many members do not; None: nobody knows.

        Nothing else is taken out: where values are not what the paths are for, nobody knows.
        """
        if is_sparse(document, self._widest):
            return None
        try:
            value = self._all(document)
            if len(_encode(value)) != len(document):
                document = msgspec.json.format(document, indent=-1)
                value = self._all(document)
                if len(_encode(value)) != len(document):
                    return None
            removed = self._others.count([value])
            # Else both values would be there at once.
            del value
            return _encode(self._left(document)), removed
        except (msgspec.DecodeError, RecursionError):
            return None


class _Others:
    """Counts the members that do not leave, of values that were read with all of them."""

    def __init__(self, place: Place) -> None:
        fields = {name: _field(number) for number, name in enumerate(place.names)}
        others = [fields[name] for name in place.others(always=False)]
        self._always = len(place.others(always=True))
        self._get: Callable[[Any], Any] | None = attrgetter(*others) if others else None
        self._several = len(others) > 1
        self._below = [
            (attrgetter(fields[name]), below)
            for name, part in place.members.items()
            if (below := _others(part)) is not None
        ]
        self._every = _others(place.every)
        self._elements = _others(place.elements)
        self._mixed = place.tree.elements is not None and (
            bool(place.members) or place.tree.every is not None
        )
        self.is_needed = bool(self._always or others or self._below or self._every or self._elements)

    def count(self, values: Iterable[Any]) -> int:
        """How many there are; of null, and of what an object lacks, none."""
        arrays = objects = list(filter(None, values))
        if self._mixed:
            arrays = [value for value in arrays if isinstance(value, list)]
            objects = [value for value in objects if not isinstance(value, list)]
        number = self._always * len(objects)
        if self._get is not None:
            found = map(self._get, objects)
            number += len(list(filter(None, chain.from_iterable(found) if self._several else found)))
        for get, below in self._below:
            number += below.count(map(get, objects))
        if self._every is not None:
            number += self._every.count(chain.from_iterable(map(dict.values, objects)))
        if self._elements is not None:
            number += self._elements.count(chain.from_iterable(arrays))
        return number


def _others(place: Place | None) -> _Others | None:
    others = _Others(place) if place is not None else None
    return others if others is not None and others.is_needed else None


def _place(tree: FieldTree | None, room: _Room) -> Place | None:
    return Place(tree, room) if tree is not None and not tree.whole else None


def _type(place: Place | None, *, whole: bool) -> Any:  # noqa: ANN401 - whatever msgspec reads into
    """The type of a value, or null; `whole` with the members that do not leave."""
    if place is None:
        return Raw
    if whole not in place.types:
        place.types[whole] = _made(place, whole=whole)
    return place.types[whole]


def _made(place: Place, *, whole: bool) -> Any:  # noqa: ANN401 - as above
    kinds: list[Any] = [None]
    if place.members:
        kinds.append(_structure(place, whole=whole))
    if place.tree.every is not None:
        kinds.append(dict[str, _type(place.every, whole=whole)])  # type: ignore[misc]  # made at run time
    if place.tree.elements is not None:
        kinds.append(list[_type(place.elements, whole=whole)])  # type: ignore[misc]
    return reduce(or_, kinds)


def _structure(place: Place, *, whole: bool) -> type[msgspec.Struct]:
    names = place.names if whole else list(place.members)
    always = frozenset(place.others(always=True))
    fields: list[Any] = []
    for number, name in enumerate(names):
        kind = _type(place.members.get(name), whole=whole)
        # What all objects have need not be looked for in each of them.
        fields.append((_field(number), kind) if name in always else (_field(number), kind | UnsetType, UNSET))
    rename = {_field(number): name for number, name in enumerate(names)}
    return msgspec.defstruct("Members", fields, rename=rename, kw_only=True, gc=False)


def _is_name(name: str) -> bool:
    return len(name) <= _MOST_CHARACTERS and not _ESCAPED.search(name)


def _field(number: int) -> str:
    return f"f{number}"
