"""What NATS may hold is written in its configuration, not found out from what is free when it starts."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import httpx

from lienthong.local import nats
from tests.support.ports import take_free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

STREAMS = 7 * 1024**4
"""More than any disk here has."""


async def test_the_limits_do_not_depend_on_the_disk(tmp_path: Path) -> None:
    monitoring_port = take_free_port()
    config = nats.write_config(
        tmp_path,
        port=take_free_port(),
        monitoring_port=monitoring_port,
        server_name="here",
        streams_max_bytes=STREAMS,
    )
    found: dict[str, int] = {}

    async def asked() -> bool:
        try:
            answer = await http.get(f"http://127.0.0.1:{monitoring_port}/jsz")
        except httpx.TransportError:
            return False
        found.update(answer.json()["config"])
        return True

    with subprocess.Popen(  # noqa: ASYNC220 - it does not wait
        [nats.server_binary(), "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        async with httpx.AsyncClient(trust_env=False) as http:
            await eventually(asked)
        process.terminate()
    assert found["max_storage"] == STREAMS + 64 * 1024**2
    assert found["max_memory"] == 0
