"""A provider's API as small as can be, run as a process: `uvicorn tests.support.upstream:app`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

_LOG: Final = "UPSTREAM_LOG"


@contextmanager
def running_upstream(log: Path | None = None) -> Iterator[str]:
    """The address of a provider that answers every request; it ends with the block.

    To `log` it writes a line for each request before it answers: path, a space, transaction id.
    """
    port = take_free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.support.upstream:app", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--log-level", "error"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **({_LOG: str(log)} if log is not None else {})},
    )
    try:
        _wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer every request with its own path and transaction id."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    body = {"path": scope["path"], "transaction": headers.get("lgsp-transaction-id")}
    if _LOG in os.environ:
        os.write(_log(), f"{body['path']} {body['transaction']}\n".encode())
    content = json.dumps(body).encode()
    answer = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": answer})
    await send({"type": "http.response.body", "body": content})


@cache
def _log() -> int:
    return os.open(os.environ[_LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _wait_until_open(port: int) -> None:
    for _ in range(1200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the upstream did not start")
