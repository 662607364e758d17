"""One OpenAPI document made ready to stand beside others: names of its own, and all in the words of 3.1.

It is walked by what its parts are: a member of a map is a name, whatever it says, and examples are nobody's
business. What is not known stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.json_text import Json, JsonObject

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MAPS: Final = frozenset(
    (
        "responses",
        "content",
        "headers",
        "links",
        "callbacks",
        "requestBodies",
        "encoding",
        "pathItems",
        "schemas",
    )
)
"""Members whose own members are names, each of another object."""
_AS_IT_IS: Final = frozenset(("example", "examples", "default", "enum", "const", "value"))
_SCHEMA_MAPS: Final = frozenset(("properties", "patternProperties", "$defs", "dependentSchemas"))
_BOUNDS: Final = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
_COMPONENTS: Final = "#/components/"
_PATHS: Final = "#/paths/"
_SCHEMAS: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Renaming:
    """How the names of one document become its own: `prefix` before components, `path` before paths,
    `operation` before names of operations. `old` says that it is of OpenAPI 3.0; `schemas` are those that it
    names."""

    prefix: str
    path: str
    operation: str
    old: bool
    schemas: frozenset[str] = frozenset()

    def reference(self, text: str) -> str:
        """Return a reference as it is in the document of all."""
        if text.startswith(_COMPONENTS):
            kind, slash, rest = text.removeprefix(_COMPONENTS).partition("/")
            return f"{_COMPONENTS}{kind}{slash}{self.prefix}{rest}"
        if text.startswith(_PATHS):
            return f"{_PATHS}{_escaped(self.path)}{text.removeprefix(_PATHS)}"
        return text

    def part(self, node: Json, *, of_map: bool = False) -> Any:  # noqa: ANN401 - any JSON
        """Return a part of the document that is no schema; `of_map` says that its members are names."""
        if isinstance(node, list):
            return [self.part(item) for item in node]
        if not isinstance(node, dict):
            return node
        if of_map:
            return {name: self.part(member) for name, member in node.items()}
        found: dict[str, Any] = {}
        for name, member in node.items():
            if name == "examples" and isinstance(member, dict):
                found[name] = {key: self._example(value) for key, value in member.items()}
            elif name.startswith("x-") or name in _AS_IT_IS:
                found[name] = member
            elif name in {"$ref", "operationRef"} and isinstance(member, str):
                found[name] = self.reference(member)
            elif name == "operationId" and isinstance(member, str):
                found[name] = f"{self.operation}{member}"
            elif name in {"security", "servers", "server"}:
                # Those of the provider say nothing of calls through the gateway.
                continue
            elif name == "schema":
                found[name] = self.schema(member)
            else:
                found[name] = self.part(member, of_map=name in _MAPS)
        return found

    def schema(self, node: Json) -> Any:  # noqa: ANN401 - any JSON
        """Return a schema, in the dialect of OpenAPI 3.1."""
        if not isinstance(node, dict):
            return node
        if isinstance(reference := node.get("$ref"), str):
            renamed = {"$ref": self.reference(reference)}
            if self.old:
                return renamed
            node = {**node, **renamed}
        found: dict[str, Any] = {}
        for name, member in node.items():
            if name in _AS_IT_IS or name.startswith("x-"):
                found[name] = member
            elif name in _SCHEMA_MAPS and isinstance(member, dict):
                found[name] = {key: self.schema(value) for key, value in member.items()}
            elif name == "discriminator" and isinstance(member, dict):
                found[name] = self._discriminator(member)
            elif isinstance(member, list):
                found[name] = [self.schema(item) for item in member]
            else:
                found[name] = self.schema(member)
        return _of_3_1(found) if self.old else found

    def _example(self, node: Json) -> Json:
        if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            return {**node, "$ref": self.reference(reference)}
        return node

    def _discriminator(self, node: Mapping[str, Any]) -> JsonObject:
        mapping = node.get("mapping")
        if not isinstance(mapping, dict):
            return dict(node)
        return {**node, "mapping": {name: self._named(target) for name, target in mapping.items()}}

    def _named(self, target: Json) -> Json:
        """A mapping names a schema by a reference, or by its name alone."""
        if isinstance(target, str) and target in self.schemas:
            return f"{_SCHEMAS}{self.prefix}{target}"
        return self.reference(target) if isinstance(target, str) else target


def _of_3_1(schema: dict[str, Any]) -> JsonObject:
    """Return a schema of OpenAPI 3.0, whose parts are in the words of 3.1 already, in these words itself."""
    found = {name: member for name, member in schema.items() if name != "nullable"}
    for bound, exclusive in _BOUNDS:
        if isinstance(found.get(exclusive), bool):
            is_exclusive = found.pop(exclusive)
            if is_exclusive and bound in found:
                found[exclusive] = found.pop(bound)
    if schema.get("nullable") is not True:
        return found
    if isinstance(kind := found.get("type"), str):
        found["type"] = [kind, "null"]
        if isinstance(values := found.get("enum"), list) and None not in values:
            found["enum"] = [*values, None]
        return found
    return {"anyOf": [found, {"type": "null"}]} if found else {}


def _escaped(path: str) -> str:
    """A path as it begins a token of a JSON pointer (RFC 6901); what follows begins with an escaped slash."""
    return path.replace("~", "~0").replace("/", "~1")
