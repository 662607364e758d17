"""Over real sockets and event loops callers' bytes are the same calls as in memory, where they are fuzzed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.gateway.http1.fields import written
from lienthong.gateway.http1.listener import Door, Listener
from tests.fuzz import inputs
from tests.fuzz.callers import play, without_interim
from tests.fuzz.clock import VirtualLoop
from tests.fuzz.script import Script, read_script
from tests.fuzz.service import DATE, MAX_HEAD, Outcome, Owner, Serve
from tests.integration.gateway.http1.wire import on_both_loops

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from lienthong.gateway.http1.head import Unreadable
    from lienthong.gateway.http1.incoming import Incoming

AT_A_TIME = 100
WITHIN_S = 30.0


@dataclass
class Case:
    """A stream, and what comes of it in memory."""

    script: Script
    expected: Outcome


class Service:
    """Each caller has an address of its own, and what serves it."""

    def __init__(self) -> None:
        self.owners: dict[str, Owner] = {}
        self.unread: Counter[str] = Counter()

    def serve(self, incoming: Incoming) -> Coroutine[None, None, None]:
        assert incoming.ip is not None
        return self.owners[incoming.ip].serve(incoming)

    def unreadable(self, reason: Unreadable) -> tuple[int, Sequence[bytes], bytes]:
        self.unread[reason.value] += 1
        return 400, written([DATE, (b"content-length", b"0")]), b""


def cases() -> list[Case]:
    """All streams that are kept, each read to its end; without those of which more would have to come."""
    found = []
    for stream in dict.fromkeys(data[5:] for data in inputs.kept("callers")):
        script = read_script(b"20000" + stream)
        if script is None:
            continue
        expected = VirtualLoop().play(play(script, (script.stream,)))
        waits = "slow" in expected.counted or any(call.broken == "DEADLINE" for call in expected.calls)
        # How much may stand between two parts of a body depends on the pieces.
        in_pieces = VirtualLoop().play(play(script, script.pieces))
        large = any(call.broken == "TOO_LARGE" for call in (*expected.calls, *in_pieces.calls))
        if not waits and not large:
            found.append(Case(script, expected))
    return found


async def send(case: Case, address: str, port: int) -> bytes:
    """Send a stream from an address, in pieces; returns what is answered, as much as is expected."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    received = b""
    try:
        async with asyncio.timeout(WITHIN_S):
            for piece in case.script.pieces:
                if writer.is_closing():
                    # uvloop refuses what nobody can get any more; asyncio drops it.
                    break
                writer.write(piece)
                await asyncio.sleep(0)
            while len(without_interim(received)) < len(case.expected.sent):
                try:
                    part = await reader.read(65536)
                except ConnectionError:
                    # Sending failed after the answer had come: asyncio tells that first.
                    received += bytes(reader._buffer)  # type: ignore[attr-defined]
                    break
                if not part:
                    break
                received += part
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return without_interim(received)


@on_both_loops
async def test_over_sockets_the_same_bytes_are_the_same_calls() -> None:
    service, all_cases = Service(), await asyncio.to_thread(cases)
    assert len(all_cases) > 100
    with socket.create_server(("127.0.0.1", 0), backlog=AT_A_TIME) as port:
        listener = Listener(
            [Door(port)], service, most=2 * AT_A_TIME, max_head=MAX_HEAD, idle_s=60, stall_s=60
        )
        listener.open()
        number = port.getsockname()[1]
        limit = asyncio.Semaphore(AT_A_TIME)

        async def one(index: int, case: Case) -> None:
            address = f"127.1.{index >> 8}.{index & 255}"
            owner = service.owners[address] = Owner(Serve.READ)
            async with limit:
                sent = await send(case, address, number)
            assert (sent, owner.outcome.calls, owner.failures) == (
                without_interim(case.expected.sent),
                case.expected.calls,
                [],
            ), case.script.stream

        await asyncio.gather(*(one(index, case) for index, case in enumerate(all_cases, 1)))
        await listener.close(5)
    assert service.unread == Counter(reason for case in all_cases for reason in case.expected.unreadable)
