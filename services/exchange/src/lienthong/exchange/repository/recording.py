"""What every event that is published asks of the database, as units of work in one turn (`kit.one_turn`).

The repositories do the same and more, each query by itself.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import bindparam, or_, select

from lienthong.exchange.domain.messages import StoredEvent
from lienthong.exchange.domain.numbering import Numbering
from lienthong.exchange.events import STREAM
from lienthong.exchange.models import AcceptedEvent, EventStream, KeptEvent
from lienthong.exchange.repository.statements import replacing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Column, ColumnElement, Select, Table

    from lienthong.kit.one_turn import Statements

_accepted: Final = cast("Table", AcceptedEvent.__table__)
_kept: Final = cast("Table", KeptEvent.__table__)
_stream: Final = cast("Table", EventStream.__table__)

_GENERATION: Final = select(_stream.c.generation).where(_stream.c.name == STREAM)
_GENERATION_SHARED: Final = _GENERATION.with_for_update(read=True)


def generation(statements: Statements, *, shared: bool) -> int:
    """That of the numbering; `shared` so that nobody changes it before the transaction ends."""
    found = statements.execute(_GENERATION_SHARED if shared else _GENERATION)
    return int(found[0][0]) if found else Numbering().generation


def accepted(
    statements: Statements, message_ids: Collection[str], numbers: Collection[int] = ()
) -> dict[str, StoredEvent]:
    """The events that are recorded under these message ids, and those under these numbers."""
    if not message_ids:
        return {}
    ids, at = _filled("id", list(message_ids)), _filled("number", list(numbers))
    found = statements.execute(_those(len(ids), len(at)), {**ids, **at})
    return {message_id: StoredEvent(number, fingerprint) for message_id, number, fingerprint in found}


def record(
    statements: Statements, events: Mapping[str, StoredEvent], kept: Collection[Mapping[str, Any]]
) -> None:
    """Record events by message id, and the content of those that are kept (columns of `KeptEvent`)."""
    rows = [
        {"message_id": message_id, "sequence": event.sequence, "fingerprint": event.fingerprint}
        for message_id, event in sorted(events.items())
    ]
    statements.execute(replacing(statements.dialect, _accepted, "message_id"), rows)
    contents = sorted(kept, key=lambda row: str(row["message_id"]))
    statements.execute(replacing(statements.dialect, _kept, "message_id"), contents)


def _filled(name: str, values: list[Any]) -> dict[str, Any]:
    """Named values, with the last repeated up to a power of two: so there are few statements."""
    if not values:
        return {}
    size = 1 << (len(values) - 1).bit_length()
    return {f"{name}{place}": values[min(place, len(values) - 1)] for place in range(size)}


@cache
def _those(ids: int, numbers: int) -> Select[tuple[str, int, str]]:
    """The statement for so many message ids and numbers."""
    these = _one_of(_accepted.c.message_id, "id", ids)
    if numbers:
        these = or_(these, _one_of(_accepted.c.sequence, "number", numbers))
    return select(_accepted.c.message_id, _accepted.c.sequence, _accepted.c.fingerprint).where(these)


def _one_of(column: Column[Any], name: str, count: int) -> ColumnElement[bool]:
    return column.in_([bindparam(f"{name}{place}", type_=column.type) for place in range(count)])
