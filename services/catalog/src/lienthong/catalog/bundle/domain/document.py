"""The services of an agency as one OpenAPI 3.1 document, with the paths by which the gateway is called."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.bundle.domain.renaming import METHODS, Renaming
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.references import References

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.catalog.services.domain.service import ServiceResource
    from lienthong.kit.json_text import Json, JsonObject

SCHEME: Final = "lgsp"
PURPOSE: Final = "lgsp.purpose"
_NAMES: Final = re.compile(r"\{([^{}]*)\}")
_TWICE: Final = 2
_PATH_ITEMS: Final = "#/components/pathItems/"
_LEFT_OUT_SOAP: Final = "it speaks SOAP"
_LEFT_OUT_NEWER: Final = "its document is of a version that OpenAPI 3.1 cannot say"


@dataclass(frozen=True, slots=True)
class Bundled:
    """A service that is in the document; `operations` are the ids of those that are shown, None all."""

    service: ServiceResource
    operations: Collection[str] | None = None


def document(
    agency: str, name: Mapping[str, str], services: Sequence[Bundled], public_url: str
) -> JsonObject:
    """Return the document of some services of an agency. `public_url` is the gateway's, without a `/`.

    What cannot be said in it is named in `x-lgsp-left-out`.
    """
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    tags, left_out = [], []
    for one in services:
        why = _why_not(one.service)
        if why is not None:
            left_out.append({"service": one.service.id, "reason": why})
            continue
        _add(one, agency, paths, components)
        title = one.service.spec["name"]
        tags.append({"name": one.service.id, "description": f"{title['vi']} · {title['en']}"})
    components.setdefault("parameters", {})[PURPOSE] = _PURPOSE
    components["securitySchemes"] = {SCHEME: _scheme(public_url)}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{name.get('vi', agency)} · {name.get('en', agency)} ({agency})",
            "version": str(max((one.service.version for one in services), default=0)),
            "description": "Gọi qua cổng, với mã truy cập và mục đích của thoả thuận. · "
            "Called through the gateway, with an access token and a purpose of the agreement.",
        },
        "servers": [{"url": f"{public_url}/api"}],
        "security": [{SCHEME: ["api"]}],
        "tags": tags,
        "paths": paths,
        "components": components,
    }
    return {**found, "x-lgsp-left-out": left_out} if left_out else found


def _why_not(service: ServiceResource) -> str | None:
    if service.openapi is None:
        return _LEFT_OUT_SOAP
    version = str(service.openapi.get("openapi", ""))
    return None if version.startswith(("3.0.", "3.1.")) else _LEFT_OUT_NEWER


def _add(one: Bundled, agency: str, paths: dict[str, Any], components: dict[str, dict[str, Any]]) -> None:
    service = one.service
    given = service.openapi or {}
    # One that came from an agency that was merged keeps its id, and has all of it in its names.
    names = service.id.removeprefix(f"{agency}/").split("/")
    own = given.get("components")
    parts = own if isinstance(own, dict) else {}
    schemas = parts.get("schemas")
    renaming = Renaming(
        prefix=f"{'.'.join(names)}.",
        path=f"/{service.id}",
        operation=f"{'_'.join(names).replace('.', '-')}_",
        old=str(given["openapi"]).startswith("3.0."),
        schemas=frozenset(schemas) if isinstance(schemas, dict) else frozenset(),
    )
    shown = None
    if one.operations is not None:
        shown = {(op.method.lower(), op.path) for op in service.operations if op.id in one.operations}
    for path, item in _path_items(given).items():
        chosen = _with_parameters(_chosen(item, path, shown), path, parts)
        found = _path_item(renaming.part(chosen), service.id)
        if shown is None or any(method in found for method in METHODS):
            paths[f"{renaming.path}{path}"] = found
    for kind, named in parts.items():
        # Path items stand where they are used, but for those that a callback refers to.
        if kind == "pathItems" and _PATH_ITEMS not in json.dumps([paths, {**parts, "pathItems": {}}]):
            continue
        if kind in {"securitySchemes", "examples"} or not isinstance(named, dict) or kind.startswith("x-"):
            if kind == "examples" and isinstance(named, dict):
                components.setdefault(kind, {}).update(
                    {f"{renaming.prefix}{name}": member for name, member in named.items()}
                )
            continue
        make = renaming.schema if kind == "schemas" else renaming.part
        for name, member in named.items():
            made = make(member)
            components.setdefault(kind, {})[f"{renaming.prefix}{name}"] = made


def _path_items(given: JsonObject) -> dict[str, JsonObject]:
    """Return the path items with what they refer to in place: the catalog takes references where OpenAPI has
    none, and to places that are not in the document of all.

    An `operationId` of several operations names none of them, and is left out.
    """
    references = References(given)
    found: dict[str, JsonObject] = {}
    ids: Counter[str] = Counter()
    paths = _followed(references, given.get("paths"))
    for path, written in paths.items():
        if not path.startswith("/"):
            continue
        item = dict(_followed(references, written))
        for method in METHODS:
            if method in item:
                item[method] = _followed(references, item[method])
                ids[str(item[method].get("operationId"))] += 1
        found[path] = item
    return {path: _with_own_ids(item, ids) for path, item in found.items()}


def _followed(references: References, node: Json) -> JsonObject:
    try:
        return references.resolved(node) if isinstance(node, dict) else {}
    except InvalidValueError:
        # What leads to nothing says nothing: the catalog takes no such document any more.
        return {}


def _with_own_ids(item: JsonObject, ids: Counter[str]) -> JsonObject:
    def own(operation: JsonObject) -> JsonObject:
        if ids[str(operation.get("operationId"))] < _TWICE:
            return operation
        return {name: member for name, member in operation.items() if name != "operationId"}

    return {name: own(member) if name in METHODS else member for name, member in item.items()}


def _chosen(item: JsonObject, path: str, shown: Collection[tuple[str, str]] | None) -> JsonObject:
    if shown is None:
        return item
    return {name: member for name, member in item.items() if name not in METHODS or (name, path) in shown}


def _with_parameters(item: JsonObject, path: str, components: JsonObject) -> JsonObject:
    """Return a path item with the parameters of its path that the document only names in it.

    Many documents in the field do, and generators refuse them.
    """
    operations = [item[method] for method in METHODS if isinstance(item.get(method), dict)]
    if not operations:
        return item
    by_all = set.intersection(*(_declared(operation, components) for operation in operations))
    missing = set(_NAMES.findall(path)) - _declared(item, components) - by_all
    if not missing:
        return item
    added = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in sorted(missing)
    ]
    return {**item, "parameters": [*item.get("parameters", ()), *added]}


def _declared(part: JsonObject, components: JsonObject) -> set[str]:
    """The parameters of the path that a path item or an operation declares, also by references."""
    found = set[str]()
    for parameter in part.get("parameters") or ():
        if isinstance(parameter, dict) and isinstance(reference := parameter.get("$ref"), str):
            name = reference.removeprefix("#/components/parameters/")
            parameter = (components.get("parameters") or {}).get(name, {})
        if isinstance(parameter, dict) and parameter.get("in") == "path":
            found.add(str(parameter.get("name")))
    return found


def _path_item(item: JsonObject, service: str) -> JsonObject:
    """Return a path item with the purpose among its parameters, and operations tagged by their service."""
    found = dict(item)
    operations = [method for method in METHODS if isinstance(found.get(method), dict)]
    for method in operations:
        found[method] = {**found[method], "tags": [service]}
    if operations:
        found["parameters"] = [
            *found.get("parameters", []),
            {"$ref": f"#/components/parameters/{PURPOSE}"},
        ]
    return found


_PURPOSE: Final = {
    "name": "LGSP-Purpose",
    "in": "header",
    "required": False,
    "description": "Mục đích của lời gọi, theo thoả thuận; bỏ được nếu chỉ có một. · "
    "The purpose of the call, of the agreement; may be left out where it has a single one.",
    "schema": {"type": "string"},
}


def _scheme(public_url: str) -> JsonObject:
    return {
        "type": "oauth2",
        "description": "Client credentials with private_key_jwt (RFC 7523): the client signs a JWT with the "
        "key that its system has registered.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": f"{public_url}/oauth2/token",
                "scopes": {"api": "call services"},
            }
        },
    }
