"""The demo province, running as `make run` starts it: what its pages say is what its processes answer."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from binh_thuan.people import Administration
from tests.support.ports import give_back_offset, take_free_offset

if TYPE_CHECKING:
    from asyncio import StreamReader
    from collections.abc import AsyncIterator
    from pathlib import Path

_READY: Final = "READY "


@dataclass(frozen=True, slots=True)
class Province:
    """Where the pages of the province are, without a slash at the end, and its first administrator's link."""

    console: str
    people: str
    first_link: str


@asynccontextmanager
async def a_province(folder: Path) -> AsyncIterator[Province]:
    """Start it with its state in `folder`, wait until its first calls are made, and end it afterwards.

    Raises:
        RuntimeError: it ended before it was ready; the message is all that it printed.
    """
    offset = take_free_offset()
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "binh_thuan",
        env=os.environ | {"LIENTHONG_HOME": str(folder), "LIENTHONG_PORT_OFFSET": str(offset)},
        stdout=PIPE,
    )
    try:
        assert running.stdout is not None
        addresses = await _ready(running.stdout)
        with Administration.of(folder / "operator", addresses["gateway"]) as administration:
            link = administration.first_administrator_link()
        assert link is not None
        yield Province(addresses["console"], addresses["people"], link)
    finally:
        if running.returncode is None:
            running.terminate()
        # What it prints while it ends has to be read, or it would wait.
        await running.communicate()
        give_back_offset(offset)


async def _ready(printed: StreamReader) -> dict[str, str]:
    """Read what it prints up to its last line; gives the addresses in that, by process."""
    lines = []
    async for line in printed:
        lines.append(line.decode())
        if lines[-1].startswith(_READY):
            return dict(one.split("=", 1) for one in lines[-1].removeprefix(_READY).split())
    raise RuntimeError(f"the province did not start:\n{''.join(lines)}")
