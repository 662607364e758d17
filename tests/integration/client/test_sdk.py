"""The SDK, blocking and asynchronous, against a server that speaks the contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import lienthong.client
from lienthong.client import AsyncClient, Client, Credentials, ForbiddenError, NotAGatewayError, operations
from lienthong.client.errors import CredentialsError, InputError
from lienthong.client.verification import read_key, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.client.small_gateway import SmallGateway

SERVICE = "H11.05/land/parcels-v1"
TYPE = "H11.05/land/parcel-changed-v1"


@pytest.fixture
def folder(home: Path) -> Path:
    """The credentials of the one-stop shop."""
    return home / "demo/one-stop"


def test_a_system_calls_and_proves_its_call(folder: Path, gateway: SmallGateway) -> None:
    with Client.from_folder(folder) as client:
        answer = client.call(SERVICE, "POST", "/parcels", json={"số": 1}, purpose="land", params={"a": "b c"})
        assert answer.ok
        assert answer.json()["said"]["query"] == {"a": "b c"}
        assert answer.json()["said"]["body"] == '{"số":1}'
        assert answer.transaction_id is not None
        gateway.not_yet = 2
        receipt = client.receipt(answer.transaction_id)
    proved = verify(receipt, read_key(gateway.log.vkey))
    assert proved.record["tx"] == answer.transaction_id
    assert proved.record["client"] == "H11.01/one-stop"


def test_the_bus_refuses_with_an_error_that_says_why(folder: Path) -> None:
    with Client.from_folder(folder) as client, pytest.raises(ForbiddenError) as refused:
        client.call(SERVICE, "GET", "/forbidden")
    assert refused.value.code == "no-agreement"
    assert refused.value.advice is not None
    assert refused.value.transaction_id == "tx-0"


def test_events_make_the_round(folder: Path) -> None:
    with Client.from_folder(folder) as client:
        client.subscribe("moves", TYPE)
        first = client.publish(TYPE, {"parcel": 1}, event_id="e1", subject="parcels/1")
        assert client.publish(TYPE, {"parcel": 1}, event_id="e1").duplicate
        assert (first.sequence, first.duplicate) == (1, False)
        (pulled,) = client.pull("moves", limit=5)
        assert pulled.event["subject"] == "parcels/1"
        assert pulled.event["time"].endswith("Z")
        assert client.ack("moves", [pulled]).acknowledged == ("e1",)
        assert client.pull("moves") == ()


async def test_the_asynchronous_client_does_the_same(folder: Path, gateway: SmallGateway) -> None:
    async with AsyncClient.from_folder(folder) as client:
        answers = await asyncio.gather(*(client.call(SERVICE, "GET", f"/parcels/{n}") for n in range(8)))
        assert sorted(answer.json()["said"]["path"][-1] for answer in answers) == list("01234567")
        assert verify(await client.receipt("tx-3"), read_key(gateway.log.vkey)).index == 3
        await client.publish(TYPE, {"a": 1}, event_id="e1")
        (pulled,) = await client.pull("moves")
        await client.ack("moves", [pulled.ack])
        assert [item["name"] for item in await client.subscriptions()] == ["moves"]
        found = [item async for item in client.entries({"client": "H11.01/one-stop"}, limit=5)]
        assert [item["index"] for item in found] == [0, 1, 2, 3, 4]
        applied = await client.apply([{"kind": "Agency", "metadata": {"id": "H11"}, "spec": {}}])
        assert applied.results[0].action == "created"
        assert [item["metadata"]["id"] async for item in client.manifests("agencies")] == ["H11"]
        with pytest.raises(ForbiddenError):
            await client.call(SERVICE, "GET", "/forbidden")


def test_without_credentials_only_what_is_public_can_be_asked(gateway: SmallGateway) -> None:
    with Client(gateway=gateway.address) as client:
        assert client.perform(operations.metadata())["issuer"] == gateway.address
        with pytest.raises(CredentialsError):
            client.call(SERVICE, "GET", "/")
        with pytest.raises(CredentialsError):
            client.token()
    with pytest.raises(InputError):
        Client()


def test_something_else_at_the_address_is_told(folder: Path, gateway: SmallGateway) -> None:
    gateway.garbage = True
    with Client.from_folder(folder) as client, pytest.raises(NotAGatewayError):
        client.call(SERVICE, "GET", "/")


def test_every_name_of_the_package_is_there_and_imported_only_when_used() -> None:
    for name in lienthong.client.__all__:
        assert getattr(lienthong.client, name).__name__ == name
    with pytest.raises(AttributeError):
        lienthong.client.NoSuchName  # type: ignore[attr-defined]  # noqa: B018
    assert lienthong.client.Credentials is Credentials
