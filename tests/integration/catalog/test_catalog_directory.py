"""Directory over real gRPC: names, services and documents, which gateways do not follow."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc.aio
import pytest

from lienthong.contracts.catalog.v1 import directory_pb2 as pb
from lienthong.contracts.catalog.v1.directory_pb2_grpc import DirectoryStub
from lienthong.kit.rpc import open_channel
from tests.integration.catalog.province import Province, openapi, system
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.catalog.running import Catalog


@asynccontextmanager
async def asking(catalog: Catalog) -> AsyncIterator[DirectoryStub]:
    """A gateway's end."""
    channel = open_channel(catalog.rpc, rpc_trust())
    try:
        yield DirectoryStub(channel)
    finally:
        await channel.close()


async def test_all_agencies_and_systems_are_named_agencies_first(catalog: Catalog, place: Province) -> None:
    catalog.operator().post("/apply", json={"manifests": place.everything()})
    async with asking(catalog) as directory:
        found = [client async for part in directory.Clients(pb.ClientsRequest()) for client in part.clients]
    kinds = [bool(client.system_code) for client in found]
    assert kinds == sorted(kinds)
    own = [client for client in found if client.agency_code.startswith(f"{place.code}.")]
    assert len(own) == 7
    assert (
        pb.Client(agency_code=f"{place.code}.05", member_class="GOV", name=f"Cơ quan {place.code}.05") in own
    )
    assert (
        pb.Client(agency_code=f"{place.code}.01", system_code="one-stop", member_class="GOV", name="Hệ thống")
        in own
    )


async def test_the_services_of_a_system_and_their_documents_are_told(
    catalog: Catalog, place: Province
) -> None:
    catalog.operator().post("/apply", json={"manifests": place.everything()})
    async with asking(catalog) as directory:
        services = await directory.Services(pb.ServicesRequest(system_id=place.provider))
        assert list(services.ids) == [place.service_id]
        assert list((await directory.Services(pb.ServicesRequest(system_id="none"))).ids) == []
        found = await directory.OpenApi(pb.OpenApiRequest(service_id=place.service_id))
        assert json.loads(found.document) == openapi()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await directory.OpenApi(pb.OpenApiRequest(service_id=f"{place.provider}/none-v1"))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_how_a_client_of_x_road_proves_itself_is_shown_to_its_agency_and_the_operator(
    catalog: Catalog, place: Province
) -> None:
    xroad = {"connection": "http", "networks": ["10.20.1.0/24"], "purpose": "land-procedure"}
    manifests = [*place.everything(), system(f"{place.code}.01/books", xroad=xroad)]
    assert catalog.operator().post("/apply", json={"manifests": manifests}).status_code == 200
    path = f"/systems/{place.code}.01/books"
    seen = {
        reader: catalog.client(reader, "catalog").get(path).json()["spec"].get("xroad")
        for reader in (place.consumer, place.unrelated)
    }
    assert seen == {place.consumer: xroad, place.unrelated: None}
    listed = catalog.client(place.unrelated, "catalog").get("/systems", params={"limit": 200}).json()
    assert not [item for item in listed["items"] if "xroad" in item["spec"]]
    assert catalog.operator().get(path).json()["spec"]["xroad"] == xroad
