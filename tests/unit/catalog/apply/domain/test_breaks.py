"""A document that breaks callers who have an agreement is refused, unless it is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.catalog.agreements.domain.operations import ServiceUse
from lienthong.catalog.apply.domain.breaks import refused_breaks
from lienthong.catalog.apply.domain.planning import ApplyPlan, CatalogExcerpt, plan_apply
from lienthong.catalog.apply.schemas import read_apply
from tests.unit.catalog.manifests import NOW, SERVICE, catalog_with, province, service

if TYPE_CHECKING:
    from lienthong.catalog.errors import Violation

BY_ALL = ServiceUse(2, "one-stop-parcels", None)


def planned(
    manifest: dict[str, Any], use: ServiceUse | None, lifecycle: dict[str, str] | None = None
) -> tuple[ApplyPlan, list[Violation]]:
    """Plan a manifest in the province with its service, and what is refused for those who use it."""
    drafts, _ = read_apply({"manifests": [manifest]})
    made, violations = plan_apply(drafts, known(lifecycle), NOW)
    assert violations == []
    return made, list(refused_breaks(drafts, made, {SERVICE: use}))


def known(lifecycle: dict[str, str] | None = None) -> CatalogExcerpt:
    """The province with its service."""
    others = [one for one in province() if one["kind"] not in {"Service", "Agreement"}]
    return replace(catalog_with(*others, service(lifecycle=lifecycle)), open_agreements={})


def with_parameter() -> dict[str, Any]:
    """The service, whose first operation wants a parameter now."""
    found = service()
    operation = found["spec"]["openapi"]["paths"]["/0"]["get"]
    operation["parameters"] = [{"name": "page", "in": "query", "required": True, "schema": {}}]
    return found


@pytest.mark.parametrize(
    ("use", "refused"),
    [
        (BY_ALL, True),
        (ServiceUse(1, "x", frozenset(("getParcel",))), True),
        (ServiceUse(1, "x", frozenset(("listParcels",))), False),
        (None, False),
    ],
)
def test_it_is_refused_where_an_open_agreement_reaches_the_operation(
    use: ServiceUse | None, refused: bool
) -> None:
    made, violations = planned(with_parameter(), use)
    place = "/openapi/paths/~10/get/parameters"
    assert [one.pointer for one in violations] == ([f"/manifests/0/spec{place}"] if refused else [])
    assert all(one.conflict and "--allow-breaking" in one.text.vi for one in violations)
    assert [notice.pointer for notice in made.changes[0].notices] == [f"/spec{place}"]


def test_the_plan_says_what_breaks_whether_it_is_meant_or_not() -> None:
    made, _ = planned(with_parameter(), BY_ALL)
    assert [one.operation for one in made.changes[0].breaking] == ["getParcel"]


def test_an_operation_that_is_gone_breaks_those_who_may_call_all() -> None:
    new = service(SERVICE, "getParcel")
    assert [one.pointer for one in planned(new, BY_ALL)[1]] == ["/manifests/0/spec/openapi/paths"]
    # Of an agreement that names it this is refused already, and said once.
    named = ServiceUse(1, "x", frozenset(("listParcels",)))
    assert planned(new, named)[1] == []


def test_a_draft_may_change_as_it_likes() -> None:
    new = with_parameter()
    new["spec"]["lifecycle"] = {"stage": "draft"}
    made, violations = planned(new, BY_ALL, {"stage": "draft"})
    assert violations == []
    assert made.changes[0].notices == ()
