"""The agreements that decide something in processes that follow the catalog, as they are read for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy import Text, case, cast, func, select

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.agreements.domain.watched import WATCHED_STATUSES, Terms, WatchedAgreement
from lienthong.catalog.agreements.models import AgreementRow
from lienthong.catalog.domain.resources import ResourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select

    from lienthong.catalog.domain.resources import WatchScope

_log = structlog.get_logger(__name__)
# Of the table, not of the mapped class.
COLUMNS = AgreementRow.__table__.c
_STATUSES = {status.value: status for status in AgreementStatus}
_read_terms = msgspec.json.Decoder(Terms).decode


def watched_agreements(rows: Iterable[Any]) -> list[WatchedAgreement]:
    """Return what the rows of `watched` say; one that cannot be read is left out."""
    found = []
    for agreement_id, consumer, service, event_type, status, spec in rows:
        try:
            terms = None if spec is None else _read_terms(spec)
        except msgspec.MsgspecError as error:
            # What it allows is denied, and the others go on.
            _log.error("an agreement cannot be read", agreement=agreement_id, error=str(error))
            continue
        found.append(WatchedAgreement(agreement_id, consumer, service, event_type, _STATUSES[status], terms))
    return found


def watched(scope: WatchScope) -> Select[Any]:
    """Select the agreements that decide something in processes that follow the catalog.

    Of columns of the table alone, and the spec as the text that it is: a snapshot reads all of them, and one
    mapped attribute, in a condition too, makes each row pass the mapper.
    """
    approved = COLUMNS.status == AgreementStatus.APPROVED.value
    query = select(
        COLUMNS.id,
        COLUMNS.consumer_id,
        COLUMNS.service_id,
        COLUMNS.event_type_id,
        COLUMNS.status,
        case((approved, cast(COLUMNS.spec, Text))),
    ).where(COLUMNS.status.in_([status.value for status in WATCHED_STATUSES]))
    # An expression, not the column: SQLite would take the column's index, and sort all that it finds anew
    # for each page, instead of going on in the order of the ids.
    if ResourceKind.SERVICE not in scope.agreements_on:
        query = query.where(func.coalesce(COLUMNS.service_id, "") == "")
    if ResourceKind.EVENT_TYPE not in scope.agreements_on:
        query = query.where(func.coalesce(COLUMNS.event_type_id, "") == "")
    return query
