"""What the catalog's messages become in a process that follows it: parts, gaps, and what cannot be used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.kit.catalog import CatalogState, fold_catalog, pack_catalog, unpack_catalog
from lienthong.kit.stream import VersionGapError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONSUMERS, SERVICES = ("A/a", "B/b"), ("C/c/s-v1", "D/d/t-v1")
AGREEMENT = pb.RESOURCE_KIND_AGREEMENT


def system(system_id: str, status: pb.Status.ValueType = pb.STATUS_ACTIVE) -> pb.Resource:
    key = pb.ResourceKey(kind=pb.RESOURCE_KIND_SYSTEM, id=system_id)
    return pb.Resource(key=key, system=pb.System(id=system_id, status=status))


def agreement(
    agreement_id: str,
    consumer: str = "A/a",
    service: str = "C/c/s-v1",
    *,
    status: pb.AgreementStatus.ValueType = pb.AGREEMENT_STATUS_APPROVED,
) -> pb.Resource:
    message = pb.Agreement(id=agreement_id, consumer_id=consumer, service_id=service, status=status)
    return pb.Resource(key=key_of(agreement_id), agreement=message)


def key_of(agreement_id: str) -> pb.ResourceKey:
    return pb.ResourceKey(kind=AGREEMENT, id=agreement_id)


def snapshot(
    *resources: pb.Resource, version: int = 7, part: int = 0, more: bool = False
) -> pb.WatchResponse:
    return pb.WatchResponse(
        snapshot=pb.Snapshot(version=version, resources=resources, part=part, more=more, mark="m")
    )


def delta(
    *upserts: pb.Resource,
    removals: Sequence[pb.ResourceKey] = (),
    before: int = 7,
    part: int = 0,
    more: bool = False,
) -> pb.WatchResponse:
    message = pb.Delta(
        from_version=before, to_version=before + 1, upserts=upserts, removals=removals, part=part, more=more
    )
    return pb.WatchResponse(delta=message)


def heartbeat(version: int) -> pb.WatchResponse:
    return pb.WatchResponse(heartbeat=pb.Heartbeat(version=version))


def folded(state: CatalogState | None, *updates: pb.WatchResponse) -> CatalogState:
    for update in updates:
        state = fold_catalog(state, pb.WatchResponse.FromString(update.SerializeToString()))
    assert state is not None
    return state


def described(state: CatalogState) -> tuple[dict[bytes, bytes], dict[tuple[str, str], list[str]]]:
    between = {
        (consumer, service): [name for name, _ in state.agreements_between(consumer, service)]
        for consumer in CONSUMERS
        for service in SERVICES
    }
    return dict(state.resources.items()), between


@pytest.mark.parametrize("status", [pb.AGREEMENT_STATUS_REQUESTED, pb.AGREEMENT_STATUS_REVOKED])
def test_of_agreements_that_allow_nothing_the_last_ones_are_read(
    status: pb.AgreementStatus.ValueType,
) -> None:
    piled_up = [agreement(f"{number:03}", status=status) for number in range(100)]
    approved = [agreement(f"a{number:03}") for number in range(30)]
    state = folded(None, snapshot(*piled_up[:50], *approved, *piled_up[50:]))
    between = [name for name, _ in state.agreements_between("A/a", "C/c/s-v1")]
    assert between == [
        *(f"{number:03}" for number in range(80, 100)),
        *(f"a{number:03}" for number in range(30)),
    ]
    assert state.counts[AGREEMENT] == 130

    revoked = agreement("a007", status=pb.AGREEMENT_STATUS_REVOKED)
    after = folded(state, delta(revoked, agreement("001"), removals=[key_of("002"), key_of("099")]))
    between = [name for name, _ in after.agreements_between("A/a", "C/c/s-v1")]
    assert between == [
        "001",
        *(f"{number:03}" for number in range(80, 99)),
        *(f"a{number:03}" for number in range(30)),
    ]
    assert after.counts[AGREEMENT] == 128
    all_gone = folded(after, delta(removals=[key_of(name) for name in between], before=8))
    assert all_gone.agreements_between("A/a", "C/c/s-v1") == []
    assert list(all_gone.agreements.items()) == []


def test_a_heartbeat_of_the_same_version_gives_the_same_state() -> None:
    state = folded(None, snapshot())
    assert fold_catalog(state, heartbeat(7)) is state


def test_a_snapshot_holds_with_its_last_part() -> None:
    first = folded(None, snapshot(system("A/a"), version=0, more=True))
    second = folded(first, snapshot(system("B/b"), version=0, part=1, more=True))
    last = folded(second, snapshot(system("C/c"), part=2))
    assert [state.whole for state in (first, second, last)] == [False, False, True]
    assert (last.version, last.mark) == (7, "m")
    assert last.ids(pb.RESOURCE_KIND_SYSTEM) == ["A/a", "B/b", "C/c"]


def test_a_delta_holds_with_its_last_part_and_leaves_the_state_before() -> None:
    before = folded(None, snapshot(agreement("1"), agreement("2")))
    some = folded(before, delta(agreement("3"), more=True))
    after = folded(some, delta(removals=[key_of("1")], part=1))
    assert (some.whole, after.whole, after.version) == (False, True, 8)
    assert [name for name, _ in after.agreements_between("A/a", "C/c/s-v1")] == ["2", "3"]
    assert [name for name, _ in before.agreements_between("A/a", "C/c/s-v1")] == ["1", "2"]


def test_a_snapshot_replaces_everything_also_an_unfinished_one() -> None:
    state = folded(None, snapshot(system("A/a")))
    for before in (state, folded(state, snapshot(system("B/b"), more=True))):
        again = folded(before, snapshot(system("C/c"), version=3))
        assert (again.version, again.ids(pb.RESOURCE_KIND_SYSTEM)) == (3, ["C/c"])


@pytest.mark.parametrize(
    "update",
    [
        pytest.param(heartbeat(8), id="a later heartbeat"),
        pytest.param(delta(before=8), id="a later delta"),
        pytest.param(delta(before=6), id="an earlier delta"),
        pytest.param(delta(part=1), id="a part without the one before"),
        pytest.param(snapshot(part=1), id="a part of a snapshot without the one before"),
        pytest.param(
            pb.WatchResponse(delta=pb.Delta(from_version=7, to_version=6)), id="a delta that goes back"
        ),
        pytest.param(pb.WatchResponse(), id="nothing"),
    ],
)
def test_what_does_not_follow_is_a_gap(update: pb.WatchResponse) -> None:
    with pytest.raises(VersionGapError):
        folded(folded(None, snapshot()), update)


@pytest.mark.parametrize(
    "update",
    [heartbeat(7), delta(), delta(part=2), delta(part=3), snapshot(part=2), snapshot(part=4)],
    ids=["heartbeat", "delta", "part of a delta", "next part of a delta", "part again", "part too late"],
)
def test_an_unfinished_snapshot_goes_on_with_its_next_part_only(update: pb.WatchResponse) -> None:
    unfinished = folded(None, snapshot(more=True), snapshot(part=1, more=True), snapshot(part=2, more=True))
    with pytest.raises(VersionGapError):
        folded(unfinished, update)


@pytest.mark.parametrize("update", [heartbeat(0), delta(before=0)], ids=["heartbeat", "delta"])
def test_before_a_snapshot_nothing_follows(update: pb.WatchResponse) -> None:
    with pytest.raises(VersionGapError):
        folded(None, update)


@pytest.mark.parametrize(
    "unusable",
    [
        pytest.param(pb.Resource(key=key_of("x")), id="no body"),
        pytest.param(pb.Resource(key=key_of("x"), system=pb.System(id="x")), id="another kind"),
        pytest.param(pb.Resource(key=key_of("x"), agreement=pb.Agreement(id="y")), id="another id"),
        pytest.param(pb.Resource(key=key_of("x"), agreement=pb.Agreement(id="x")), id="about nothing"),
        pytest.param(agreement("x", consumer="A\0a"), id="a consumer with NUL"),
    ],
)
def test_a_resource_that_cannot_be_used_is_left_out_and_named(unusable: pb.Resource) -> None:
    state = folded(None, snapshot(agreement("x"), agreement("good")), delta(unusable, system("A/a")))
    assert [name for name, _ in state.agreements_between("A/a", "C/c/s-v1")] == ["good"]
    assert state.ids(pb.RESOURCE_KIND_SYSTEM) == ["A/a"]
    assert state.unusable == {"4/x"}
    for mended in (delta(agreement("x"), before=8), delta(removals=[key_of("x")], before=8)):
        assert not folded(state, mended).unusable


def test_the_copy_on_disk_gives_the_same_state() -> None:
    state = folded(None, snapshot(system("A/a"), agreement("1"), pb.Resource(key=key_of("x"))))
    again = unpack_catalog(pack_catalog(state))
    assert described(again) == described(state)
    assert (again.version, again.mark, again.unusable) == (7, "m", frozenset({"4/x"}))


def test_maps_that_are_no_state_are_refused() -> None:
    _, *others = pack_catalog(folded(None, snapshot()))
    with pytest.raises(ValueError, match="truncated"):
        unpack_catalog([others[0], *others])


NAMES = st.sampled_from("123456")
CHANGES = st.lists(
    st.one_of(
        NAMES.map(key_of),
        st.builds(agreement, NAMES, st.sampled_from(CONSUMERS), st.sampled_from(SERVICES)),
        st.builds(
            system, st.sampled_from(CONSUMERS), st.sampled_from([pb.STATUS_ACTIVE, pb.STATUS_SUSPENDED])
        ),
    ),
    max_size=12,
)


@given(st.lists(CHANGES, max_size=4), st.data())
def test_any_deltas_in_any_parts_give_the_state_built_from_nothing(
    deltas: list[list[pb.Resource | pb.ResourceKey]], data: st.DataObject
) -> None:
    state, standing = folded(None, snapshot()), dict[tuple[int, str], pb.Resource]()
    for changes in deltas:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(changes)), max_size=3)))
        bounds = list(zip([0, *cuts], [*cuts, len(changes)], strict=True))
        before = state.version
        for part, (begin, end) in enumerate(bounds):
            # Within one part removals come first, so a part holds either.
            upserts = [one for one in changes[begin:end] if isinstance(one, pb.Resource)]
            removals = [one for one in changes[begin:end] if isinstance(one, pb.ResourceKey)]
            more = part + 1 < len(bounds)
            state = folded(state, delta(*upserts, removals=removals, before=before, part=part, more=more))
            for key in removals:
                standing.pop((key.kind, key.id), None)
            standing |= {(one.key.kind, one.key.id): one for one in upserts}
    expected = folded(None, snapshot(*standing.values()))
    assert described(state) == described(expected)
    assert Counter(state.counts) == Counter(expected.counts)
