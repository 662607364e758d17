"""Over gRPC only processes of one installation understand each other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lienthong.contracts.catalog.v1.routes_pb2 import WatchRequest
from lienthong.contracts.catalog.v1.routes_pb2_grpc import RoutesStub
from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.kit.rpc import open_channel, serve_rpc
from lienthong.kit.rpc_trust import SERVER_NAME, RpcTrust, RpcTrustError
from tests.support.ports import take_free_offset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.kit.rpc import RpcServer

    Context = grpc.aio.ServicerContext[keys_pb2.WatchRequest, AsyncIterator[keys_pb2.WatchResponse]]

NAMED = [("grpc.ssl_target_name_override", SERVER_NAME)]


class Keys(keys_pb2_grpc.KeysServicer):
    """Hands out one state and says that it did."""

    def __init__(self) -> None:
        self.asked = 0

    async def Watch(  # noqa: N802 - the contract's name
        self, request: keys_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[keys_pb2.WatchResponse]:
        self.asked += 1
        yield keys_pb2.WatchResponse(version=1)


@pytest.fixture
def trust(tmp_path: Path) -> RpcTrust:
    return RpcTrust.load(tmp_path / "here" / "rpc")


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def server(trust: RpcTrust, keys: Keys) -> AsyncIterator[RpcServer]:
    running = await serve_rpc(
        "127.0.0.1:0", lambda server: keys_pb2_grpc.add_KeysServicer_to_server(keys, server), trust
    )
    yield running
    await running.stop(0)


async def versions(channel: grpc.aio.Channel) -> list[int]:
    async with channel:
        stream = keys_pb2_grpc.KeysStub(channel).Watch(keys_pb2.WatchRequest(), timeout=10)
        return [state.version async for state in stream]


async def refusal(channel: grpc.aio.Channel) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await versions(channel)
    return refused.value


async def test_a_process_of_the_installation_is_served(server: RpcServer, trust: RpcTrust) -> None:
    again = RpcTrust.load(trust.folder)
    assert again == trust
    assert await versions(open_channel(f"127.0.0.1:{server.port}", again)) == [1]
    assert await versions(open_channel(f"localhost:{server.port}", again)) == [1]


async def test_without_the_token_a_caller_is_told_what_is_missing(
    server: RpcServer, trust: RpcTrust, keys: Keys
) -> None:
    address = f"127.0.0.1:{server.port}"
    without = grpc.ssl_channel_credentials(trust.certificate)
    twice = grpc.composite_channel_credentials(
        trust.channel_credentials(), grpc.access_token_call_credentials(trust.token)
    )
    for channel in (
        grpc.aio.secure_channel(address, without, options=NAMED),
        grpc.aio.secure_channel(address, twice, options=NAMED),
        open_channel(address, replace(trust, token="0" * 64)),
        open_channel(address, replace(trust, token=trust.token[:-1])),
    ):
        refused = await refusal(channel)
        assert refused.code() is grpc.StatusCode.UNAUTHENTICATED
        assert "send the token in rpc.token" in str(refused.details())
        assert trust.token not in str(refused.details())
    assert keys.asked == 0


async def test_a_method_that_is_not_there_is_not_told_to_strangers(
    server: RpcServer, trust: RpcTrust
) -> None:
    for one, code in (
        (trust, grpc.StatusCode.UNIMPLEMENTED),
        (replace(trust, token="0"), grpc.StatusCode.UNAUTHENTICATED),
    ):
        async with open_channel(f"127.0.0.1:{server.port}", one) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await anext(aiter(RoutesStub(channel).Watch(WatchRequest(), timeout=10)))
            assert refused.value.code() is code


async def test_health_checks_need_no_token(server: RpcServer, trust: RpcTrust) -> None:
    credentials = grpc.ssl_channel_credentials(trust.certificate)
    async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", credentials, options=NAMED) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_nothing_is_said_in_the_open(server: RpcServer, keys: Keys) -> None:
    refused = await refusal(grpc.aio.insecure_channel(f"127.0.0.1:{server.port}"))
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    assert keys.asked == 0


async def test_a_server_that_took_the_port_is_not_believed_and_learns_no_token(
    tmp_path: Path, server: RpcServer, keys: Keys
) -> None:
    """While the catalog is away, any user of the machine may listen on its port."""
    ours = RpcTrust.load(tmp_path / "ours")
    refused = await refusal(open_channel(f"127.0.0.1:{server.port}", ours))
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.details())
    assert keys.asked == 0


async def test_a_handshake_on_a_busy_machine_is_waited_for(server: RpcServer, trust: RpcTrust) -> None:
    """Each part takes 0.2 s to arrive: as when a dozen processes start on one core."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65_536):
                await asyncio.sleep(0.2)
                writer.write(part)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_connection("127.0.0.1", server.port)
        connected.append(asyncio.current_task())
        await asyncio.gather(pass_on(reader, outside), pass_on(inside, writer))

    connected: list[asyncio.Task[None] | None] = []
    slow = await asyncio.start_server(connect, "127.0.0.1", 0)
    try:
        assert await versions(open_channel(f"127.0.0.1:{slow.sockets[0].getsockname()[1]}", trust)) == [1]
    finally:
        slow.close()
        await asyncio.gather(*(task for task in connected if task is not None))


def test_the_folder_is_made_once_and_for_its_owner(trust: RpcTrust) -> None:
    assert RpcTrust.load(trust.folder) == trust
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in trust.folder.iterdir()} == {
        "rpc.crt": "0o600",
        "rpc.key": "0o600",
        "rpc.token": "0o600",
    }
    assert oct(trust.folder.stat().st_mode & 0o777) == "0o700"
    assert [path.name for path in trust.folder.parent.iterdir()] == ["rpc"]
    certificate = x509.load_pem_x509_certificate(trust.certificate)
    assert certificate.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=1)
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3000)


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; from lienthong.kit.rpc_trust import RpcTrust; sys.stdin.read();"
        "print(RpcTrust.load(pathlib.Path(sys.argv[1])).token)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "rpc")]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert len({process.communicate("go")[0] for process in running}) == 1
    assert [process.returncode for process in running] == [0] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["rpc"]


def test_a_folder_that_stands_is_not_filled(tmp_path: Path) -> None:
    with pytest.raises(RpcTrustError, match=r"rpc\.token"):
        RpcTrust.load(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "rpc.token").write_text("\n")
    (tmp_path / "rpc.crt").write_text("x")
    with pytest.raises(RpcTrustError, match="is empty"):
        RpcTrust.load(tmp_path)


def test_who_has_no_key_does_not_serve(trust: RpcTrust) -> None:
    (trust.folder / "rpc.key").unlink()
    with pytest.raises(RpcTrustError, match=r"rpc\.key"):
        RpcTrust.load(trust.folder).server_credentials()


@pytest.mark.parametrize("process", ["catalog", "identity", "exchange", "ledger", "gateway"])
def test_a_process_without_keys_says_so_in_a_sentence_and_ends(tmp_path: Path, process: str) -> None:
    trust = RpcTrust.load(tmp_path / "old")
    # As after an upgrade with the Secrets of an older version: the folder is there, and not all files.
    (trust.folder / "rpc.crt").unlink()
    environment = os.environ | {
        "LIENTHONG_HOME": str(tmp_path),
        "LIENTHONG_PORT_OFFSET": str(take_free_offset()),
        "LIENTHONG_RPC_DIR": str(trust.folder),
        "LIENTHONG_NATS_URL": "nats://127.0.0.1:9",
    }
    command = [sys.executable, "-m", f"lienthong.{process}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "cannot start" in told
    assert f"{trust.folder}/rpc.crt: No such file or directory" in told
    assert "Traceback" not in told
