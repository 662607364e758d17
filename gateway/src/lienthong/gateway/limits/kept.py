"""Keeps the use of days on disk, so that a restart forgets none of it.

A file for each worker of this machine, written anew about once a second while something changes:

    {"v": 1, "seats": {"01a2…": {"739943": {"one-stop-parcels": [calls, bytes]}}}}

It has what this worker has used, and what those used that are gone. Processes that live keep their own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
import structlog

from lienthong.gateway.limits.messages import Heard
from lienthong.kit.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.limits.peers import Peers

_EVERY_S: Final = 1.0
_SHARE: Final = 50
"""It rests for so many times as long as the last writing took, if that is longer."""
_LARGEST_BYTES: Final = 64 * 1024 * 1024

_Counts = tuple[Annotated[int, msgspec.Meta(ge=0, le=2**60)], Annotated[int, msgspec.Meta(ge=0, le=2**60)]]

_log = structlog.get_logger(__name__)


class _File(msgspec.Struct):
    v: Literal[1]
    seats: dict[str, dict[str, dict[str, _Counts]]]


class KeptUse:
    """The files of one machine; this process writes the one of its number."""

    def __init__(self, folder: Path, number: int, limiter: Limiter, peers: Peers) -> None:
        self._folder = folder
        self._path = folder / f"{number}.json"
        self._limiter = limiter
        self._peers = peers
        self._written = 0

    def load(self) -> None:
        """Take in what was kept; a file that cannot be read is logged and left out."""
        today = self._limiter.calendar.day(self._limiter.now())
        for path in sorted(self._folder.glob("*.json")):
            try:
                if path.stat().st_size > _LARGEST_BYTES:
                    raise ValueError(f"larger than {_LARGEST_BYTES} bytes")  # noqa: TRY301 - as any other
                kept = msgspec.json.decode(path.read_bytes(), type=_File)
                for seat, days in kept.seats.items():
                    for day, counts in days.items():
                        if abs(int(day) - today) > 1:
                            continue
                        for agreement, (calls, size) in counts.items():
                            self._peers.learn(Heard(seat, agreement, int(day), calls, size))
            except (OSError, ValueError) as error:
                _log.error("what agreements used today cannot be read", file=str(path), error=str(error))

    async def run(self) -> None:
        """Write while something changes, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            if self._limiter.number != self._written:
                await self.save()
            await asyncio.sleep(max(_EVERY_S, _SHARE * (loop.time() - began)))

    async def save(self) -> None:
        """Write the present state, if it can be."""
        number, content = self._limiter.number, self._content()
        try:
            await asyncio.to_thread(replace_file, self._path, content)
        except OSError as error:
            _log.error("what agreements used today cannot be kept", file=str(self._path), error=str(error))
        else:
            self._written = number

    def _content(self) -> bytes:
        seats: dict[str, dict[str, dict[str, _Counts]]] = {}
        own = self._limiter.seat
        for number, day in self._limiter.days.items():
            counts = day.by_seat.get(own)
            if counts:
                seats.setdefault(own, {})[str(number)] = {
                    agreement: (count.calls, count.size) for agreement, count in counts.items()
                }
        for told in self._peers.gone():
            days = seats.setdefault(told.seat, {})
            days.setdefault(str(told.day), {})[told.agreement] = (told.calls, told.size)
        return msgspec.json.encode(_File(1, seats))
