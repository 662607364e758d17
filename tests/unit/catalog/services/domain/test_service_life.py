"""The life of a service."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.domain import validity
from lienthong.catalog.services.domain.lifecycle import (
    MOVES,
    Lifecycle,
    ServiceStage,
    StageConflictError,
    move,
)
from tests.unit.catalog.manifests import NOW, SERVICE, pointers, service

stages = st.sampled_from(ServiceStage)
DAY = timedelta(days=1)
SUCCESSOR = "H11.05/land/parcels-v2"


@given(stages, stages)
def test_only_what_follows_a_stage_is_possible(before: ServiceStage, after: ServiceStage) -> None:
    if after is before:
        assert move(before, after) is False
    elif after in MOVES[before]:
        assert move(before, after) is True
    else:
        with pytest.raises(StageConflictError) as conflict:
            move(before, after)
        assert before.value in conflict.value.text.en
        assert before.label_vi in conflict.value.text.vi


@given(st.lists(stages, max_size=30), stages)
def test_what_was_published_is_never_hidden_again_and_what_is_retired_stays(
    wanted: list[ServiceStage], stage: ServiceStage
) -> None:
    been = [stage]
    for after in wanted:
        try:
            move(been[-1], after)
        except StageConflictError:
            continue
        been.append(after)
    shown = [one.is_shown for one in been]
    assert shown == sorted(shown)
    if ServiceStage.RETIRED in been:
        assert set(been[been.index(ServiceStage.RETIRED) :]) == {ServiceStage.RETIRED}


@given(st.lists(stages, min_size=1, max_size=30))
def test_nobody_calls_or_asks_for_what_has_not_been_in_review(wanted: list[ServiceStage]) -> None:
    been = [ServiceStage.DRAFT]
    for after in wanted:
        try:
            move(been[-1], after)
        except StageConflictError:
            continue
        been.append(after)
    offered = [number for number, stage in enumerate(been) if stage.is_offered]
    if offered:
        assert ServiceStage.IN_REVIEW in been[: offered[0]]


@given(st.integers(-400, 400), st.integers(-400, 400))
def test_one_that_is_deprecated_is_retired_from_its_sunset_on(sunset: int, now: int) -> None:
    found = Lifecycle(ServiceStage.DEPRECATED, NOW - 500 * DAY, NOW + sunset * DAY, SUCCESSOR)
    stage = found.stage_at(NOW + now * DAY)
    assert stage is (ServiceStage.RETIRED if now >= sunset else ServiceStage.DEPRECATED)
    why = found.why_no_agreement(SERVICE, NOW + now * DAY)
    assert (why is None) == (now < sunset)
    assert why is None or (SUCCESSOR in why.en and SUCCESSOR in why.vi)


def test_a_manifest_without_lifecycle_is_of_a_published_service() -> None:
    assert Lifecycle.of({}).stage is ServiceStage.PUBLISHED
    assert Lifecycle.of({}).why_no_agreement(SERVICE, NOW) is None


def test_it_is_read_as_it_is_written() -> None:
    stated = {
        "stage": "deprecated",
        "deprecatedAt": validity.write(NOW),
        "sunsetAt": validity.write(NOW + DAY),
        "successor": SUCCESSOR,
        "link": "https://example.vn/v2",
    }
    found = Lifecycle.of({"lifecycle": stated})
    assert found == Lifecycle(ServiceStage.DEPRECATED, NOW, NOW + DAY, SUCCESSOR, "https://example.vn/v2")
    notice = found.deprecation(SERVICE)
    assert notice is not None
    assert validity.write(NOW + DAY) in notice.en
    assert SUCCESSOR in notice.vi


@pytest.mark.parametrize(
    ("lifecycle", "places"),
    [
        ({"stage": "forgotten"}, ["/manifests/0/spec/lifecycle/stage"]),
        ({}, ["/manifests/0/spec/lifecycle/stage"]),
        ({"stage": "draft", "successor": SUCCESSOR}, ["/manifests/0/spec/lifecycle"]),
        ({"stage": "published", "sunsetAt": "2027-01-01"}, ["/manifests/0/spec/lifecycle"]),
        ({"stage": "deprecated"}, ["/manifests/0/spec/lifecycle"]),
        (
            {"stage": "deprecated", "deprecatedAt": "2027-02-01", "sunsetAt": "2027-01-01"},
            ["/manifests/0/spec/lifecycle"],
        ),
        (
            {"stage": "deprecated", "deprecatedAt": "2027-02-01", "link": "javascript:alert(1)"},
            ["/manifests/0/spec/lifecycle/link"],
        ),
        (
            {"stage": "deprecated", "deprecatedAt": "2027-02-01", "link": "https://x.vn/>; rel=next"},
            ["/manifests/0/spec/lifecycle/link"],
        ),
        (
            {"stage": "deprecated", "deprecatedAt": "2027-02-01", "successor": SERVICE},
            ["/manifests/0/spec/lifecycle/successor"],
        ),
        (
            {"stage": "retired", "successor": SUCCESSOR},
            ["/manifests/0/spec/lifecycle/successor"],
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(
    lifecycle: dict[str, object], places: list[str]
) -> None:
    found = pointers(service(lifecycle=lifecycle))
    assert [place for place in found if "lifecycle" in place] == places
