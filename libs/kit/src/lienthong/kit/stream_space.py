"""How full the streams of the bus are: measured, logged before they are full, and shown as a figure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.kit.messages import BusError
from lienthong.kit.metrics.instruments import STREAM_FILLED

if TYPE_CHECKING:
    from lienthong.kit.bus import Bus
    from lienthong.kit.metrics.figures import Figures

LOOK_EVERY_S: Final = 5.0
_STEPS: Final = 20
"""How full a stream is, is told in steps of 5 %."""
_WARN_FROM_STEP: Final = 16
_FULL_FROM_STEP: Final = 19
"""95 %: the rest is for what is already on its way."""

_log = structlog.get_logger(__name__)


class StreamSpace:
    """Looks at one stream, which may have been given another limit meanwhile; `run` it in the background."""

    def __init__(self, bus: Bus, stream: str) -> None:
        self._bus = bus
        self._stream = stream
        self._told_step = self._step = 0
        self.filled: float | None = None
        """The used part of the stream's bytes, 0 to 1; None while it is not measured, or has no limit."""

    def show(self, figures: Figures) -> None:
        """Show how full it is."""
        attributes = {"stream": self._stream}
        figures.observe_each(
            STREAM_FILLED, lambda: ((self.filled, attributes),) if self.filled is not None else ()
        )

    @property
    def full(self) -> bool:
        """Whether nothing more should be put into the stream."""
        return self._step >= _FULL_FROM_STEP

    async def run(self) -> None:
        """Measure for ever; returns only by cancellation."""
        while True:
            await self._bus.wait_connected()
            try:
                state = await self._bus.stream_state(self._stream)
            except BusError as error:
                _log.debug("stream not measured", stream=self._stream, error=str(error))
            else:
                self.note(state.bytes, state.max_bytes)
            await asyncio.sleep(LOOK_EVERY_S)

    def note(self, size: int, limit: int | None) -> None:
        """Take what the stream holds and may hold, in bytes; logged from 80 % on, at every further 5 %."""
        if not limit:
            self.filled, self._step = None, 0
            return
        self.filled = size / limit
        self._step = step = size * _STEPS // limit
        before = self._told_step
        self._told_step = max(step, before) if step >= _WARN_FROM_STEP else 0
        if self._told_step > before:
            log = _log.error if self.full else _log.warning
            log(
                "stream is filling: raise its limit and the disk of the bus before it is full",
                stream=self._stream,
                bytes=size,
                limit=limit,
            )
