"""How much a JSON Schema asks for, counted before anything is validated with it.

What is counted here cannot be judged from the size of the text: references to references double with each
line, and a schema that refers to itself for the same value never ends. How long a value takes all the same is
bounded where it is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog.errors import Violation
from lienthong.kit.json_schema import IN_PLACE, children, patterns, subschemas
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MAX_SUBSCHEMAS: Final = 2_000
MAX_EXPANDED: Final = 10_000
"""Schemas, when each reference counts as all that it refers to."""
MAX_PATTERNS: Final = 100
MAX_PATTERN: Final = 500
"""Characters of a regular expression."""


def violations(schema: JsonObject, resolve: Callable[[str], Json]) -> Iterator[Violation]:
    """Yield what a schema has too much of, with its place.

    `resolve` gives the part of the schema that a reference names.
    """
    count = sum(1 for _ in subschemas(schema))
    if count > MAX_SUBSCHEMAS:
        yield _violation(
            (),
            f"has {count} schemas in it; at most {MAX_SUBSCHEMAS}",
            f"có {count} lược đồ con; tối đa {MAX_SUBSCHEMAS}",
        )
        return
    found = list(patterns(schema))
    if len(found) > MAX_PATTERNS:
        yield _violation(
            (),
            f"has {len(found)} patterns; at most {MAX_PATTERNS}",
            f"có {len(found)} biểu thức chính quy; tối đa {MAX_PATTERNS}",
        )
    for path, pattern in found:
        if len(pattern) > MAX_PATTERN:
            yield _violation(
                path,
                f"the pattern is longer than {MAX_PATTERN} characters; shorten it",
                f"biểu thức dài hơn {MAX_PATTERN} ký tự; hãy rút gọn",
            )
    yield from _expansion(schema, resolve)


def _expansion(schema: JsonObject, resolve: Callable[[str], Json]) -> Iterator[Violation]:
    """Yield what is wrong with the references of a schema taken together."""
    nodes = {id(node): (path, list(_leads_to(node, resolve))) for path, node in subschemas(schema)}
    in_place = {node: [to for to, same in edges if same] for node, (_, edges) in nodes.items()}
    _, cycle = _visited(in_place)
    if cycle is not None:
        path, _ = nodes.get(cycle, ((), []))
        yield _violation(
            path,
            "refers to itself for the same value, without end; let a property or item stand between",
            "tham chiếu về chính nó cho cùng một giá trị, không có điểm dừng; hãy đặt một thuộc tính "
            "hoặc phần tử ở giữa",
        )
        return
    everywhere = {node: [to for to, _ in edges] for node, (_, edges) in nodes.items()}
    costs: dict[int, int] = {}
    for node in _visited(everywhere)[0]:
        costs[node] = 1 + sum(costs.get(child, 1) for child in everywhere.get(node, ()))
    if costs[id(schema)] > MAX_EXPANDED:
        yield _violation(
            (),
            f"is more than {MAX_EXPANDED} schemas when each reference counts as all that it refers to; refer "
            f"to fewer parts that refer to others",
            f"có hơn {MAX_EXPANDED} lược đồ khi mỗi tham chiếu được tính bằng toàn bộ phần nó trỏ tới; hãy "
            f"bớt tham chiếu chồng tham chiếu",
        )


def _visited(edges: Mapping[int, Sequence[int]]) -> tuple[list[int], int | None]:
    """All nodes, each after those that it leads to, and one that leads back to itself, if there is one.

    Depth first without recursion: a chain of references may be longer than Python's stack.
    """
    after: dict[int, None] = {}
    under_way: set[int] = set()
    cycle = None
    stack = [(node, False) for node in edges]
    while stack:
        node, left = stack.pop()
        if left:
            under_way.discard(node)
            after[node] = None
        elif node in under_way:
            cycle = node
        elif node not in after:
            under_way.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in edges.get(node, ()))
    return list(after), cycle


def _leads_to(node: JsonObject, resolve: Callable[[str], Json]) -> Iterator[tuple[int, bool]]:
    """The schemas that validating with a schema leads to, and whether they see the same value."""
    for path, child in children(node):
        if isinstance(child, dict) and path[0] not in {"$defs", "definitions"}:
            yield id(child), path[0] in IN_PLACE
    for name in ("$ref", "$dynamicRef"):
        if isinstance(reference := node.get(name), str) and isinstance(target := resolve(reference), dict):
            yield id(target), True


def _violation(path: JsonPath, en: str, vi: str) -> Violation:
    return Violation(path, BilingualText(en, vi))
