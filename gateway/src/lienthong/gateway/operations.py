"""Finding the operation of a request by its path and method, with OpenAPI path templates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lienthong.gateway.body_checks import BodyChecks
    from lienthong.gateway.parameter_checks import ParameterChecks
    from lienthong.gateway.persons import PersonPlaces

_PARAMETER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class OperationRoute:
    """One operation of a service: its name (an operationId, or method and path), method and path template."""

    id: str
    method: str
    template: str
    persons: PersonPlaces | None = None
    """Where its calls name persons; None: nowhere that is known."""
    checks: BodyChecks | None = None
    """What bodies are checked for; None: nothing."""

    parameters: ParameterChecks | None = None
    """What parameters are checked for; None: nothing."""

    @property
    def is_inspected(self) -> bool:
        """Whether bodies of its calls are read, or parameters checked."""
        if self.checks is not None or self.parameters is not None:
            return True
        return self.persons is not None and self.persons.in_bodies

    @property
    def reads_answers(self) -> bool:
        """Whether something is read of answers."""
        checks, persons = self.checks, self.persons
        return (checks is not None and checks.answer_mode is not None) or (
            persons is not None and persons.answer is not None
        )


class SegmentShape:
    """A template of one segment: literal parts with a parameter between each two, as in `{id}.json`.

    The text before the first parameter or after the last may be empty, other parts may not: two parameters
    side by side are refused by the catalog.
    """

    __slots__ = ("_between", "_first", "_last", "_shortest")

    def __init__(self, literals: Sequence[bytes]) -> None:
        self._first, *between, self._last = literals
        self._between = tuple(between)
        parameters = len(literals) - 1
        self._shortest = sum(map(len, literals)) + parameters

    def matches(self, segment: bytes) -> bool:
        """Whether the segment has all literal parts in turn, with at least one byte for each parameter.

        Takes time that grows with the length of the segment, and no more: each part is looked for once, from
        where the one before it was found first. If any other place fits, the first one does.
        """
        if len(segment) < self._shortest:
            return False
        if not segment.startswith(self._first) or not segment.endswith(self._last):
            return False
        at, end = len(self._first), len(segment) - len(self._last)
        for literal in self._between:
            at = segment.find(literal, at + 1, end)
            if at < 0:
                return False
            at += len(literal)
        return at < end


@dataclass(slots=True)
class _Node:
    literals: dict[bytes, _Node] = field(default_factory=dict)
    shapes: list[tuple[str, SegmentShape, _Node]] = field(default_factory=list)
    parameter: _Node | None = None
    methods: dict[str, OperationRoute] | None = None


class OperationTree:
    """The operations of one service, by the segments of their path templates. Immutable once built.

    Where a path has GET and no operation of its own for HEAD, HEAD is GET's: the same operation without the
    body of the answer (RFC 9110 section 9.3.2).
    """

    __slots__ = ("_root", "all")

    def __init__(self, operations: Iterable[OperationRoute]) -> None:
        self._root = _Node()
        shapes: dict[tuple[int, str], _Node] = {}
        mixed: list[_Node] = []
        self.all = tuple(operations)
        """As they were given."""
        for operation in self.all:
            node = self._root
            for segment in operation.template.lstrip("/").split("/"):
                node = _child(node, segment, shapes, mixed)
            if node.methods is None:
                node.methods = {}
            node.methods[operation.method] = operation
            if operation.method == "GET" and node.methods.get("HEAD", operation).method == "GET":
                node.methods["HEAD"] = operation
        for node in mixed:
            node.shapes.sort(key=lambda known: (-len(known[0]), known[0]))

    def find(self, segments: Sequence[bytes]) -> Mapping[str, OperationRoute] | None:
        """The operations, by method, of the path template that the decoded segments match.

        Segment by segment from the left a literal beats a template with literal parts (`{id}.json`), which
        beats a parameter (OpenAPI 3.1, section 4.8.8). A parameter never matches an empty segment.
        """
        return _find(self._root, segments, 0)


def _child(node: _Node, segment: str, shapes: dict[tuple[int, str], _Node], mixed: list[_Node]) -> _Node:
    """The node of a segment below another one.

    `shapes` are the nodes below others by the shapes that lead to them; those that have any, which are to be
    sorted, are put into `mixed`.
    """
    if not _PARAMETER.search(segment):
        return node.literals.setdefault(unquote_to_bytes(segment), _Node())
    if _PARAMETER.fullmatch(segment):
        if node.parameter is None:
            node.parameter = _Node()
        return node.parameter
    shape = _PARAMETER.sub("{}", segment)
    found = shapes.get((id(node), shape))
    if found is not None:
        return found
    if not node.shapes:
        mixed.append(node)
    child = shapes[id(node), shape] = _Node()
    literals = [unquote_to_bytes(literal) for literal in shape.split("{}")]
    node.shapes.append((shape, SegmentShape(literals), child))
    return child


def _find(node: _Node, segments: Sequence[bytes], depth: int) -> Mapping[str, OperationRoute] | None:
    if depth == len(segments):
        return node.methods
    segment = segments[depth]
    literal = node.literals.get(segment)
    if literal is not None:
        found = _find(literal, segments, depth + 1)
        if found is not None:
            return found
    for _, shape, child in node.shapes:
        if shape.matches(segment):
            found = _find(child, segments, depth + 1)
            if found is not None:
                return found
    if node.parameter is not None and segment:
        return _find(node.parameter, segments, depth + 1)
    return None
