"""The life of a real process: start, serve, stop, and die with its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.kit.processes import PORTS
from tests.support.ports import take_free_offset
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

PROGRAM = """
import asyncio, contextlib, os, sys, time
from fastapi import FastAPI
from lienthong.kit import logs, process, settings, telemetry, text
from lienthong.contracts.identity.v1.keys_pb2_grpc import KeysServicer, add_KeysServicer_to_server

@contextlib.asynccontextmanager
async def starting(app):
    await asyncio.sleep(float(os.environ.get("STARTING", "0")))
    yield

app = FastAPI(lifespan=starting)

@app.get("/slow")
async def slow():
    print("asked", flush=True)
    await asyncio.sleep(1.0)
    return "done"

async def work():
    while os.environ.get("STUBBORN") == "task":
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    if os.environ.get("FAIL"):
        await asyncio.sleep(0.3)
        raise RuntimeError("the work failed")
    try:
        await asyncio.Event().wait()
    finally:
        print("work cancelled", flush=True)

async def close():
    print("closed", flush=True)
    if os.environ.get("STUBBORN") == "close":
        await asyncio.sleep(60)
    if os.environ.get("STUBBORN") == "thread":
        await asyncio.to_thread(time.sleep, 60)
    if os.environ.get("STUBBORN") == "loop":
        time.sleep(60)

async def main():
    logs.configure_logs("identity")
    configured = settings.Settings()
    await process.run_process(
        "identity", configured, app=app,
        telemetry=telemetry.configure_telemetry("identity", configured),
        background=[work], close=[close],
        register_rpc=lambda server: add_KeysServicer_to_server(KeysServicer(), server),
        checks={"good": lambda: not os.environ.get("UNWELL")},
    )

process._ENDING, process.LONGEST_STOP = 0.3, float(os.environ.get("LONGEST", "19"))
process.run(main, module="test", does=text.BilingualText("A test.", "Kiểm thử."))
"""


def free_offset() -> int:
    return take_free_offset()


@asynccontextmanager
async def running(offset: int, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", PROGRAM,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment, "LIENTHONG_PORT_OFFSET": str(offset)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(offset: int) -> httpx.Response:
    """The first answer of the readiness check since the process has opened its ports."""
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        while True:
            try:
                answer = await client.get(f"http://127.0.0.1:{PORTS['identity'] + 80 + offset}/health/ready")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.json()["checks"]["running"]:
                return answer
            assert answer.status_code == 503
            await asyncio.sleep(0.05)


async def test_a_request_under_way_is_answered_when_the_process_is_told_to_stop() -> None:
    offset = free_offset()
    async with running(offset) as process, httpx.AsyncClient(timeout=30) as client:
        assert (await ready(offset)).json() == {"status": "ready", "checks": {"good": True, "running": True}}
        address = f"http://127.0.0.1:{PORTS['identity'] + offset}"
        assert (await client.get(f"{address}/none")).status_code == 404
        slow = asyncio.create_task(client.get(f"{address}/slow"))
        assert process.stdout is not None
        assert await process.stdout.readline() == b"asked\n"
        process.send_signal(signal.SIGTERM)
        assert (await slow).json() == "done"
        out, err = await process.communicate()
    assert process.returncode == 0, err
    assert out.decode().splitlines() == ["work cancelled", "closed"]


async def test_a_process_is_ready_when_its_ports_are_open_and_not_before() -> None:
    offset = free_offset()
    health = f"http://127.0.0.1:{PORTS['identity'] + 80 + offset}/health"
    async with running(offset, STARTING="3"), httpx.AsyncClient() as client:
        early: httpx.Response | None = None
        async with asyncio.timeout(60):
            while early is None:
                try:
                    early = await client.get(f"{health}/ready")
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
        assert early.json() == {"status": "not ready", "checks": {"good": True, "running": False}}
        assert (await client.get(f"{health}/live")).status_code == 200
        await ready(offset)
        assert (await client.get(f"http://127.0.0.1:{PORTS['identity'] + offset}/none")).status_code == 404


async def test_a_failed_check_shows_and_ctrl_c_ends_the_process() -> None:
    offset = free_offset()
    async with running(offset, UNWELL="1") as process:
        answer = await ready(offset)
        assert (answer.status_code, answer.json()["checks"]["good"]) == (503, False)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 0, err


async def test_background_work_that_fails_ends_the_process_and_says_why() -> None:
    async with running(free_offset(), FAIL="1") as process, asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 1
    assert "the work failed" in err.decode()
    assert out.decode().splitlines()[-1] == "closed"


@pytest.mark.parametrize(
    ("stubborn", "status", "told"),
    [
        ("close", 0, "closing takes too long"),
        ("task", 1, "a task does not end"),
        ("thread", 1, "closing takes too long"),
        ("loop", 1, "Timeout"),
    ],
)
async def test_what_does_not_end_keeps_no_process_from_ending_and_is_told(
    stubborn: str, status: int, told: str
) -> None:
    offset = free_offset()
    async with running(offset, STUBBORN=stubborn, LONGEST="8") as process:
        await ready(offset)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    assert process.returncode == status
    assert told in err.decode()
    assert "closed" in out.decode()


@pytest.mark.parametrize("above", [0, 80, 1000])
async def test_a_port_in_use_ends_the_process_and_names_the_port(above: int) -> None:
    offset = free_offset()
    port = PORTS["identity"] + above + offset
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    async with server, running(offset) as process, asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in err.decode()
    assert "LIENTHONG_PORT_OFFSET" in err.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
async def test_a_process_dies_with_its_parent_however_that_dies(tmp_path: Path) -> None:
    child = "import time; from lienthong.kit.process import die_with_parent; die_with_parent(); "
    child += f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent)
    told = tmp_path / "pid"
    await eventually(lambda: told.exists() and told.read_text() != "")
    process.kill()
    await process.wait()
    await eventually(lambda: not _runs(int(told.read_text())))


def _runs(pid: int) -> bool:
    """Whether it lives; one that nobody has waited for yet is dead all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
