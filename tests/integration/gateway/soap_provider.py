"""A small provider that speaks SOAP 1.1 and 1.2, and its service as the catalog hands it out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

import tests.support.soap as support
from tests.integration.gateway.world import PROVIDER, service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.contracts.catalog.v1 import routes_pb2
    from tests.integration.gateway.peers import Exchange

WSDL = Path(support.__path__[0]) / "land.wsdl"
SOAP_SERVICE = f"{PROVIDER}/registry-v1"
PATH = "/ws/Land.asmx"
TNS = "urn:binh-thuan:land"
S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"


def soap_resource(upstreams: Iterable[str], *, max_request_bytes: int = 0) -> routes_pb2.Resource:
    """The service of land.wsdl."""
    resource = service(upstreams, service_id=SOAP_SERVICE, operations=(), max_request_bytes=max_request_bytes)
    resource.service.soap.path = PATH
    for name in ("getParcel", "removeParcel"):
        resource.service.soap.operations.add(
            id=name, namespace=TNS, element=name, actions=[f"{TNS}/{name}", f"{TNS}:Land:{name}Request"]
        )
    return resource


def envelope(
    operation: str = "getParcel", *, parcel: str = "7", namespace: str = S11, header: str = ""
) -> bytes:
    """A call as some client writes it."""
    inside = f'<t:{operation} xmlns:t="{TNS}"><t:id>{parcel}</t:id></t:{operation}>'
    return f'<s:Envelope xmlns:s="{namespace}">{header}<s:Body>{inside}</s:Body></s:Envelope>'.encode()


async def land(exchange: Exchange) -> None:
    """Answer what the Body asks for; parcel 0 is a fault of the provider's own."""
    root = etree.fromstring(exchange.body)
    namespace = etree.QName(root).namespace
    [call] = root.find(f"{{{namespace}}}Body")
    name, parcel = etree.QName(call).localname, call.findtext(f"{{{TNS}}}id")
    if parcel == "0":
        inside = (
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>Không có thửa 0</faultstring></s:Fault>"
        )
    elif name == "getParcel":
        inside = (
            f'<getParcelResponse xmlns="{TNS}"><owner>Trần Thị B, thửa {parcel}</owner></getParcelResponse>'
        )
    else:
        inside = f'<removeParcelResponse xmlns="{TNS}"/>'
    status = "500 Internal Server Error" if parcel == "0" else "200 OK"
    media = "text/xml" if namespace == S11 else "application/soap+xml"
    body = f'<s:Envelope xmlns:s="{namespace}"><s:Body>{inside}</s:Body></s:Envelope>'.encode()
    exchange.writer.write(
        f"HTTP/1.1 {status}\r\ncontent-type: {media}; charset=utf-8\r\n".encode()
        + b"content-length: %d\r\n\r\n" % len(body)
        + body
    )
    await exchange.writer.drain()
