"""Thousands of requests from a grammar: each has one proper answer or none, and they leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.gateway.generated import Generated, generated
from tests.integration.gateway.world import API, CONSUMER, OTHER_CONSUMER, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20261130
OF_A_ROUND, ROUNDS = 1_000, 5
AT_A_TIME, WAITS_S = 50, 0.2
MOST_GROWTH_KIB = 1_536
"""Between the first two rounds and the last two: half a KiB for each of the 3,000 requests. Without a ledger,
as here, something is kept of each record."""
ATTEMPTS = 3
_CODES = {
    *(
        "malformed-request",
        "method-not-allowed",
        "no-agreement",
        "no-token",
        "path-not-normal",
        "token-refused",
    ),
    *("unknown-operation", "unknown-path", "unknown-service"),
}
"""Problems that a run meets, among others."""
_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*\r\n")
_CODE = re.compile(rb"\r\nlgsp-error: ([a-z-]+)\r\n")


async def _answered(port: int, request: Generated) -> bytes:
    """Everything that comes back until the gateway closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(request.data)
            await writer.drain()
            # Of some requests more would have to come. Who ends its half is taken for gone, so that is last.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAITS_S):
                    received = await reader.read(1 << 16)
            writer.write_eof()
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                while part := await reader.read(1 << 16):
                    received += part
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return received


def _answers(received: bytes, request: Generated) -> Iterator[str]:
    """The status of each answer, or the code of its problem; each of them is whole.

    By mischance what was sent may be two requests.
    """
    while received:
        line = _STATUS.match(received)
        assert line is not None, (request, received)
        head, end, received = received.partition(b"\r\n\r\n")
        if line[1].startswith(b"1"):
            continue
        code = _CODE.search(head + end)
        yield (code or line)[1].decode()
        fields = dict(one.split(b": ", 1) for one in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        if request.method == b"HEAD" and (not received or _STATUS.match(received)):
            length = 0
        assert len(received) >= length, (request, head)
        received = received[length:]


async def _round(world: World, chosen: random.Random, tokens: list[bytes]) -> set[str]:
    room = asyncio.Semaphore(AT_A_TIME)

    async def one(request: Generated) -> list[str]:
        async with room:
            return list(_answers(await _answered(world.port, request), request))

    requests = [generated(chosen, tokens) for _ in range(OF_A_ROUND)]
    answers = await asyncio.gather(*map(one, requests))
    return {told for found in answers for told in found}


def _resident(world: World) -> int:
    """KiB of memory that the gateway's processes have of their own (proc(5), RssAnon)."""
    texts = (Path(f"/proc/{process}/status").read_text("ascii") for process in (world.pid, *world.workers))
    return sum(int(re.findall(r"^RssAnon:\s+(\d+) kB$", text, re.MULTILINE)[0]) for text in texts)


async def test_generated_requests_leave_it_serving_with_flat_memory(new_world: Callable[..., World]) -> None:
    world = await asyncio.to_thread(new_world)
    await asyncio.to_thread(world.start)
    chosen, seen = random.Random(SEED), set[str]()  # noqa: S311 - to be the same each time
    tokens = [world.token(CONSUMER).encode(), world.token(OTHER_CONSUMER).encode(), b"no.such.token"]
    seen |= await _round(world, chosen, tokens)
    # What disturbs a measurement only adds to it: growth that is there is seen in each attempt.
    growths = []
    for _ in range(ATTEMPTS):
        sizes = []
        for _ in range(ROUNDS):
            seen |= await _round(world, chosen, tokens)
            world.provider.seen.clear()
            sizes.append(_resident(world))
        growths.append(min(sizes[-2:]) - min(sizes[:2]))
        if growths[-1] <= MOST_GROWTH_KIB:
            break
    assert growths[-1] <= MOST_GROWTH_KIB, f"KiB in each attempt: {growths}"
    assert {"200", *_CODES} <= seen
    assert "internal-error" not in seen
    assert "Traceback" not in world.log.read_text()

    def call() -> int:
        with world.client() as client:
            return client.get(f"{API}/parcels/1").status_code

    assert await asyncio.to_thread(call) == 200
