"""What other readers could not take of a JSON document as it is."""

from __future__ import annotations

from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import Json, not_portable
from lienthong.kit.schema_mismatches import SchemaMismatch


def flaw_of(value: Json) -> SchemaMismatch | None:
    """The first place of half of a surrogate pair, a number that is infinite or nesting that is too deep.

    A name with such a half is told before what is in it, so that no pointer has it: it has no encoding.
    """
    for path, why in not_portable(value, allow_nul=True):
        return SchemaMismatch(pointer(path), "", why.en)
    return None
