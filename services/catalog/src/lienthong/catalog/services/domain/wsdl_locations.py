"""A WSDL document as callers get it: with the gateway's address in the place of the provider's."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from lienthong.catalog.services.domain.wsdl_names import address_path
from lienthong.catalog.services.domain.wsdl_tree import HTTP_ADDRESS, SOAP_1_1, SOAP_1_2, WSDL, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.catalog.services.domain.wsdl_tree import Element

_LOCATION = re.compile(
    rb"""<[^\s>/]+(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*?\s+location\s*=\s*("[^"]*"|'[^']*')"""
)
"""A tag, which is known to be well-formed, up to and with its location."""


def for_callers(document: str, base: str) -> str:
    """Return a document that was taken in, its ports below `base`, such as `https://gw.example/api/H11.05/…`.

    Only the values of `location` in soap:address and http:address change: the rest stays as the provider
    wrote it. Nobody is told the provider's own address, not even that of ports which are not offered.
    """
    text = document.encode()
    begin = 0
    parts: list[bytes] = []
    for address in _addresses(parse(document)):
        found = _LOCATION.match(text, address.offset)
        if found is None:
            continue
        parts += (text[begin : found.start(1)], f'"{base}{address_path(address.get("location"))}"'.encode())
        begin = found.end(1)
    return b"".join((*parts, text[begin:])).decode()


def _addresses(root: Element) -> Iterator[Element]:
    ports = chain.from_iterable(service.all(f"{WSDL} port") for service in root.all(f"{WSDL} service"))
    return (
        child
        for port in ports
        for child in port.children
        if child.name in {f"{SOAP_1_1} address", f"{SOAP_1_2} address", HTTP_ADDRESS}
    )
