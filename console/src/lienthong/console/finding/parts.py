"""Parts of a provider's document, which may be anything: read as what they should be, else as nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_HOPS: Final = 20


def an_object(value: object) -> Mapping[str, Any]:
    """The value, if it is an object; else an empty one."""
    return value if isinstance(value, dict) else {}


def a_list(holder: Mapping[str, Any], name: str) -> list[Any]:
    """The list of a name; an empty one where there is none."""
    found = holder.get(name)
    return found if isinstance(found, list) else []


def followed(document: Mapping[str, Any], value: object) -> Mapping[str, Any]:
    """An object of a document, or the one to which it refers within the document."""
    found = an_object(value)
    for _ in range(_MOST_HOPS):
        reference = found.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return found
        target: Any = document
        for word in reference[2:].split("/"):
            target = an_object(target).get(word.replace("~1", "/").replace("~0", "~"))
        found = an_object(target)
    return {}


def operation_at(
    document: Mapping[str, Any], method: str, path: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The path item of a document and the operation in it."""
    item = followed(document, an_object(document.get("paths")).get(path))
    return item, an_object(item.get(method.lower()))
