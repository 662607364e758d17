"""Publish, pull, acknowledge over real HTTP, gRPC and NATS, on both databases."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import nats
import pytest
from sqlalchemy import select

from lienthong.exchange.bootstrap import SCHEMA
from lienthong.exchange.models import Subscription
from lienthong.kit.database import Database
from tests.integration.exchange.world import (
    ACK_WAIT,
    LAND,
    ONE_STOP,
    OUTSIDER,
    ids,
    revoked,
    system,
)
from tests.support.promises import allowed_s
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import httpx

    from tests.integration.exchange.world import Party, World


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert answer.headers["lgsp-error"] == document["code"]
    return answer.status_code, document["code"]


def test_an_event_goes_from_publisher_to_subscriber_and_is_done(party: Party) -> None:
    party.subscribe()
    (receipt,) = party.publish("e-1")
    assert receipt["id"] == "e-1"
    assert receipt["duplicate"] is False
    (pulled,) = party.pull()
    assert pulled["event"] == party.event("e-1")
    assert (pulled["delivered"], pulled["sequence"]) == (1, receipt["sequence"])
    assert party.ack([pulled]) == {"acknowledged": [pulled["ack"]], "refused": []}
    assert party.pull(wait=ACK_WAIT + 1.5) == []


def test_binary_and_structured_modes_arrive_as_the_same_document(party: Party) -> None:
    party.subscribe()
    structured = party.land.post(
        f"/events/{party.event_type}",
        content=json.dumps(party.event("s", subject="Thửa 27")),
        headers={"Content-Type": "application/cloudevents+json; charset=utf-8"},
    )
    binary = party.land.post(
        f"/events/{party.event_type}",
        content=b'{"parcel": "b"}',
        headers={
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": "b",
            "ce-source": party.source,
            "ce-type": party.event_type,
            "ce-subject": "Th%E1%BB%ADa%2027",
        },
    )
    assert (structured.status_code, binary.status_code) == (202, 202)
    first, second = (one["event"] for one in party.pull())
    assert first == party.event("s", subject="Thửa 27")
    assert second == party.event("b", subject="Thửa 27", datacontenttype="application/json")


@pytest.mark.parametrize("first", ["structured", "binary"])
def test_a_retry_in_the_other_content_mode_is_a_duplicate_whatever_the_attributes(
    party: Party, first: str
) -> None:
    party.subscribe()
    leap = "2026-12-31T23:59:60Z"
    event = party.event("e-1", time=leap, approved=True, revision=7, digest="3q2+7w==", recorded=leap)
    url = f"/events/{party.event_type}"
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "ce-specversion": "1.0",
        "ce-id": "e-1",
        "ce-source": party.source,
        "ce-type": party.event_type,
        "ce-time": leap,
        "ce-approved": "true",
        "ce-revision": "7",
        "ce-digest": "3q2+7w==",
        "ce-recorded": leap,
    }
    structured = {"Content-Type": "application/cloudevents+json"}

    def send(mode: str) -> list[dict[str, Any]]:
        if mode == "structured":
            answer = party.land.post(url, content=json.dumps(event), headers=structured)
        else:
            answer = party.land.post(url, content=json.dumps(event["data"]), headers=headers)
        assert answer.status_code == 202, answer.text
        accepted: list[dict[str, Any]] = answer.json()["accepted"]
        return accepted

    other = "binary" if first == "structured" else "structured"
    assert [one["duplicate"] for one in send(first) + send(other)] == [False, True]
    (pulled,) = party.pull()
    as_text = {"approved": "true", "revision": "7", "datacontenttype": "application/json; charset=utf-8"}
    assert pulled["event"] == (event if first == "structured" else event | as_text)


def test_a_pull_that_does_not_wait_takes_what_is_there(party: Party) -> None:
    party.subscribe()
    party.publish("1", "2")
    assert ids(party.pull(wait=0)) == ["1", "2"]


def test_events_come_in_the_order_they_were_published(party: Party) -> None:
    party.subscribe()
    numbers = [str(number) for number in range(250)]
    for start in range(0, 250, 100):
        party.publish(*numbers[start : start + 100])
    taken: list[str] = []
    while len(taken) < 250:
        events = party.pull(most=60)
        party.ack(events)
        taken += ids(events)
    assert taken == numbers


def test_what_is_not_acknowledged_comes_again_before_anything_newer(party: Party) -> None:
    party.subscribe()
    party.publish("1", "2", "3")
    first = party.pull()
    assert ids(first) == ["1", "2", "3"]
    party.ack(first[1:2])
    party.publish("4")
    assert party.pull(wait=0) == []
    again = party.pull(most=1, wait=ACK_WAIT + 15)
    assert [(one["event"]["id"], one["delivered"]) for one in again] == [("1", 2)]
    party.ack(again)
    rest: list[str] = []
    while rest != ["3", "4"]:
        events = party.pull(wait=ACK_WAIT + 15)
        party.ack(events)
        rest += ids(events)
        assert rest == ["3", "4"][: len(rest)]


@pytest.mark.parametrize("most", [1, 2, 10])
def test_what_comes_again_comes_in_the_order_of_acceptance_however_it_was_pulled(
    party: Party, most: int
) -> None:
    party.subscribe()
    party.publish("1", "2", "3")
    # Each is overdue later than those before it, and the first of them last of all.
    assert ids(party.pull()) == ["1", "2", "3"]
    assert ids(party.pull(most=1, wait=ACK_WAIT + 15)) == ["1"]
    party.publish("4")
    taken: list[str] = []
    while taken[-1:] != ["4"]:
        events = party.pull(most=most, wait=ACK_WAIT + 15)
        taken += ids(events)
        party.ack(events)
    assert taken == ["1", "2", "3", "4"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_neither_stops_nor_disorders_a_subscription(
    party: Party, world: World, hours: int
) -> None:
    party.subscribe()
    party.publish("1")
    assert ids(party.pull()) == ["1"]
    # What the database has then, to a clock that was set by so many hours meanwhile.
    asyncio.run(_move_leases(world.environment["LIENTHONG_EXCHANGE_DATABASE_URL"], timedelta(hours=-hours)))
    party.publish("2")
    assert party.pull(wait=0) == []
    taken: list[str] = []
    deadline = time.monotonic() + 2 * ACK_WAIT + 40
    while len(taken) < 2 and time.monotonic() < deadline:
        if events := party.pull(wait=1):
            party.ack(events)
        taken += ids(events)
    assert taken == ["1", "2"]


async def _move_leases(url: str, by: timedelta) -> None:
    database = Database.open(url, schema=SCHEMA)
    async with database.transaction() as session:
        held = await session.scalars(select(Subscription).where(Subscription.lease_until.is_not(None)))
        for subscription in held:
            assert subscription.lease_until is not None
            subscription.lease_until += by
    await database.close()


def test_a_pull_whose_events_are_acknowledged_lets_the_next_begin_at_once(party: Party) -> None:
    party.subscribe()
    party.publish("1", "2")
    party.ack(party.pull(most=1))
    before = time.monotonic()
    assert ids(party.pull(most=1)) == ["2"]
    assert time.monotonic() - before < ACK_WAIT


def test_workers_of_an_unordered_subscription_share_the_events(party: Party) -> None:
    party.subscribe(ordered=False)
    party.publish("1", "2", "3", "4")
    assert ids(party.pull(most=2)) == ["1", "2"]
    assert ids(party.pull(most=2)) == ["3", "4"]


def test_two_pulls_at_once_deliver_nothing_twice_and_nothing_out_of_order(party: Party) -> None:
    party.subscribe()
    party.publish(*(str(number) for number in range(10)))
    taken: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: taken.append(ids(party.pull(most=5, wait=0.5)))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [[], [], ["0", "1", "2", "3", "4"]]


def test_a_waiting_pull_is_answered_when_an_event_comes(party: Party) -> None:
    party.subscribe()
    timer = threading.Timer(1.0, lambda: party.publish("late"))
    timer.start()
    before = time.monotonic()
    assert ids(party.pull(wait=20)) == ["late"]
    assert time.monotonic() - before < allowed_s(5)


def test_a_subscription_begins_at_its_making_or_at_the_first_event(party: Party) -> None:
    party.publish("old")
    party.subscribe()
    party.publish("new")
    assert ids(party.pull()) == ["new"]
    party.subscription += "-all"
    party.subscribe(start="all")
    assert ids(party.pull()) == ["old", "new"]


def test_subscribers_do_not_take_from_each_other(party: Party) -> None:
    names = [party.subscription + suffix for suffix in ("-a", "-b")]
    for name in names:
        party.subscription = name
        party.subscribe()
    party.publish("1")
    for name in names:
        party.subscription = name
        assert ids(party.pull()) == ["1"]


def test_a_retry_is_told_as_a_duplicate_and_delivered_once(party: Party) -> None:
    party.subscribe()
    first = party.publish("1", "2")
    second = party.publish("1", "2", "3")
    assert [one["duplicate"] for one in second] == [True, True, False]
    assert [one["sequence"] for one in second[:2]] == [one["sequence"] for one in first]
    assert ids(party.pull()) == ["1", "2", "3"]


def test_an_id_cannot_be_used_for_another_event(party: Party) -> None:
    party.publish("1")
    answer = party.post_batch([party.event("1", data={"parcel": "other"})])
    assert refused(answer) == (409, "event-id-reused")


def test_one_wrong_event_refuses_the_whole_batch(party: Party) -> None:
    party.subscribe()
    answer = party.post_batch([party.event("1"), party.event("2", data={"parcel": 2})])
    assert refused(answer) == (422, "schema-mismatch")
    assert answer.json()["errors"] == [{"pointer": "/1/data/parcel", "detail": 'breaks type: "string"'}]
    assert party.pull(wait=0.5) == []


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", b"hello", (415, "unsupported-media-type")),
        ("application/cloudevents+json", b"{", (400, "malformed-event")),
        ("application/cloudevents+json", b"{}", (400, "malformed-event")),
        ("application/cloudevents-batch+json", b"[]", (413, "batch-too-large")),
        ("application/cloudevents+json", b" " * (26 * 1024 * 1024), (413, "event-too-large")),
    ],
)
def test_what_is_no_event_is_refused(
    party: Party, content_type: str, body: bytes, expected: tuple[int, str]
) -> None:
    url = f"/events/{party.event_type}"
    answer = party.land.post(url, content=body, headers={"Content-Type": content_type})
    assert refused(answer) == expected


def test_an_event_of_256_kib_goes_through_and_a_larger_one_does_not(party: Party) -> None:
    party.subscribe()
    room = 256 * 1024 - len(json.dumps(party.event("1", data={"parcel": ""}), separators=(",", ":")))
    assert party.post_batch([party.event("1", data={"parcel": "x" * room})]).status_code == 202
    larger = party.post_batch([party.event("2", data={"parcel": "x" * (room + 1)})])
    assert refused(larger) == (413, "event-too-large")
    assert len(party.pull()[0]["event"]["data"]["parcel"]) == room


def test_systems_without_a_right_neither_publish_nor_subscribe_nor_see_anything(
    world: World, party: Party
) -> None:
    party.subscribe()
    party.publish("1")
    with world.client(OUTSIDER) as outsider:
        url, headers = f"/events/{party.event_type}", {"Content-Type": "application/cloudevents+json"}
        publish = outsider.post(url, content=json.dumps(party.event("x")), headers=headers)
        assert refused(publish) == (403, "not-the-provider")
        subscribe = outsider.put("/subscriptions/mine", json={"event_type": party.event_type})
        assert refused(subscribe) == (403, "no-agreement")
        assert refused(outsider.post(f"{party.subscription}/pull", json={})) == (404, "unknown-subscription")
        assert refused(outsider.get(party.subscription)) == (404, "unknown-subscription")
        assert refused(outsider.delete(party.subscription)) == (404, "unknown-subscription")
        assert outsider.get("/subscriptions").json() == {"items": []}


def test_a_token_with_the_scope_is_needed(world: World, party: Party) -> None:
    with world.client(LAND, scope="api") as without_scope:
        assert refused(without_scope.post(f"/events/{party.event_type}")) == (403, "insufficient-scope")
        without_scope.headers["Authorization"] = "Bearer nonsense"
        assert refused(without_scope.get("/subscriptions")) == (401, "token-refused")
        del without_scope.headers["Authorization"]
        assert refused(without_scope.get("/subscriptions")) == (401, "no-token")


def test_an_event_type_nobody_registered_is_told(world: World) -> None:
    with world.client(LAND) as land:
        assert refused(land.post(f"/events/{LAND}/nothing-v1")) == (404, "unknown-event-type")


def test_a_revoked_agreement_ends_the_pull_that_is_waiting_and_all_later_ones(
    world: World, party: Party
) -> None:
    party.subscribe()
    answers: list[tuple[float, Any]] = []

    def wait() -> None:
        url = f"{party.subscription}/pull"
        answer = party.one_stop.post(url, json={"wait_seconds": 20})
        answers.append((time.monotonic(), refused(answer)))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(1)
    before = time.monotonic()
    world.catalog.put(revoked(party.event_type))
    waiting.join()
    ((after, answer),) = answers
    assert answer == (403, "agreement-revoked")
    assert after - before < allowed_s(2)
    assert refused(party.one_stop.post(f"{party.subscription}/pull", json={})) == (403, "agreement-revoked")
    again = party.one_stop.put(f"{party.subscription}-2", json={"event_type": party.event_type})
    assert refused(again) == (403, "agreement-revoked")


@pytest.mark.parametrize("ordered", [True, False])
def test_a_pull_that_waits_ends_when_its_subscription_is_deleted_and_makes_nothing_anew(
    world: World, party: Party, ordered: bool
) -> None:
    party.subscribe(ordered=ordered)
    party.publish("1")
    consumers = asyncio.run(_consumers(world))
    # In order, a pull waits for the lease of the one before it; otherwise, for events.
    assert ids(party.pull()) == ["1"]
    answers: list[tuple[int, str]] = []

    def wait() -> None:
        answers.append(refused(party.one_stop.post(f"{party.subscription}/pull", json={"wait_seconds": 30})))

    waiting = [threading.Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    time.sleep(1)
    assert party.one_stop.delete(party.subscription).status_code == 204
    for thread in waiting:
        thread.join()
    assert answers == [(404, "unknown-subscription")] * 3
    assert len(asyncio.run(_consumers(world))) == len(consumers) - 1


async def _consumers(world: World) -> set[str]:
    client = await nats.connect(world.nats.url)
    try:
        return {one.name for one in await client.jetstream().consumers_info("EVENTS")}
    finally:
        await client.close()


def test_a_suspended_provider_is_refused_at_once_and_nothing_is_lost(
    world: World, party: Party, suspended_land: None
) -> None:
    wait_until(lambda: party.post("1").status_code == 403, within=allowed_s(2))
    assert refused(party.post("2")) == (403, "client-suspended")
    answer = party.one_stop.put(party.subscription, json={"event_type": party.event_type})
    assert refused(answer) == (403, "provider-suspended")


@pytest.fixture
def suspended_land(world: World, party: Party) -> Any:  # noqa: ANN401
    from lienthong.contracts.catalog.v1 import routes_pb2

    world.catalog.put(system(LAND, routes_pb2.STATUS_SUSPENDED))
    yield
    world.catalog.put(system(LAND))
    wait_until(lambda: party.post("back").status_code == 202)


def test_tokens_are_good_for_their_own_subscription_only(party: Party) -> None:
    party.subscribe()
    mine = party.subscription
    party.subscription = f"{mine}-other"
    party.subscribe()
    party.publish("1")
    (foreign,) = party.pull()
    party.subscription = mine
    (own,) = party.pull()
    forged = own["ack"][:-4] + "AAAA"
    answer = party.one_stop.post(f"{mine}/ack", json={"ack": [foreign["ack"], forged, "", own["ack"]]})
    result = answer.json()
    assert result["acknowledged"] == [own["ack"]]
    assert [one["token"] for one in result["refused"]] == [foreign["ack"], forged, ""]
    party.subscription = f"{mine}-other"
    assert ids(party.pull(wait=ACK_WAIT + 15)) == ["1"]


def test_acknowledging_twice_or_late_is_accepted(party: Party) -> None:
    party.subscribe()
    party.publish("1")
    first = party.pull()
    again = party.pull(wait=ACK_WAIT + 15)
    assert (ids(again), again[0]["delivered"]) == (["1"], 2)
    assert party.ack(first)["refused"] == []
    assert party.ack(first + again)["refused"] == []
    assert party.pull(wait=ACK_WAIT + 2) == []


def test_a_subscription_is_made_once_shown_and_forgotten(party: Party) -> None:
    party.subscribe()
    spec = {"event_type": party.event_type}
    again = party.one_stop.put(party.subscription, json=spec)
    assert again.status_code == 200
    name = party.subscription.rpartition("/")[2]
    assert again.json()["name"] == name
    assert party.one_stop.get(party.subscription).json() == again.json()
    assert name in [one["name"] for one in party.one_stop.get("/subscriptions").json()["items"]]
    other = party.one_stop.put(party.subscription, json={**spec, "ordered": False})
    assert refused(other) == (409, "subscription-exists")
    assert party.one_stop.delete(party.subscription).status_code == 204
    assert refused(party.one_stop.get(party.subscription)) == (404, "unknown-subscription")
    party.publish("1")
    party.subscribe()
    assert party.pull(wait=0.5) == []


def test_asked_for_many_times_at_once_a_subscription_is_made_once(party: Party) -> None:
    statuses: list[int] = []
    spec = {"event_type": party.event_type}
    threads = [
        threading.Thread(
            target=lambda: statuses.append(party.one_stop.put(party.subscription, json=spec).status_code)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({}, "/event_type"),
        ({"event_type": "../../x"}, "/event_type"),
        ({"event_type": f"{LAND}/changed-v1", "more": 1}, "/more"),
        ({"event_type": f"{LAND}/changed-v1", "start": "yesterday"}, "/start"),
    ],
)
def test_a_wrong_subscription_is_refused_with_the_place(
    world: World, spec: dict[str, Any], pointer: str
) -> None:
    with world.client(ONE_STOP) as one_stop:
        answer = one_stop.put("/subscriptions/inbox", json=spec)
        assert refused(answer) == (422, "invalid-request")
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert one_stop.put("/subscriptions/Not%20A%20Name", json=spec).status_code == 422
