"""The gateway judges the address that it really connects to."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.gateway.address_guard import AddressGuard
from lienthong.gateway.http1.address import Origin
from lienthong.gateway.http1.errors import ProviderRefusedError, ProviderUnreachableError
from lienthong.gateway.http1.pool import Pool
from lienthong.kit.addresses import AddressRefusal, ProviderAddresses, allowed_networks
from tests.integration.gateway.world import API, service
from tests.support.authorities import trust_of_this_machine
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.gateway.world import World

LOOPBACK = allowed_networks("127.0.0.0/8")


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[object]]]:
    """A port, and who has connected to it."""
    came: list[object] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        writer.transport.abort()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        server.close()


def pool_with(rules: ProviderAddresses) -> Pool:
    return Pool(connect_timeout=5, tls=trust_of_this_machine(), guard=AddressGuard(rules))


async def connect(pool: Pool, host: str, port: int) -> None:
    try:
        await pool.connect(Origin(host, port, tls=False), asyncio.get_running_loop().time() + 5)
    finally:
        pool.close()


def resolving(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> None:
    """Have names resolved as if a name server had said so."""

    usual = socket.getaddrinfo

    def look_up(
        host: str,
        port: int,
        family: int = 0,
        type: int = 0,  # noqa: A002 - as socket names it
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        if host not in names:
            # Such as what another thread connects to meanwhile, with arguments of its own.
            return usual(host, port, family, type, proto, flags)
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        version = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(version[":" in ip], socket.SOCK_STREAM, 6, "", (ip, port)) for ip in names[host]]

    async def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
        return look_up(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "::ffff:127.0.0.1"]
)
async def test_no_spelling_of_the_machine_itself_is_connected_to(host: str) -> None:
    async with listening() as (port, came):
        with pytest.raises((ProviderRefusedError, ProviderUnreachableError)) as refused:
            await connect(pool_with(ProviderAddresses()), host, port)
        if host != "::ffff:127.0.0.1":  # a machine without IPv6 may not resolve it
            assert isinstance(refused.value, ProviderRefusedError)
        assert came == []


async def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (port, came):
        for address, reason in (
            ("127.0.0.1", AddressRefusal.LOOPBACK),
            ("169.254.169.254", AddressRefusal.METADATA),
            ("fe80::1%lo", AddressRefusal.LINK_LOCAL),
        ):
            resolving(monkeypatch, {"land.example.vn": [address]})
            with pytest.raises(ProviderRefusedError) as refused:
                await connect(pool_with(ProviderAddresses()), "land.example.vn", port)
            assert refused.value.reason is reason
        assert came == []


async def test_of_several_addresses_the_allowed_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (port, came):
        resolving(monkeypatch, {"land.example.vn": ["169.254.169.254", "127.0.0.1"]})
        await connect(pool_with(ProviderAddresses(LOOPBACK)), "land.example.vn", port)
        await eventually(lambda: len(came) == 1)


async def test_the_platform_is_not_reached_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (port, came):
        rules = ProviderAddresses(LOOPBACK, platform=frozenset({("catalog", port)}))
        resolving(monkeypatch, {"catalog": ["127.0.0.7"], "innocent.example.vn": ["127.0.0.7"]})
        with pytest.raises(ProviderRefusedError) as refused:
            await connect(pool_with(rules), "innocent.example.vn", port)
        assert refused.value.reason is AddressRefusal.PLATFORM
        assert came == []


async def test_a_port_of_the_platform_is_not_reached_by_another_address_of_the_machine() -> None:
    """An address of the machine's own, from outside: only the connection shows that it leads back."""
    async with listening() as (port, _):
        guard = AddressGuard(ProviderAddresses(LOOPBACK, local_ports=frozenset({port})))
        with socket.create_connection(("127.0.0.1", port)) as back, pytest.raises(ProviderRefusedError):
            guard.check_connected(back)
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as other:
            guard.check_connected(other)


async def test_without_the_platforms_name_being_known_nothing_else_fails() -> None:
    async with listening() as (port, came):
        rules = ProviderAddresses(LOOPBACK, platform=frozenset({("no-such-host.invalid", port)}))
        await connect(pool_with(rules), "127.0.0.1", port)
        await eventually(lambda: len(came) == 1)


def test_the_caller_learns_the_reason_and_not_the_address(world: World) -> None:
    world.change(service([f"http://127.0.0.1:{world.port}", f"http://127.0.0.1:{world.health_port}"]))
    try:
        with world.client() as client:
            answer = client.get(f"{API}/parcels/1")
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (502, "provider-address-refused")
        assert "a port of the platform itself" in problem["detail"]
        assert "127.0.0.1" not in answer.text
        assert str(world.health_port) not in answer.text
        record = world.record(answer.headers["lgsp-transaction-id"])
        assert (record["status"], record["error"]) == (502, "provider-address-refused")
        assert f"127.0.0.1:{world.health_port}" in world.log.read_text()
    finally:
        world.change(service([world.provider.url], max_request_bytes=20_000_000))


def test_an_address_that_is_refused_does_not_stand_in_the_way_of_the_next(world: World) -> None:
    world.change(service(["http://169.254.169.254", world.provider.url], max_request_bytes=20_000_000))
    try:
        with world.client() as client:
            assert [client.get(f"{API}/parcels/1").status_code for _ in range(4)] == [200] * 4
    finally:
        world.change(service([world.provider.url], max_request_bytes=20_000_000))


def test_a_connection_to_the_platform_is_not_lent_to_a_provider(world: World) -> None:
    """The platform's services are reached over loopback here; a provider that registers them is not."""
    with world.client() as client:
        assert client.get("/catalog/v1/agencies").status_code == httpx.codes.OK
        world.change(service([world.platform.url]))
        try:
            answer = client.get(f"{API}/parcels/1")
        finally:
            world.change(service([world.provider.url], max_request_bytes=20_000_000))
    assert (answer.status_code, answer.json()["code"]) == (502, "provider-address-refused")
