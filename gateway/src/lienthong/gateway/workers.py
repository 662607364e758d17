"""The workers of one gateway: they share its ports, so whichever is asked answers for all of them.

Each worker holds one of the numbers 0, 1, … by a lock that ends with its process, and gives its figures over
a Unix socket of that number. The folder of both is made by the process that starts the workers.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.kit.files import lock_file
from lienthong.kit.metrics.exposition import merged

if TYPE_CHECKING:
    from lienthong.kit.metrics.exposition import Exposition

FOLDER: Final = "LIENTHONG_WORKERS_FOLDER"
"""The variable that leads workers to the folder; set for them alone, by `__main__`."""
MOST: Final = 512
_PATIENCE_S: Final = 2.0
_LONGEST_TEXT: Final = 64 * 1024 * 1024

_log = structlog.get_logger(__name__)


class Seat:
    """The number of this worker, held until the process ends."""

    def __init__(self, folder: Path) -> None:
        for number in range(MOST):
            descriptor = lock_file(folder / f"{number}.lock")
            if descriptor is None:
                continue
            self._descriptor = descriptor
            self.number = number
            self.socket = folder / f"{number}.sock"
            return
        raise RuntimeError(f"no number is free in {folder}")


def take_seat() -> Seat | None:
    """A number for this worker; None where it was not started as one of several."""
    folder = os.environ.get(FOLDER)
    return Seat(Path(folder)) if folder else None


class WorkerFigures:
    """Gives this worker's figures to the others, and theirs with its own to whoever asks."""

    def __init__(self, exposition: Exposition, seat: Seat | None) -> None:
        self._exposition = exposition
        self._seat = seat
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to answer the others."""
        if self._seat is not None:
            # What is there was left by a worker of the same number, which has ended.
            self._seat.socket.unlink(missing_ok=True)
            try:
                self._server = await asyncio.start_unix_server(self._answer, self._seat.socket)
            except OSError as error:
                # Calls matter more than figures: a path of the temporary folder may be too long, for one.
                _log.error("the other workers will not see this one's figures", error=str(error))

    async def close(self) -> None:
        """Stop answering."""
        if self._server is not None and self._seat is not None:
            self._server.close()
            self._seat.socket.unlink(missing_ok=True)

    async def text(self, accept: str) -> tuple[bytes, str]:
        """The figures of all workers in one text, and its media type, by the request's Accept field.

        Those of a worker that does not answer within two seconds are missing.
        """
        own, media_type = await self._exposition.text(accept)
        if self._seat is None:
            return own, media_type
        others = [path for path in self._seat.socket.parent.glob("*.sock") if path != self._seat.socket]
        found = await asyncio.gather(*(_ask(path, accept) for path in others))
        texts = [own, *(text for text in found if text is not None)]
        return (await asyncio.to_thread(merged, texts) if others else own), media_type

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                accept = (await reader.readline()).decode("latin-1").strip()
                text, _ = await self._exposition.text(accept)
                writer.write(text)
                await writer.drain()
        writer.close()


async def _ask(path: Path, accept: str) -> bytes | None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_unix_connection(path, limit=_LONGEST_TEXT)
            try:
                writer.write(accept.encode("latin-1", "replace") + b"\n")
                return await reader.read() or None
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        _log.warning("a worker does not give its figures", worker=path.stem, error=repr(error))
        return None
