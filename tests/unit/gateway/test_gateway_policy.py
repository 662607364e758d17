"""Deny by default: one call passes only with an agreement that fits it in every respect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.context import NO_CONTEXT, CallContext, Statement
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.gateway.operations import OperationTree
from lienthong.gateway.policy import Closed, Denial, Grant, Unstated, decide
from lienthong.gateway.table import ReadResources, RoutingTable, ServiceRoute
from lienthong.kit.catalog import catalog_of
from lienthong.kit.problems.not_in_force import Expired, NotInForce, NotYetValid, Pending, Revoked

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(
    rule_id: str = "r",
    *,
    purposes: tuple[str, ...] = ("p",),
    operations: frozenset[str] | None = frozenset({"get"}),
    valid_from: datetime = NOW - DAY,
    valid_to: datetime = NOW + DAY,
    status: routes_pb2.AgreementStatus.ValueType = routes_pb2.AGREEMENT_STATUS_APPROVED,
    requires: tuple[routes_pb2.Statement.ValueType, ...] = (),
    hours: routes_pb2.Hours | None = None,
) -> routes_pb2.Resource:
    agreement = routes_pb2.Agreement(
        id=rule_id,
        consumer_id="C/c",
        service_id="P/p/s-v1",
        operations=operations or (),
        purposes=purposes,
        status=status,
        requires=requires,
        hours=hours,
    )
    agreement.valid_from.FromDatetime(valid_from)
    agreement.valid_to.FromDatetime(valid_to)
    key = routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_AGREEMENT, id=rule_id)
    return routes_pb2.Resource(key=key, agreement=agreement)


def service(*requires: Statement, active: bool = True) -> ServiceRoute:
    return ServiceRoute(
        id="P/p/s-v1",
        system_id="P/p",
        active=active,
        upstreams=Upstreams(["http://x"]),
        operations=OperationTree([]),
        limits=TimeLimits(),
        max_request_bytes=0,
        write_ahead=False,
        prefix=b"/api/P/p/s-v1",
        origins=None,
        requires=frozenset(requires),
        assertion=False,
        access=None,
        agreement_limits=None,
    )


def unapproved(agreement_id: str, *, revoked: bool) -> routes_pb2.Resource:
    revoked_or_not = routes_pb2.AGREEMENT_STATUS_REVOKED if revoked else routes_pb2.AGREEMENT_STATUS_REQUESTED
    return rule(agreement_id, status=revoked_or_not)


def table(*agreements: routes_pb2.Resource, suspended: tuple[str, ...] = ()) -> RoutingTable:
    systems = [
        routes_pb2.Resource(
            key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SYSTEM, id=system_id),
            system=routes_pb2.System(
                id=system_id,
                status=routes_pb2.STATUS_SUSPENDED if system_id in suspended else routes_pb2.STATUS_ACTIVE,
            ),
        )
        for system_id in ("C/c", "P/p", "D/d")
    ]
    return RoutingTable(catalog_of(1, [*systems, *agreements]), ReadResources())


def decision(
    found: RoutingTable,
    *,
    operation: str = "get",
    consumer: str = "C/c",
    purpose: str | None = None,
    context: CallContext = NO_CONTEXT,
    now: datetime = NOW,
    offered: ServiceRoute | None = None,
    bound: bool = False,
) -> Grant | Denial | Unstated | Closed | NotInForce:
    return decide(found, offered or service(), operation, consumer, purpose, context, now, bound=bound)


def missing(
    found: RoutingTable,
    offered: ServiceRoute | None = None,
    *,
    purpose: str | None = None,
    case: str | None = None,
    user: str | None = None,
) -> list[Statement]:
    """What a call does not state that it has to; nothing where it is allowed."""
    context = CallContext(case, user)
    decided = decision(found, purpose=purpose, context=context, offered=offered)
    if isinstance(decided, Unstated):
        return decided.missing
    assert isinstance(decided, Grant)
    return []


def granted(found: RoutingTable, *, operation: str = "get", purpose: str | None = None) -> tuple[str, str]:
    """The agreement and the purpose of a call that is allowed."""
    grant = decision(found, operation=operation, purpose=purpose)
    assert isinstance(grant, Grant)
    return grant.agreement, grant.purpose


def test_an_agreement_that_fits_lets_the_call_pass() -> None:
    assert granted(table(rule())) == ("r", "p")
    assert granted(table(rule()), purpose="p") == ("r", "p")


def test_no_agreement_no_call() -> None:
    assert decision(table()) is Denial.NO_AGREEMENT
    assert decision(table(rule()), consumer="D/d") is Denial.NO_AGREEMENT
    assert decision(table(rule()), consumer="unknown") is Denial.NO_AGREEMENT


def test_a_suspended_system_neither_calls_nor_serves() -> None:
    assert decision(table(rule(), suspended=("C/c",))) is Denial.CLIENT_SUSPENDED
    assert decision(table(rule(), suspended=("P/p",))) is Denial.SERVICE_SUSPENDED
    assert decision(table(rule()), offered=service(active=False)) is Denial.SERVICE_SUSPENDED


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        (NOW - DAY - timedelta(microseconds=1), False),
        (NOW - DAY, True),
        (NOW + DAY - timedelta(microseconds=1), True),
        (NOW + DAY, False),
    ],
)
def test_an_agreement_counts_from_its_first_moment_until_before_its_end(now: datetime, passes: bool) -> None:
    assert isinstance(decision(table(rule()), now=now), Grant) is passes


def test_only_the_operations_of_the_agreement_may_be_called() -> None:
    assert decision(table(rule()), operation="delete") is Denial.OPERATION
    assert granted(table(rule(operations=None)), operation="delete") == ("r", "p")


def test_only_the_purposes_of_the_agreement_may_be_stated() -> None:
    assert decision(table(rule()), purpose="q") is Denial.PURPOSE
    assert decision(table(rule()), purpose="") is Denial.PURPOSE
    assert decision(table(rule(purposes=("p", "q")))) is Denial.PURPOSE_NEEDED
    assert granted(table(rule(purposes=("p", "q"))), purpose="q") == ("r", "q")
    assert decision(table(rule(purposes=()))) is Denial.PURPOSE_NEEDED


def test_what_the_service_requires_has_to_be_stated() -> None:
    for statement, stated in ((Statement.CASE, {"case": "c"}), (Statement.USER, {"user": "u"})):
        assert missing(table(rule()), service(statement)) == [statement]
        assert missing(table(rule()), service(statement), **stated) == []


def test_a_purpose_that_is_required_has_to_be_stated_though_there_is_only_one() -> None:
    for purposes in (("p",), ("p", "q")):
        found = table(rule(purposes=purposes))
        assert missing(found, service(Statement.PURPOSE)) == [Statement.PURPOSE]
        assert missing(found, service(Statement.PURPOSE), purpose="p") == []
    assert decision(table(rule()), purpose="q", offered=service(Statement.PURPOSE)) is Denial.PURPOSE


def test_an_agreement_adds_to_what_the_service_requires_and_takes_nothing_away() -> None:
    found = table(rule(requires=(routes_pb2.STATEMENT_USER, routes_pb2.STATEMENT_PURPOSE)))
    assert missing(found) == [Statement.PURPOSE, Statement.USER]
    assert missing(found, service(Statement.CASE)) == [Statement.PURPOSE, Statement.CASE, Statement.USER]
    assert missing(found, service(Statement.CASE), purpose="p", user="u") == [Statement.CASE]
    assert missing(found, service(Statement.CASE), purpose="p", case="c", user="u") == []


def test_a_bound_token_that_is_required_has_to_be_shown() -> None:
    by_service, by_agreement = (
        service(Statement.BOUND_TOKEN),
        rule(requires=(routes_pb2.STATEMENT_BOUND_TOKEN,)),
    )
    for found, offered in ((table(rule()), by_service), (table(by_agreement), service())):
        assert missing(found, offered) == [Statement.BOUND_TOKEN]
        assert isinstance(decision(found, offered=offered, bound=True), Grant)
    both = service(Statement.CASE, Statement.BOUND_TOKEN)
    assert missing(table(rule()), both) == [Statement.CASE, Statement.BOUND_TOKEN]


def test_one_that_requires_more_never_hides_one_that_requires_less() -> None:
    strict = rule("1", requires=(routes_pb2.STATEMENT_CASE,))
    assert granted(table(strict, rule("2"))) == ("2", "p")
    found = decision(table(strict, rule("2")), context=CallContext(case="c"))
    assert isinstance(found, Grant)
    assert found.agreement == "1"


def test_what_only_lacks_a_statement_is_told_before_what_fits_less() -> None:
    strict = rule("2", requires=(routes_pb2.STATEMENT_CASE,))
    for other in (rule("1", operations=frozenset({"put"})), rule("3", purposes=("x", "y"))):
        assert missing(table(other, strict)) == [Statement.CASE]
    assert missing(table(strict, rule("3", requires=(routes_pb2.STATEMENT_USER,)))) == [Statement.CASE]


def test_outside_its_hours_an_agreement_says_when_it_opens() -> None:
    found = decision(table(rule(hours=_from(NOW + timedelta(hours=3)), purposes=("p",))))
    assert isinstance(found, Closed)
    assert (found.agreement, found.opens) == ("r", NOW.replace(minute=0) + timedelta(hours=3))
    assert granted(table(rule(hours=_from(NOW)))) == ("r", "p")


def test_of_several_that_are_closed_the_first_to_open_is_told_and_one_that_is_open_is_used() -> None:
    late, soon = _from(NOW + timedelta(hours=5)), _from(NOW + timedelta(hours=2))
    found = decision(table(rule("1", hours=late), rule("2", hours=soon)))
    assert isinstance(found, Closed)
    assert found.agreement == "2"
    assert granted(table(rule("1", hours=late), rule("3"))) == ("3", "p")
    other = rule("1", operations=frozenset({"put"}))
    assert isinstance(decision(table(other, rule("2", hours=late))), Closed)
    assert decision(table(rule(hours=late, purposes=("x", "y")))) is Denial.PURPOSE_NEEDED


def _from(moment: datetime) -> routes_pb2.Hours:
    """The hour of a moment, every day."""
    minute = moment.hour * 60
    part = routes_pb2.OpenHours(days=range(1, 8), from_minute=minute, to_minute=minute + 60)
    return routes_pb2.Hours(time_zone="UTC", open=[part])


def test_of_several_that_fit_the_oldest_is_taken_whatever_the_order() -> None:
    older, newer = rule("z", valid_from=NOW - 2 * DAY), rule("a")
    twin = rule("b")
    for rules in ((older, newer, twin), (twin, newer, older), (newer, older, twin)):
        assert granted(table(*rules)) == ("z", "p")
    assert granted(table(twin, newer)) == ("a", "p")


def test_one_that_does_not_fit_never_hides_one_that_does() -> None:
    others = (
        rule("1", valid_to=NOW - DAY / 2),
        rule("2", operations=frozenset({"put"})),
        rule("3", purposes=("x", "y")),
    )
    assert granted(table(*others, rule("4"))) == ("4", "p")


def test_the_refusal_names_what_came_closest() -> None:
    expired, operation, purpose = (
        rule("1", valid_to=NOW),
        rule("2", operations=frozenset({"put"})),
        rule("3", purposes=("x",)),
    )
    assert decision(table(expired)) == Expired("1", NOW)
    assert decision(table(expired, operation)) is Denial.OPERATION
    assert decision(table(purpose, operation), purpose="p") is Denial.PURPOSE


FUTURE, LATER = rule("f", valid_from=NOW + DAY), rule("l", valid_from=NOW + 2 * DAY, valid_to=NOW + 3 * DAY)
PAST, LONGEST = rule("p", valid_to=NOW - DAY / 2), rule("g", valid_to=NOW - DAY / 4)
REQUESTED, REVOKED = unapproved("q", revoked=False), unapproved("r", revoked=True)


@pytest.mark.parametrize(
    ("agreements", "told"),
    [
        ([FUTURE], NotYetValid("f", NOW + DAY)),
        ([REQUESTED], Pending("q")),
        ([PAST], Expired("p", NOW - DAY / 2)),
        ([REVOKED], Revoked("r")),
        ([REVOKED, PAST, REQUESTED, FUTURE], NotYetValid("f", NOW + DAY)),
        ([REVOKED, PAST, REQUESTED], Pending("q")),
        ([REVOKED, PAST], Expired("p", NOW - DAY / 2)),
        ([LATER, FUTURE], NotYetValid("f", NOW + DAY)),
        ([LONGEST, PAST], Expired("g", NOW - DAY / 4)),
        ([REVOKED, unapproved("a", revoked=True)], Revoked("a")),
    ],
)
def test_the_consumer_is_told_of_the_agreement_that_is_nearest_to_being_in_force(
    agreements: list[routes_pb2.Resource], told: NotInForce
) -> None:
    for order in (agreements, agreements[::-1]):
        assert decision(table(*order)) == told
        assert decision(table(*order, rule("now", operations=frozenset({"put"})))) is Denial.OPERATION
        assert decision(table(*order, rule("now", purposes=("x", "y")))) is Denial.PURPOSE_NEEDED
        assert granted(table(*order, rule("now"))) == ("now", "p")


@pytest.mark.parametrize("other", [FUTURE, REQUESTED, PAST, REVOKED])
def test_nobody_but_the_consumer_learns_of_an_agreement_that_is_not_in_force(
    other: routes_pb2.Resource,
) -> None:
    for consumer in ("D/d", "P/p", "unknown"):
        assert decision(table(other), consumer=consumer) is Denial.NO_AGREEMENT
    assert decision(table(other, suspended=("C/c",))) is Denial.CLIENT_SUSPENDED
    assert decision(table(other, suspended=("P/p",))) is Denial.SERVICE_SUSPENDED
