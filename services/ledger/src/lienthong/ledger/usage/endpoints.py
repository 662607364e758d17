"""REST: how services are used, under `/audit/v1/usage`."""

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from lienthong.kit.access import Caller, require
from lienthong.kit.actors import FOR_PEOPLE, Action, Actor
from lienthong.kit.clock import Clock, rfc3339
from lienthong.kit.openapi import answer, problems, struct_schema
from lienthong.kit.problems import general
from lienthong.kit.problems.callers import insufficient_scope
from lienthong.kit.rates import TokenBuckets
from lienthong.kit.rest import StrictRoute
from lienthong.ledger.endpoints import not_of_yours, pace
from lienthong.ledger.errors import not_a_period
from lienthong.ledger.service.audit_log import READ_SCOPE
from lienthong.ledger.usage.domain import DIMENSIONS, LONGEST, Dimension, Period, Usage, UsageQuery
from lienthong.ledger.usage.schemas import GroupDocument, TotalDocument, UsageDocument, UsageParameters
from lienthong.ledger.usage.service import CallCounts

_WEEK: Final = timedelta(days=7)
_caller: Final = require(for_people=FOR_PEOPLE)


def _within(caller: Annotated[Caller, Depends(_caller)]) -> frozenset[str] | None:
    return countable(caller)


def usage_routes(counts: CallCounts, searches: TokenBuckets, clock: Clock) -> APIRouter:
    """Build the routes; `searches` limits how often callers ask whose agencies' calls alone are counted."""
    router = APIRouter(prefix="/audit/v1", route_class=StrictRoute, default_response_class=Response)

    @router.get(
        "/usage",
        responses=answer("application/json", struct_schema(UsageDocument), "The numbers of calls.")
        | problems(general.RATE_LIMITED),
    )
    async def usage(
        parameters: Annotated[UsageParameters, Query()],
        caller: Annotated[Caller, Depends(_caller)],
        within: Annotated[frozenset[str] | None, Depends(_within)],
    ) -> Response:
        """Count calls by who asked for what, for which purpose, and how it ended. Counted are the calls of
        and to the caller's agency: of a system its own one, of a person those for which a role lets figures
        or records be read; of clients with the scope `audit:read` all."""
        if parameters.agency is not None and within is not None and parameters.agency not in within:
            raise not_of_yours(caller, Action.READ_HEALTH, parameters.agency)
        if within is not None:
            pace(searches, caller)
        query = _query(parameters, within, clock)
        document = _document(query, await counts.usage(query))
        headers = {"Cache-Control": "private, no-store"}
        return Response(msgspec.json.encode(document), headers=headers, media_type="application/json")

    return router


def countable(caller: Caller) -> frozenset[str] | None:
    """The agencies of and to which a caller's calls are counted; None for those of all.

    Raises:
        ProblemError: 403 `role-required`, a person with no role that lets any be counted; 403
            `insufficient-scope`, a client that is no system.
    """
    if caller.person is None:
        if READ_SCOPE in caller.scopes:
            return None
        if not caller.agency:
            raise insufficient_scope(READ_SCOPE)
        return frozenset([caller.agency])
    actor = Actor.of(caller)
    # Who may read the records could count them.
    if not actor.may_somewhere(Action.READ_RECORDS):
        actor.demand_somewhere(Action.READ_HEALTH)
    figures, records = actor.agencies(Action.READ_HEALTH), actor.agencies(Action.READ_RECORDS)
    return None if figures is None or records is None else figures | records


def _query(parameters: UsageParameters, within: frozenset[str] | None, clock: Clock) -> UsageQuery:
    until = clock.now() if parameters.until is None else parameters.until
    since = until - _WEEK if parameters.since is None else parameters.since
    if not since < until <= since + LONGEST:
        raise not_a_period(LONGEST.days)
    given: dict[Dimension, Any] = {name: getattr(parameters, name) for name in DIMENSIONS}
    return UsageQuery(
        Period.around(since, until),
        tuple(dict.fromkeys(parameters.by)),
        parameters.limit,
        tuple((name, value) for name, value in given.items() if value is not None),
        parameters.agency,
        within,
    )


def _document(query: UsageQuery, found: Usage) -> UsageDocument:
    groups = [
        GroupDocument(
            group.calls,
            group.refused,
            group.failed,
            **{name: _shown(value) for name, value in zip(query.by, group.values, strict=True)},
        )
        for group in found.groups
    ]
    other = TotalDocument(
        found.all_groups - len(groups),
        found.calls - sum(group.calls for group in groups),
        found.refused - sum(group.refused for group in groups),
        found.failed - sum(group.failed for group in groups),
    )
    return UsageDocument(
        rfc3339(query.period.start),
        rfc3339(query.period.end),
        list(query.by),
        groups,
        other,
        TotalDocument(found.all_groups, found.calls, found.refused, found.failed),
        found.counted,
        found.entries,
    )


def _shown(value: str | int) -> str | None:
    if isinstance(value, int):
        return f"{value}xx" if value else None
    return value or None
