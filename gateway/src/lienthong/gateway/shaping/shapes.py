"""Shapes answers under agreed paths, and learns what documents look like: the next ones are read faster.

What is learnt changes how fast an answer is shaped, never what leaves of it. What is learnt at once takes the
loop a few milliseconds, and all that is known so many bytes, whatever the trees and the documents.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

import msgspec

from lienthong.gateway.shaping.shape import bare, shaped
from lienthong.gateway.shaping.structures import (
    MOST_NAMES_OF_TREE,
    MOST_PLACES,
    Place,
    Structures,
    is_sparse,
    size,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.kit.field_paths import FieldTree

MOST_SHAPES: Final = 500
"""Trees of which something is known."""
MOST_WEIGHT: Final = 24_000
"""Of all of them, in names (`Place.weight`): some 12 MB."""
MOST_RETIRED: Final = 12_000
"""Of types that nothing is read with any more, in names, with which no more are made: some 5 MB.

Trees that are forgotten add theirs, up to what all may weigh."""
BETWEEN_COLLECTIONS_S: Final = 3600.0
LOOKED_AT_FROM: Final = 4
"""The document of a tree with which learning begins: types cost as much to make as a few to be read."""
MOST_LESSONS: Final = 12
"""Documents of a tree that are learnt from; each changes its types, and the next is twice as far away."""
MOST_BYTES: Final = 1024 * 1024
"""Of a document that is learnt from: all its values are read for that."""
PASSED_OVER: Final = 15
"""Documents of a tree that are not tried with its types, after one that did not fit and taught nothing."""


class Retired:
    """Types that nothing is read with any more.

    They are in circles of references that only a collection of all generations finds, and worker processes
    have next to none of these by themselves. One takes the longer the more objects a process has, so there is
    at most one an hour, and no lesson while there is too much to be freed.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._next = -float("inf")
        self.weight = 0
        """Of the types that are not freed yet, in names."""
        self.is_changed = False
        """Whether anything was learnt since somebody looked."""

    @property
    def is_full(self) -> bool:
        """Whether no more is to be retired for now."""
        return self.weight >= MOST_RETIRED

    def add(self, weight: int) -> None:
        """Types were retired; 0 where new ones took no one's place. In any thread."""
        with self._lock:
            self.weight += weight
        self.is_changed = True

    def free(self) -> None:
        """Free them when there is enough of it. On the loop, as what is freed may belong to it."""
        if self.is_full and self._clock() >= self._next:
            self._next = self._clock() + BETWEEN_COLLECTIONS_S
            with self._lock:
                self.weight = 0
            gc.collect()


class Shape:
    """A tree of paths, with what was learnt of the documents that came under it."""

    def __init__(self, tree: FieldTree, retired: Retired | None = None) -> None:
        self.tree = tree
        places, names = size(tree)
        self._root: Place | None = None
        if 0 < places <= MOST_PLACES and names <= MOST_NAMES_OF_TREE:
            root = Place(tree)
            self._root = root if root.is_knowable else None
        self.weight = places + names if self._root is None else self._root.weight
        """Of the tree and what is known, in names."""
        self._structures: Structures | None = None
        self._retired = retired or Retired()
        self._lessons = MOST_LESSONS
        self._distance = 1
        self._until_lesson = 0
        """Documents."""
        self._passing_over = LOOKED_AT_FROM - 1
        self._learning = Lock()

    @property
    def types_weight(self) -> int:
        """Of the types alone, in names."""
        return self.weight if self._structures is not None else 0

    def shaped(self, document: bytes) -> tuple[bytes, int]:
        """As `shape.shaped`, for this tree.

        Raises:
            UnfitError: as there.
        """
        if self._root is None:
            return shaped(document, self.tree)
        if self._until_lesson > 0:
            self._until_lesson -= 1
        if self._passing_over > 0:
            self._passing_over -= 1
            return shaped(document, self.tree)
        value = bare(document)
        if self._structures is not None and _is_utf8(value):
            found = self._structures.shaped(value)
            if found is not None:
                return found
        found = shaped(document, self.tree)
        if self._until_lesson > 0:
            self._passing_over = min(PASSED_OVER, self._until_lesson - 1)
            return found
        self._passing_over = PASSED_OVER
        is_lesson = self._lessons > 0 and len(value) <= MOST_BYTES and not self._retired.is_full
        if is_lesson and self._learning.acquire(blocking=False):
            # Large documents are shaped in a thread, while others are on the loop.
            try:
                self._learn(self._root, value)
            finally:
                self._learning.release()
        return found

    def _learn(self, root: Place, document: bytes) -> None:
        if is_sparse(document, root.widest):
            return
        read = None
        with suppress(msgspec.DecodeError, RecursionError):
            read = msgspec.json.decode(document)
        old = root.learn([read])
        is_first = self._structures is None
        if not old and not is_first:
            return
        self._structures = Structures(root)
        self.weight = root.weight
        self._retired.add(0 if is_first else old)
        self._lessons -= 1
        self._until_lesson = self._distance
        self._distance *= 2
        self._passing_over = 0


class Shapes:
    """What is known of trees, by the trees themselves: an agreement that changes has new ones."""

    def __init__(self, retired: Retired | None = None) -> None:
        self._shapes: OrderedDict[int, Shape] = OrderedDict()
        """The one that was asked for last is the last."""
        self._retired = retired or Retired()

    @property
    def weight(self) -> int:
        """Of all that is known, in names."""
        return sum(shape.weight for shape in self._shapes.values())

    def of(self, tree: FieldTree) -> Shape:
        """The shape of a tree. On the loop."""
        shape = self._shapes.get(id(tree))
        if shape is None:
            # It holds its tree, so that no other has its id.
            shape = self._shapes[id(tree)] = Shape(tree, self._retired)
            self._retired.is_changed = True
        else:
            self._shapes.move_to_end(id(tree))
        if self._retired.is_changed:
            self._retired.is_changed = False
            self._forget()
        self._retired.free()
        return shape

    def _forget(self) -> None:
        """Forget the trees that were not asked for longest, where all are too many or too much."""
        weight = self.weight
        while len(self._shapes) > 1 and (len(self._shapes) > MOST_SHAPES or weight > MOST_WEIGHT):
            _, shape = self._shapes.popitem(last=False)
            weight -= shape.weight
            self._retired.add(shape.types_weight)


def _is_utf8(document: bytes) -> bool:
    if document.isascii():
        return True
    try:
        document.decode()
    except UnicodeDecodeError:
        return False
    return True
