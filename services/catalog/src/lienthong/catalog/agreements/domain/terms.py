"""Whether one version of an agreement's terms allows anything that another does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.domain import validity
from lienthong.catalog.domain.comparison import compare, dotted_path
from lienthong.kit.field_paths import EVERY_OPERATION, WHOLE_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lienthong.kit.json_text import Json, JsonObject

PARTIES: Final = ("consumer", "service", "eventType")
"""Whom and what an agreement is about: with others it is another agreement."""
_UNBOUNDED: Final = float("inf")


def terms_of(spec: JsonObject) -> JsonObject:
    """Return a spec without the status, which is no part of what was agreed."""
    return {name: value for name, value in spec.items() if name != "status"}


def changed(before: JsonObject, after: JsonObject) -> list[str]:
    """Return the terms in which two versions differ, as dotted paths."""
    return [dotted_path(member.path) for member in compare(terms_of(before), terms_of(after))]


def widened(before: JsonObject, after: JsonObject) -> list[str]:
    """Return the terms by which `after` allows something that `before` did not, in the order of the spec.

    Whatever cannot be told for certain counts as allowing more. So does another legal ground: the owner has
    approved on the one that was named.
    """
    return list(dict.fromkeys(_widened(terms_of(before), terms_of(after))))


def _widened(before: JsonObject, after: JsonObject) -> Iterator[str]:
    for name in (*PARTIES, "legalGround"):
        if before.get(name) != after.get(name):
            yield name
    if not set(after["purposes"]) <= set(before["purposes"]):
        yield "purposes"
    if not _is_within(after.get("operations"), before.get("operations")):
        yield "operations"
    if _begins(after) < _begins(before):
        yield "validFrom"
    if _ends(after) > _ends(before):
        yield "validTo"
    if not set(before.get("requires", ())) <= set(after.get("requires", ())):
        yield "requires"
    for name, limit in before.get("limits", {}).items():
        if after.get("limits", {}).get(name, _UNBOUNDED) > limit:
            yield "limits"
    if "hours" in before and before["hours"] != after.get("hours"):
        yield "hours"
    if "fields" in before and not _fields_are_within(after.get("fields"), before["fields"]):
        yield "fields"
    for name in after.keys() | before.keys():
        if name not in _KNOWN and before.get(name) != after.get(name):
            yield str(name)


_KNOWN: Final = frozenset(
    (
        *PARTIES,
        "legalGround",
        "purposes",
        "operations",
        "validFrom",
        "validTo",
        "requires",
        "limits",
        "hours",
        "fields",
    )
)


def _is_within(named: Json, allowed: Json) -> bool:
    """Whether some operations are among others; None stands for all of them."""
    if allowed is None:
        return True
    return named is not None and set(named) <= set(allowed)


def _fields_are_within(named: Json, allowed: Mapping[str, Any]) -> bool:
    """Whether answers hold nothing that was not allowed, of the operations that either of them names.

    An operation without fields of its own has those of every operation; one that has none is not allowed.
    """
    if named is None:
        return False
    for operation in named.keys() | allowed.keys():
        paths = named.get(operation, named.get(EVERY_OPERATION, ()))
        before = allowed.get(operation, allowed.get(EVERY_OPERATION))
        if before is not None and WHOLE_DOCUMENT not in before and not set(paths) <= set(before):
            return False
    return True


def _begins(spec: JsonObject) -> float:
    return validity.read(spec["validFrom"]).timestamp() if "validFrom" in spec else -_UNBOUNDED


def _ends(spec: JsonObject) -> float:
    return validity.read(spec["validTo"]).timestamp() if "validTo" in spec else _UNBOUNDED
