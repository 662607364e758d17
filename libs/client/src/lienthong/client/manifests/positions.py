"""YAML read into plain JSON values, with the place of every value.

Only what JSON can hold comes out. Scalars are read by the core schema of YAML 1.2 (`core_schema`). Duplicate
keys, recursive aliases, tags of other schemas and keys that are not scalars are mistakes; all are collected,
but a syntax error ends the reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from lienthong.client.errors import Mistake, Text
from lienthong.client.manifests import core_schema
from lienthong.client.pointers import Pointer, pointer_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NODES = 200_000
"""Nodes that aliases may add: those that are written take two characters each."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile(r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL)
_LARGE = 1024 * 1024
"""Characters from which on a syntax error is told as libyaml says it: to find it anew would take minutes."""
_NOT_FAST = ("found duplicate anchor", "escape code")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Document:
    """A value, the place of each part of it by JSON pointer, and each scalar as it was written.

    `blamed` are the parts in which a mistake was found already.
    """

    value: Any
    places: dict[Pointer, Position] = field(default_factory=dict)
    written: dict[Pointer, str] = field(default_factory=dict)
    blamed: list[Pointer] = field(default_factory=list)

    def place(self, pointer: Pointer) -> Position | None:
        """The position of a value, or of the nearest value around it that has one."""
        for length in range(len(pointer), -1, -1):
            found = self.places.get(pointer[:length])
            if found is not None:
                return found
        return None

    def graft(self, pointer: Pointer, other: Document) -> None:
        """Put another document's value at `pointer`, whose parent is an object; its places come along."""
        parent = self.value
        for word in pointer[:-1]:
            parent = parent[word]
        parent[pointer[-1]] = other.value
        self.places |= {pointer + inner: place for inner, place in other.places.items()}
        self.written |= {pointer + inner: text for inner, text in other.written.items()}


def read(text: str, file: str) -> tuple[list[Document], list[Mistake]]:
    """Every document of a YAML stream that is not empty, and every mistake found."""
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    try:
        for node in _nodes(_spaced(text, file)):
            reader = _Reader(file, MAX_NODES + len(text) // 2)
            document = Document(None)
            document.value = reader.value(node, (), document)
            mistakes += reader.mistakes
            if document.value is not None:
                documents.append(document)
    except yaml.YAMLError as error:
        mistakes.append(_syntax_mistake(error, file))
    except _TooLargeError:
        detail = Text("tệp quá lớn hoặc bí danh lồng nhau", "too large, or aliases upon aliases")
        mistakes.append(Mistake("", detail, file, 1, 1))
    except RecursionError:
        mistakes.append(Mistake("", Text("lồng nhau quá sâu", "nested too deeply"), file, 1, 1))
    return documents, mistakes


def _nodes(text: str) -> Iterable[yaml.Node]:
    try:
        return list(yaml.compose_all(text, Loader=core_schema.FastLoader))
    except yaml.YAMLError as error:
        if len(text) > _LARGE and not any(said in str(error) for said in _NOT_FAST):
            raise
        return yaml.compose_all(text, Loader=core_schema.Loader)


def _spaced(text: str, file: str) -> str:
    if file.endswith((".yaml", ".yml")):
        return text
    # JSON may be indented with tabs, which YAML refuses; inside its strings a tab is always escaped. And it
    # writes characters beyond the basic plane as two escapes.
    return _PAIR.sub(_unescaped, text.replace("\t", " "))


def _unescaped(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    return bytes.fromhex(found[1] + found[2]).decode("utf-16-be")


class _TooLargeError(Exception):
    """More nodes than a manifest can have: stops aliases that multiply."""


class _Reader:
    """Reads one document's tree of nodes."""

    def __init__(self, file: str, most_nodes: int) -> None:
        self.mistakes: list[Mistake] = []
        self._most_nodes = most_nodes
        self._file = file
        self._nodes = 0
        self._open: set[int] = set()

    def value(self, node: yaml.Node, pointer: Pointer, document: Document) -> Any:  # noqa: ANN401
        self._nodes += 1
        if self._nodes > self._most_nodes:
            raise _TooLargeError
        document.places.setdefault(pointer, self._position(node))
        if isinstance(node, yaml.ScalarNode):
            document.written[pointer] = node.value
            return self._scalar(node, pointer)
        if id(node) in self._open:
            self._mistake(node, pointer, Text("bí danh trỏ về chính nó", "an alias that contains itself"))
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [
                    self.value(item, (*pointer, str(index)), document)
                    for index, item in enumerate(node.value)
                ]
            return self._mapping(node, pointer, document)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, pointer: Pointer) -> core_schema.Scalar:
        try:
            found = core_schema.value(node)
        except core_schema.NotOfItsTagError:
            tag = node.tag.replace(core_schema.TAG, "!!")
            self._mistake(
                node, pointer, Text(f"thẻ {tag} không hợp ở đây", f"the tag {tag} does not fit here")
            )
            return None
        except core_schema.NoSuchNumberError as number:
            self._mistake(
                node,
                pointer,
                Text(
                    f"JSON không có số {number}; nếu là văn bản, hãy để trong dấu ngoặc kép",
                    f"JSON has no number {number}; put it in quotes if it is text",
                ),
            )
            return None
        return _paired(found) if isinstance(found, str) else found

    def _mapping(self, node: yaml.Node, pointer: Pointer, document: Document) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._mistake(
                    key, pointer, Text("tên trường phải là một giá trị đơn", "a key must be a single value")
                )
                continue
            if key.tag == core_schema.MERGE:
                merged += self._merged(value, pointer)
                continue
            name = _paired(key.value)
            inner = (*pointer, name)
            if name in found:
                line = document.places[inner].line
                twice = Text(
                    f"trường «{name}» lặp lại (đã có ở dòng {line})",
                    f"duplicate key '{name}' (already on line {line})",
                )
                self._mistake(key, inner, twice)
                continue
            document.places[inner] = self._position(key)
            found[name] = self.value(value, inner, document)
        for source in merged:
            for name, value in self._mapping(source, pointer, Document(None)).items():
                found.setdefault(name, value)
        return found

    def _merged(self, node: yaml.Node, pointer: Pointer) -> Iterator[yaml.Node]:
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if isinstance(source, yaml.MappingNode) and id(source) not in self._open:
                yield source
            else:
                self._mistake(source, pointer, Text("«<<» cần một đối tượng", "'<<' takes an object"))

    def _mistake(self, node: yaml.Node, pointer: Pointer, detail: Text) -> None:
        place = self._position(node)
        self.mistakes.append(Mistake(pointer_text(pointer), detail, place.file, place.line, place.column))

    def _position(self, node: yaml.Node) -> Position:
        return Position(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _paired(text: str) -> str:
    # JSON writes characters beyond the basic plane as two escapes, which YAML leaves as two halves.
    if _SURROGATE.search(text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _syntax_mistake(error: yaml.YAMLError, file: str) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = ", ".join(
        str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part
    )
    said = said or str(error).splitlines()[0]
    hint = Text("", "")
    if "'\\t'" in said:
        hint = Text(" (thụt dòng bằng dấu cách, không dùng tab)", " (indent with spaces, not tabs)")
    elif "mapping values are not allowed" in said or "could not find expected ':'" in said:
        hint = Text(
            " (thiếu dấu ':' ở dòng này hay dòng trên, hoặc thụt dòng lệch)",
            " (a ':' is missing here or in the line above, or the indentation is off)",
        )
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    detail = Text(f"sai cú pháp YAML: {said}{hint.vi}", f"YAML syntax error: {said}{hint.en}")
    return Mistake("", detail, file, line, column)
