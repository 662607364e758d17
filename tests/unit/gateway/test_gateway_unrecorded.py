"""A call that cannot be recorded holds nothing of its provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.kit.messages import BusError
from tests.unit.gateway.way import PROVIDER, Way

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"8\r\ndata: 1\n\r\n"
)


async def test_an_endless_answer_that_cannot_be_recorded_lets_go_of_its_provider(tmp_path: Path) -> None:
    way = Way(tmp_path, None, 0)
    await way.open()

    async def lost(*_: Any, **__: Any) -> None:  # noqa: ANN401
        raise BusError("the bus takes nothing")

    way.bus.publish = lost  # type: ignore[method-assign, assignment]
    # Nor does the disk: where the folder would be made, there is a file.
    (tmp_path / "spool").touch()
    way.answers = [EVENTS]
    try:
        wire = way.wire()
        wire.send(
            f"GET /api/{PROVIDER}/parcels-v1/p/waiting HTTP/1.1\r\nhost: g\r\n"
            f"authorization: Bearer {way.token()}\r\n\r\n".encode()
        )
        await wire.settle()
        [answer] = wire.answers()
        assert (answer.status, b"audit-unavailable" in answer.body) == (503, True)
        assert way.pool.connections() == (0, 0)
    finally:
        await way.close()
