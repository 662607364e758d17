"""Routes/Watch over real gRPC: whoever watches has what the catalog has, soon and without a gap."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from lienthong.catalog.rpc import HEARTBEAT_SECONDS
from lienthong.catalog.service.versions import CERTAIN_SECONDS
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.contracts.catalog.v1.routes_pb2_grpc import RoutesStub
from lienthong.kit.rpc import open_channel
from tests.integration.catalog.province import Province, name
from tests.integration.catalog.running import running_catalog
from tests.support.databases import give_back, take_away
from tests.support.promises import allowed_s
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    import httpx

    from tests.integration.catalog.running import Catalog, Identity
    from tests.support.nats import NatsServer

_PATIENCE = 20.0
LARGEST_PART = 1024 * 1024


class Watcher:
    """Follows one watch, keeps what it was told, and objects to any gap."""

    def __init__(self, stream: Any, name: str = "") -> None:  # noqa: ANN401 - a gRPC call
        self.name = name
        self.version = -1
        self.mark = ""
        self.part = 0
        self.resources: dict[tuple[int, str], pb.Resource] = {}
        self.seen: list[str] = []
        self._updates = stream.__aiter__()

    async def next(self) -> pb.WatchResponse:
        """Take the next message that is no heartbeat."""
        while (update := await self.take()).WhichOneof("update") == "heartbeat":
            pass
        return update

    async def take(self) -> pb.WatchResponse:
        """Take the next message."""
        async with asyncio.timeout(_PATIENCE):
            update: pb.WatchResponse = await anext(self._updates)
        kind = update.WhichOneof("update")
        self.seen.append(str(kind))
        match kind:
            case "snapshot":
                snapshot = update.snapshot
                if snapshot.part == 0:
                    self.resources, self.part = {}, 0
                self._take_part(snapshot, snapshot.resources)
                if not snapshot.more:
                    self.version, self.mark = snapshot.version, snapshot.mark
            case "delta":
                delta = update.delta
                assert delta.from_version == self.version, "a delta was missed"
                self._take_part(delta, delta.upserts)
                if not delta.more:
                    assert delta.to_version > self.version
                    self.version, self.mark = delta.to_version, delta.mark
            case _:
                assert update.heartbeat.version == self.version
        return update

    def _take_part(self, part: pb.Snapshot | pb.Delta, upserts: Iterable[pb.Resource]) -> None:
        assert part.part == self.part, "a part was missed"
        assert part.ByteSize() < LARGEST_PART
        self.part = part.part + 1 if part.more else 0
        for key in part.removals:
            self.resources.pop((key.kind, key.id), None)
        self.resources |= {(one.key.kind, one.key.id): one for one in upserts}

    async def whole(self) -> None:
        """Take messages until all parts of an update are there."""
        await self.next()
        while self.part:
            await self.next()

    async def reach(self, version: int) -> None:
        """Follow until this version."""
        while self.version < version:
            await self.take()

    def agreement(self, identity: str) -> pb.Agreement:
        """An agreement as this watcher knows it."""
        return self.resources[pb.RESOURCE_KIND_AGREEMENT, identity].agreement


@asynccontextmanager
async def _watching(catalog: Catalog, *kinds: pb.ResourceKind.ValueType) -> AsyncIterator[Watcher]:
    async with open_channel(catalog.rpc, rpc_trust()) as channel:
        stream = RoutesStub(channel).Watch(pb.WatchRequest(node="test", kinds=kinds, in_parts=True))
        watcher = Watcher(stream)
        await watcher.whole()
        yield watcher
        stream.cancel()


async def _apply(client: httpx.Client, *manifests: dict[str, Any]) -> int:
    answer = await asyncio.to_thread(client.post, "/apply", json={"manifests": list(manifests)})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["version"])


async def _post(client: httpx.Client, path: str, **body: str) -> None:
    answer = await asyncio.to_thread(client.post, path, json=body)
    assert answer.status_code == 200, answer.text


async def test_a_watch_begins_with_everything_and_goes_on_with_what_changes(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    version = await _apply(operator, *place.everything())
    async with _watching(catalog) as watcher:
        assert watcher.version == version
        assert watcher.agreement(place.agreement_id).status == pb.AGREEMENT_STATUS_REQUESTED
        assert watcher.resources[pb.RESOURCE_KIND_SERVICE, place.service_id].service.operations

        await _post(operator, f"/agreements/{place.agreement_id}/approve")
        update = await watcher.next()

        assert update.delta.from_version == version < update.delta.to_version
        assert [one.key.id for one in update.delta.upserts] == [place.agreement_id]
        assert watcher.agreement(place.agreement_id).status == pb.AGREEMENT_STATUS_APPROVED


async def test_one_apply_arrives_as_one_delta(catalog: Catalog, place: Province) -> None:
    async with _watching(catalog) as watcher:
        version = await _apply(catalog.operator(), *place.everything())
        update = await watcher.next()
    assert update.delta.to_version == version
    assert len(update.delta.upserts) == len(place.everything())


async def test_only_the_kinds_asked_for_arrive_and_versions_still_follow_each_other(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    await _apply(operator, *place.without_agreement())
    async with _watching(catalog, pb.RESOURCE_KIND_AGREEMENT, pb.RESOURCE_KIND_SYSTEM) as watcher:
        await _apply(operator, place.agency(name=name("Khác")))
        version = await _apply(operator, place.agreement())
        await watcher.reach(version)
        kinds = {kind for kind, _ in watcher.resources}
    assert kinds == {pb.RESOURCE_KIND_AGREEMENT, pb.RESOURCE_KIND_SYSTEM}
    assert watcher.agreement(place.agreement_id).consumer_id == place.consumer


@pytest.mark.parametrize("suspended", [True, False])
async def test_a_suspended_system_takes_all_it_offers_with_it(
    catalog: Catalog, place: Province, suspended: bool
) -> None:
    operator = catalog.operator()
    await _apply(operator, *place.everything())
    if not suspended:
        await _post(operator, f"/systems/{place.provider}/suspend")
    async with _watching(catalog) as watcher:
        await _post(operator, f"/systems/{place.provider}/{'suspend' if suspended else 'resume'}")
        await watcher.next()
        wanted = pb.STATUS_SUSPENDED if suspended else pb.STATUS_ACTIVE
        resources = watcher.resources
        assert resources[pb.RESOURCE_KIND_SYSTEM, place.provider].system.status == wanted
        assert resources[pb.RESOURCE_KIND_SERVICE, place.service_id].service.status == wanted
        assert resources[pb.RESOURCE_KIND_EVENT_TYPE, place.event_type_id].event_type.status == wanted
        assert resources[pb.RESOURCE_KIND_SYSTEM, place.colleague].system.status == pb.STATUS_ACTIVE
    shown = operator.get(f"/services/{place.service_id}").json()
    assert shown["status"] == ("suspended" if suspended else "active")


async def test_a_revocation_reaches_watchers_well_within_a_second(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    await _apply(operator, *place.without_agreement(), place.agreement(status="approved"))
    async with _watching(catalog) as one, _watching(catalog) as other:
        await _post(operator, f"/agreements/{place.agreement_id}/revoke", reason="Thử")
        answered = time.monotonic()
        await asyncio.gather(one.next(), other.next())
        waited = time.monotonic() - answered
        for watcher in (one, other):
            assert watcher.agreement(place.agreement_id).status == pb.AGREEMENT_STATUS_REVOKED
    assert waited < allowed_s(0.7)


async def test_a_quiet_watch_beats_every_two_seconds(catalog: Catalog) -> None:
    async with _watching(catalog) as watcher:
        began = time.monotonic()
        updates = [await watcher.take() for _ in range(3)]
        waited = time.monotonic() - began
    assert [update.WhichOneof("update") for update in updates] == ["heartbeat"] * 3
    # The first may have been under way already when a busy machine began to look.
    assert 3.5 < waited < allowed_s(8)


async def test_no_watcher_misses_any_of_200_changes(catalog: Catalog, place: Province) -> None:
    """Four writers make 200 changes while watchers come at any moment; all end with the same catalog."""
    operator = catalog.operator()
    await _apply(operator, *place.everything())
    writing = asyncio.Event()

    async def write(writer: int) -> int:
        version = 0
        for number in range(50):
            shared = place.agency("05", name=name(f"{writer}-{number}"))
            version = await _apply(operator, shared if number % 2 else place.agency(f"{writer}{number:02}"))
        return version

    async def watch(delay: float, kinds: tuple[pb.ResourceKind.ValueType, ...]) -> Watcher:
        await asyncio.sleep(delay)
        async with _watching(catalog, *kinds) as watcher:
            while not writing.is_set():
                await watcher.take()
            await watcher.reach(last)
            return watcher

    last = 2**62
    kinds = [(), (pb.RESOURCE_KIND_AGENCY,), (pb.RESOURCE_KIND_AGENCY, pb.RESOURCE_KIND_SYSTEM)]
    watchers = [asyncio.create_task(watch(0.15 * index, kinds[index % 3])) for index in range(12)]
    last = max(await asyncio.gather(*(write(writer) for writer in range(4))))
    writing.set()
    done = await asyncio.gather(*watchers)

    async with _watching(catalog) as fresh:
        assert fresh.version == last
        agencies = {key: one for key, one in fresh.resources.items() if key[0] == pb.RESOURCE_KIND_AGENCY}
        assert len([code for _, code in agencies if code.startswith(f"{place.code}.")]) == 100 + 3
        for watcher in done:
            assert watcher.version == last
            assert {
                key: one for key, one in watcher.resources.items() if key[0] == pb.RESOURCE_KIND_AGENCY
            } == agencies
        assert any("delta" in watcher.seen for watcher in done)


async def test_many_changes_at_once_come_as_one_delta_in_parts(catalog: Catalog, place: Province) -> None:
    async with _watching(catalog) as watcher:
        before = watcher.version
        version = await _apply(catalog.operator(), *(place.agency(f"{number:03}") for number in range(600)))
        first = await watcher.next()
        assert (first.delta.from_version, first.delta.more, watcher.version) == (before, True, before)
        await watcher.reach(version)
    assert "snapshot" not in watcher.seen[watcher.seen.index("delta") :]
    assert len([code for _, code in watcher.resources if code.startswith(f"{place.code}.")]) == 600


async def test_a_watch_goes_on_from_the_version_that_it_had(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    await _apply(operator, *place.everything())
    async with _watching(catalog) as watcher:
        pass
    version = await _apply(operator, place.agency(name=name("Khác")))
    for mark, expected in ((watcher.mark, "delta"), ("another history", "snapshot"), ("", "snapshot")):
        async with open_channel(catalog.rpc, rpc_trust()) as channel:
            request = pb.WatchRequest(
                node="test", in_parts=True, from_version=watcher.version, from_mark=mark
            )
            again = Watcher(RoutesStub(channel).Watch(request))
            again.version, again.resources = watcher.version, dict(watcher.resources)
            await again.whole()
        assert (again.seen[-1], again.version) == (expected, version)
        async with _watching(catalog) as fresh:
            assert again.resources == fresh.resources


async def test_a_follower_with_a_newer_version_is_sent_everything_and_told_in_the_log(
    catalog: Catalog, place: Province
) -> None:
    """As after a database that was replaced by an older copy; see also `tests/faults`."""
    version = await _apply(catalog.operator(), *place.everything())
    async with _watching(catalog) as watcher:
        known = {"from_version": version + 3, "from_mark": "of changes that are gone"}
        async with open_channel(catalog.rpc, rpc_trust()) as channel:
            ahead = Watcher(
                RoutesStub(channel).Watch(pb.WatchRequest(node="ahead", in_parts=True, **known))  # type: ignore[arg-type]
            )
            await ahead.whole()
    assert ahead.version == version
    assert ahead.resources == watcher.resources
    log = (catalog.folder / "catalog.log").read_text(encoding="utf-8").splitlines()
    told = [line for line in map(json.loads, log) if "a follower has a newer version" in line["event"]]
    assert [(one["level"], one["watcher"], one["version"], one["follower"]) for one in told] == [
        ("error", "ahead", version, version + 3)
    ]


async def test_a_watch_that_takes_no_parts_is_told_what_to_upgrade_first(catalog: Catalog) -> None:
    async with open_channel(catalog.rpc, rpc_trust()) as channel:
        with pytest.raises(grpc.aio.AioRpcError, match="upgrade gateways and the exchange before") as refused:
            await anext(aiter(RoutesStub(channel).Watch(pb.WatchRequest(node="test"))))
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_watch_gets_what_decides_and_nothing_else(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    await _apply(operator, *place.everything())
    async with _watching(catalog) as watcher:
        shown = watcher.agreement(place.agreement_id)
        assert (shown.consumer_id, shown.service_id) == (place.consumer, place.service_id)
        assert (list(shown.purposes), shown.legal_ground) == ([], ""), "nobody has approved it"
        await _post(operator, f"/agreements/{place.agreement_id}/reject", legal_ground="Luật Dữ liệu 2024")
        update = await watcher.next()
        assert [key.id for key in update.delta.removals] == [place.agreement_id]
    async with open_channel(catalog.rpc, rpc_trust()) as channel:
        request = pb.WatchRequest(node="test", in_parts=True, agreements_on=[pb.RESOURCE_KIND_EVENT_TYPE])
        events = Watcher(RoutesStub(channel).Watch(request))
        await events.whole()
    agreements = [one.agreement for one in events.resources.values() if one.HasField("agreement")]
    assert all(one.WhichOneof("target") == "event_type_id" for one in agreements)


@pytest.mark.parametrize("bus", ["with the bus", "without the bus"])
async def test_a_change_in_one_replica_reaches_watchers_of_another_within_a_second(
    own_catalog: Catalog,
    own_nats_server: NatsServer,
    place: Province,
    bus: str,
) -> None:
    operator = own_catalog.operator()
    await _apply(operator, *place.without_agreement(), place.agreement(status="approved"))
    with own_catalog.replica() as replica:
        async with _watching(replica) as watcher:
            if bus == "without the bus":
                own_nats_server.kill()
            await _post(operator, f"/agreements/{place.agreement_id}/revoke", reason="Thử")
            answered = time.monotonic()
            await watcher.next()
            waited = time.monotonic() - answered
    assert watcher.agreement(place.agreement_id).status == pb.AGREEMENT_STATUS_REVOKED
    assert waited < allowed_s(0.9)


async def test_a_catalog_without_its_database_confirms_nothing(
    tmp_path: Path, identity: Identity, own_nats_server: NatsServer, postgres_database: str, place: Province
) -> None:
    with running_catalog(
        tmp_path, identity, database_url=postgres_database, nats_url=own_nats_server.url
    ) as catalog:
        await _apply(catalog.operator(), *place.everything())
        async with _watching(catalog) as watcher:
            await asyncio.to_thread(take_away, postgres_database)
            lost = last_beat = time.monotonic()

            async def follow() -> None:
                nonlocal last_beat
                while True:
                    await watcher.take()
                    last_beat = time.monotonic()

            with pytest.raises(grpc.aio.AioRpcError, match="cannot read its database") as ended:
                await follow()
            assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
            assert last_beat - lost < CERTAIN_SECONDS + allowed_s(0.5)
            assert time.monotonic() - lost < CERTAIN_SECONDS + allowed_s(2 * HEARTBEAT_SECONDS)
        with pytest.raises(grpc.aio.AioRpcError, match="cannot read its database"):
            async with _watching(catalog):
                pass
        await asyncio.to_thread(give_back, postgres_database)
        version = await _apply(catalog.operator(), place.agency(name=name("Khác")))
        async with _watching(catalog) as watcher:
            assert watcher.version == version
            assert (await watcher.take()).WhichOneof("update") == "heartbeat"


async def test_a_catalog_stops_well_while_it_is_watched(
    tmp_path: Path, identity: Identity, own_nats_server: NatsServer
) -> None:
    with running_catalog(
        tmp_path,
        identity,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/catalog.db",
        nats_url=own_nats_server.url,
    ) as catalog:
        async with _watching(catalog):
            assert await asyncio.to_thread(catalog.stop) == 0
