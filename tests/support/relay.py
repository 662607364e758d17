"""Connections through here can be cut as a network is: nobody is told, and what was sent arrives late."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

_CHUNK = 65_536


class Relay:
    """Forwards TCP connections to a port of this machine, while it is not cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._forwards = asyncio.Event()
        self._forwards.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Forward nothing any more. Connections stay as they are, as behind a switch that has failed."""
        self._forwards.clear()

    def join(self) -> None:
        """Forward again, also what was sent meanwhile: TCP repeats it."""
        self._forwards.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        try:
            await self._forwards.wait()
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(there)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._forward(reader, there))
                ways.create_task(self._forward(there_reader, writer))
        except* (OSError, asyncio.CancelledError):
            # One of the two has ended, or the test has: then so does the other.
            pass
        finally:
            self._tasks.discard(task)
            for one in writers:
                one.close()
                with suppress(OSError):
                    await one.wait_closed()

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._forwards.wait()
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError("the other side has ended the connection")
