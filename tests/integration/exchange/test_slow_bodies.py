"""Bodies that do not come to an end take no room from other publishers, and less than a pod has."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lienthong.kit.body_room import CALLERS_BYTES, MIB
from tests.integration.exchange.world import LAND
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.integration.exchange.world import Party, World

SIZE = 10 * MIB
"""The largest body that comes through the gateway."""
FIT = CALLERS_BYTES // SIZE


def begin_slow_body(world: World, path: str) -> socket.socket:
    """Begin a request whose body is said to have `SIZE` bytes, and send one of them."""
    address = urlsplit(world.url)
    connection = socket.create_connection((str(address.hostname), address.port or 0), timeout=30)
    head = (
        f"POST /exchange/v1{path} HTTP/1.1\r\nHost: exchange\r\n"
        f"Authorization: Bearer {world.identity.token(LAND, 'events')}\r\n"
        f"Content-Type: application/cloudevents+json\r\nContent-Length: {SIZE}\r\n\r\n"
    )
    connection.sendall(head.encode() + b"{")
    return connection


def answer_of(connection: socket.socket, *, within_s: float = 1) -> tuple[str, dict[str, str]] | None:
    """The status and the header fields of the answer; None where the rest of the body is waited for."""
    connection.settimeout(within_s)
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            part = connection.recv(65_536)
            assert part, "the connection was closed without an answer"
            received += part
    except TimeoutError:
        return None
    status, *fields = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    named = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    return status.split()[1], named


def test_slow_bodies_of_a_publisher_are_bounded_and_others_publish_meanwhile(
    world: World, party: Party
) -> None:
    path = f"/events/{party.event_type}"
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(begin_slow_body(world, path))) for _ in range(FIT)]
        answers = [answer_of(connection) for connection in slow]
        assert answers == [None] * FIT
        one_more = stack.enter_context(closing(begin_slow_body(world, path)))
        answer = answer_of(one_more, within_s=30)
        assert answer is not None
        status, fields = answer
        assert (status, fields["lgsp-error"], fields["retry-after"]) == ("429", "rate-limited", "1")
        assert party.one_stop.get("/subscriptions").status_code == 200
        assert party.post("small").status_code == 202, "small ones of the same publisher still fit"

    def publish_in_chunks() -> bool:
        event = json.dumps(party.event("whole")).encode()
        headers = {"Content-Type": "application/cloudevents+json"}
        return party.land.post(path, content=iter([event]), headers=headers).status_code == 202

    # A body in chunks needs room for the largest one: all of it is free again.
    wait_until(publish_in_chunks, world.log)
