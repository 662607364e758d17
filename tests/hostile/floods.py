"""What goes on all the time while others work: floods, slow readers, and requests that wait for ever."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.hostile.world import HOSTILE
from tests.support.platform import PURPOSE, SERVICE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    import httpx

    from tests.hostile.world import World

SLOW_READERS = 40
_PIPELINED = 500
_MOMENT = "2026-11-01 00:00:00.000000"


def leave_requests(world: World, name: str, count: int) -> None:
    """Have `count` requests for agreements of the hostile tenant that nobody has decided.

    They are written into the catalog's database, as its limits now let no system have so many.
    """
    spec = {"consumer": HOSTILE, "service": SERVICE, "purposes": [PURPOSE], "legalGround": "Thử"}
    shared = (json.dumps(spec, ensure_ascii=False), HOSTILE, SERVICE, _MOMENT)
    with (
        closing(sqlite3.connect(world.platform.home / "catalog" / "catalog.db", timeout=30)) as database,
        database,
    ):
        ((version,),) = database.execute("UPDATE head SET version = version + ? RETURNING version", (count,))
        numbered = [(f"{HOSTILE}/{name}-{number}", version - number) for number in range(count)]
        database.executemany(
            "INSERT INTO agreements"
            " (id, version, spec, consumer_id, service_id, status, created_at, updated_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, 'requested', ?6, ?6)",
            [(*one, *shared) for one in numbered],
        )
        database.executemany(
            "INSERT INTO changes VALUES (?2, 'Agreement', ?1, ?3, ?1, ?4)",
            [(*one, HOSTILE, _MOMENT) for one in numbered],
        )


@contextmanager
def floods(world: World) -> Iterator[list[int]]:
    """Strangers who ask for tokens and services, a tenant who asks for agreements, callers who hardly read.

    Gives, when the block has ended, how many requests each of them has made.
    """
    enough = threading.Event()
    sent: list[int] = []

    def flood(client: Callable[[], httpx.Client], path: str, method: str) -> None:
        with client() as http:
            number = 0
            while not enough.is_set():
                number += 1
                document = {
                    "id": f"flood-{number}",
                    "service": SERVICE,
                    "purposes": [PURPOSE],
                    "legalGround": "Thử",
                }
                http.request(method, path, json=document if method == "POST" else None)
        sent.append(number)

    tried: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
        (flood, (world.stranger, "/oauth2/token", "POST")),
        (flood, (world.stranger, f"/api/{SERVICE}/parcels/1", "GET")),
        (flood, (world.tenant, "/catalog/v1/agreements", "POST")),
        (flood, (world.tenant, f"/api/{SERVICE}/parcels/1", "GET")),
        (_read_slowly, (world, enough)),
    ]
    threads = [threading.Thread(target=act, args=given) for act, given in tried]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        enough.set()
        for thread in threads:
            thread.join(30)


def _read_slowly(world: World, enough: threading.Event) -> None:
    """Ask for far more than fits into the kernel's buffers, and read a byte now and then."""
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * _PIPELINED
    readers: list[socket.socket] = []
    try:
        while not enough.is_set():
            while len(readers) < SLOW_READERS:
                readers.append(world.connect())
                readers[-1].setblocking(False)
                with suppress(OSError):
                    readers[-1].send(ask)
            readers = [reader for reader in readers if _still_open(reader)]
            time.sleep(0.5)
    finally:
        for reader in readers:
            reader.close()


def _still_open(reader: socket.socket) -> bool:
    with suppress(BlockingIOError):
        try:
            read = reader.recv(1)
        except ConnectionError:
            read = b""
        if not read:
            reader.close()
            return False
    return True
