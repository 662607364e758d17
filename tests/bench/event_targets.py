"""Events published through the gateway, beside what nats-py alone does."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import TYPE_CHECKING

import nats

from tests.bench.answered import ledger_size, wait_for_ledger
from tests.bench.sender import UnexpectedAnswerError, request, send
from tests.bench.target import Target
from tests.support.nats import NatsServer
from tests.support.platform import CONSUMER, named
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from lienthong.client import Client
    from tests.support.platform import Platform

EVENT_TYPE = f"{CONSUMER}/parcel-changed-v1"
BATCH = 100
AT_ONCE = 16
MOST_PER_S = 10_000
"""More than are to be expected: so many requests are made before."""
ACCEPTED = 202
_SCHEMA = {
    "type": "object",
    "required": ["parcel", "area"],
    "properties": {"parcel": {"type": "integer"}, "area": {"type": "number"}},
}


def events(
    platform: Platform, client: Client, sender: Executor, folder: Path, rounds: int, seconds: float
) -> list[Target]:
    """Events a second of one publisher, beside one acknowledged publish of nats-py after the other.

    The server of nats-py alone is one of its own with the same settings: each publish is on disk before it is
    acknowledged. Events have the size of those that are published through the gateway.
    """
    with platform.operator() as operator:
        operator.apply(
            [named("EventType", EVENT_TYPE, "Thửa đất đã đổi", "Parcel changed", {"dataSchema": _SCHEMA})]
        )
    port = platform.settings.port("gateway")
    number = iter(range(10**9))
    size, sent_requests, found = ledger_size(platform), 0, []
    server = NatsServer(folder, take_free_port()).start()
    try:
        _until_known(port, client, number)
        for _ in range(rounds):
            figures = {}
            raw = sender.submit(_raw_publishes, server.url, len(_event(0)), seconds).result()
            figures["nats_per_s"] = raw
            for name, connections, events_each in (
                ("one_by_one_per_s", 1, 1),
                ("sixteen_at_once_per_s", AT_ONCE, 1),
                ("batches_per_s", 1, BATCH),
            ):
                most = round(MOST_PER_S * seconds) // events_each
                requests = [_publish(client, number, events_each) for _ in range(most)]
                sent = sender.submit(
                    send, port, requests, connections=connections, seconds=seconds, status=ACCEPTED
                ).result()
                figures[name] = sent.per_s * events_each
                sent_requests += sent.requests
            found.append(figures)
    finally:
        server.stop()
    wait_for_ledger(platform, size + sent_requests)

    def ratio(name: str) -> float:
        return statistics.median(one[name] / one["nats_per_s"] for one in found)

    def median(name: str) -> float:
        return statistics.median(one[name] for one in found)

    raw_note = f"beside {median('nats_per_s'):,.0f} of nats-py"
    one_note = (
        f"{median('one_by_one_per_s'):,.0f} events/s, one after the other, {raw_note}; {AT_ONCE} at a time "
        f"{median('sixteen_at_once_per_s'):,.0f}, {ratio('sixteen_at_once_per_s'):.2f} ×"
    )
    batch_note = f"{median('batches_per_s'):,.0f} events/s in batches of {BATCH}, {raw_note}"
    one, batches = ratio("one_by_one_per_s"), ratio("batches_per_s")
    return [
        Target("events, beside acknowledged publishes", "×", one, "at least", 0.5, one_note, found),
        Target("events in batches, beside the same", "×", batches, "at least", 2.0, batch_note),
    ]


def _raw_publishes(url: str, size: int, seconds: float) -> float:
    return asyncio.run(_publish_raw(url, b"x" * size, seconds))


async def _publish_raw(url: str, payload: bytes, seconds: float) -> float:
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="RAW", subjects=["raw"])
    number, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        await jetstream.publish("raw", payload, headers={"Nats-Msg-Id": f"{began}-{number}"})
        number += 1
    took = time.perf_counter() - began
    await connection.close()
    return number / took


def _until_known(port: int, client: Client, number: Iterator[int]) -> None:
    """Publish until the exchange has heard of the event type."""
    attempts = 100
    while True:
        try:
            send(port, [_publish(client, number, 1)], connections=1, status=ACCEPTED)
        except UnexpectedAnswerError:
            attempts -= 1
            if not attempts:
                raise
            time.sleep(0.1)
        else:
            return


def _event(number: int) -> bytes:
    return json.dumps(_document(number)).encode()


def _document(number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"event-{number:09}",
        "source": f"/{CONSUMER}",
        "type": EVENT_TYPE,
        "datacontenttype": "application/json",
        "data": {"parcel": number, "area": 250.5},
    }


def _publish(client: Client, number: Iterator[int], events_each: int) -> bytes:
    documents = [_document(next(number)) for _ in range(events_each)]
    kind = "application/cloudevents+json" if events_each == 1 else "application/cloudevents-batch+json"
    body = json.dumps(documents[0] if events_each == 1 else documents).encode()
    headers = {"Authorization": f"Bearer {client.token().value}", "Content-Type": kind}
    return request("POST", f"/exchange/v1/events/{EVENT_TYPE}", headers, body)
