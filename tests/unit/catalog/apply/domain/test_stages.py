"""Applying services in the stages of their lives, and agreements on them."""

from __future__ import annotations

import pytest

from tests.unit.catalog.manifests import SERVICE, agreement, catalog_with, plan, pointers, province, service

DRAFT = {"stage": "draft"}
REVIEW = {"stage": "in-review"}
SUCCESSOR = "H11.05/land/parcels-v2"
DEPRECATED = {"stage": "deprecated", "deprecatedAt": "2026-11-01", "sunsetAt": "2027-06-30"}
RETIRED = {"stage": "retired"}


def before(lifecycle: dict[str, str] | None) -> list[dict[str, object]]:
    """The province with its service in a stage, and an agreement on it that was decided."""
    others = [one for one in province() if one["kind"] not in {"Service", "Agreement"}]
    return [*others, service(lifecycle=lifecycle), service(SUCCESSOR), agreement(status="approved")]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (DRAFT, REVIEW, None),
        (REVIEW, DRAFT, None),
        (REVIEW, None, None),
        (None, {"stage": "published"}, None),
        (None, DEPRECATED, None),
        (DEPRECATED, None, None),
        (DEPRECATED, RETIRED, None),
        (DRAFT, None, "/manifests/0/spec"),
        (DRAFT, {"stage": "published"}, "/manifests/0/spec/lifecycle/stage"),
        (None, DRAFT, "/manifests/0/spec/lifecycle/stage"),
        (None, RETIRED, "/manifests/0/spec/lifecycle/stage"),
        (RETIRED, DEPRECATED, "/manifests/0/spec/lifecycle/stage"),
        (RETIRED, None, "/manifests/0/spec"),
    ],
)
def test_a_stage_follows_the_one_before(
    old: dict[str, str] | None, new: dict[str, str] | None, place: str | None
) -> None:
    known = catalog_with(*before(old))
    made, violations = plan(service(lifecycle=new), excerpt=known)
    assert [violation.pointer for violation in violations] == ([] if place is None else [place])
    assert all(violation.conflict for violation in violations)
    assert {member.path[:2] for member in made.changes[0].changes} == {("spec", "lifecycle")}


@pytest.mark.parametrize("stage", [DRAFT, REVIEW, RETIRED, {**DEPRECATED, "sunsetAt": "2026-11-02"}])
def test_what_is_not_offered_is_not_asked_for(stage: dict[str, str]) -> None:
    known = catalog_with(*before(stage))
    wanted = agreement("another")
    assert pointers(wanted, excerpt=known) == ["/manifests/0/spec/service"]
    # What was decided already is taken, with a warning: a catalog that is put back has it.
    made, violations = plan(agreement("another", status="approved"), excerpt=known)
    assert violations == []
    assert [notice.pointer for notice in made.changes[0].notices] == ["/spec/service"]


def test_the_successor_of_what_is_retired_is_named() -> None:
    known = catalog_with(*before({**RETIRED, "successor": SUCCESSOR}))
    _, (violation,) = plan(agreement("another"), excerpt=known)
    assert SUCCESSOR in violation.text.en
    assert SUCCESSOR in violation.text.vi


def test_what_is_deprecated_is_asked_for_with_a_warning() -> None:
    known = catalog_with(*before({**DEPRECATED, "successor": SUCCESSOR}))
    made, violations = plan(agreement("another"), excerpt=known)
    assert violations == []
    (notice,) = made.changes[0].notices
    assert notice.pointer == "/spec/service"
    assert SUCCESSOR in notice.text.vi


def test_an_agreement_that_stands_stays_as_it_is_whatever_becomes_of_its_service() -> None:
    known = catalog_with(*before(RETIRED))
    made, violations = plan(agreement(), excerpt=known)
    assert violations == []
    assert [change.action for change in made.changes] == ["unchanged"]


def test_a_whole_catalog_is_put_back_with_services_in_every_stage() -> None:
    stages = (DRAFT, REVIEW, None, DEPRECATED, RETIRED)
    others = [one for one in province() if one["kind"] not in {"Service", "Agreement"}]
    services = [service(f"H11.05/land/s-v{number}", lifecycle=one) for number, one in enumerate(stages, 1)]
    agreements = [agreement(f"of-{number}", status="approved") | {} for number, _ in enumerate(stages, 1)]
    for number, one in enumerate(agreements, 1):
        one["spec"]["service"] = f"H11.05/land/s-v{number}"
    _, violations = plan(*others, *services, *agreements)
    assert violations == []
    assert SERVICE not in {one["metadata"]["id"] for one in services}
