"""A graph of RDF (RDF 1.1 Concepts) as JSON-LD 1.1 and as Turtle 1.1."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PREFIXES: Final = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_IN_IRI: Final = "!#$%&'()*+,-./:;=?@[]_~"


@dataclass(frozen=True, slots=True)
class Iri:
    """A reference to a node."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, in a language or of a type, which is written with its prefix: `xsd:dateTime`."""

    text: str
    language: str = ""
    datatype: str = ""


Value: TypeAlias = Iri | Literal


@dataclass(frozen=True, slots=True)
class Node:
    """A thing: its types and what is said of it. Names are written with their prefixes."""

    iri: str
    types: tuple[str, ...]
    properties: Sequence[tuple[str, Value]]


def json_ld(nodes: Iterable[Node]) -> str:
    """Write nodes as JSON-LD."""
    graph = [_json_node(node) for node in nodes]
    return json.dumps({"@context": PREFIXES, "@graph": graph}, ensure_ascii=False)


def turtle(nodes: Iterable[Node]) -> str:
    """Write nodes as Turtle."""
    prefixes = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
    return prefixes + "".join(_turtle_node(node) for node in nodes)


def _json_node(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"@id": _iri(node.iri), "@type": list(node.types)}
    for name, value in node.properties:
        found.setdefault(name, []).append(_json_value(value))
    return found


def _json_value(value: Value) -> dict[str, str]:
    if isinstance(value, Iri):
        return {"@id": _iri(value.text)}
    if value.language:
        return {"@value": value.text, "@language": value.language}
    if value.datatype:
        return {"@value": value.text, "@type": value.datatype}
    return {"@value": value.text}


def _turtle_node(node: Node) -> str:
    return f"\n<{_iri(node.iri)}> a {', '.join(node.types)}{''.join(_turtle_properties(node))} .\n"


def _turtle_properties(node: Node) -> Iterator[str]:
    for name, value in node.properties:
        yield f" ;\n  {name} {_turtle_value(value)}"


def _turtle_value(value: Value) -> str:
    if isinstance(value, Iri):
        return f"<{_iri(value.text)}>"
    # What JSON escapes in a string, Turtle escapes in the same way (sections 2.5.1 and 6.4).
    text = json.dumps(value.text, ensure_ascii=False)
    if value.language:
        return f"{text}@{value.language}"
    return f"{text}^^{value.datatype}" if value.datatype else text


def _iri(text: str) -> str:
    return quote(text, safe=_IN_IRI)
