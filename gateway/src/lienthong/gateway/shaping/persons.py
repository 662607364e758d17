"""The persons that JSON bodies name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway.persons import named_in
from lienthong.kit.json_text import NotJsonError, decode

if TYPE_CHECKING:
    from lienthong.gateway.persons import Persons
    from lienthong.kit.field_paths import FieldTree


def note_persons(persons: Persons, part: str, document: bytes | None, tree: FieldTree) -> None:
    """Note the persons of a body; of one that is no JSON document, or None, that it was not read.

    `part` is `request` or `answer`.
    """
    try:
        named = named_in(decode(document), tree) if document is not None else None
    except NotJsonError:
        named = None
    if named is None:
        persons.unread.append(part)
    else:
        persons.add(named)
