"""From which address a request comes, where proxies may stand before the process."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request


def address_of(request: Request, proxies: int = 0) -> str:
    """The address that the outermost of our own proxies saw; "" for what is none.

    `proxies` is how many of them, one behind the other, append to X-Forwarded-For. Where fewer have, it is
    the address that has opened the connection.
    """
    address = request.client.host if request.client else ""
    if not proxies:
        return address
    # Whatever stands before the last entries was written by whoever calls.
    said = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    return _address(said[-proxies]) if len(said) >= proxies else address


def _address(said: str) -> str:
    """The address that a proxy wrote, without the port that some add; "" for what is none.

    Nobody's address counts as one network, so that whoever makes a proxy write nonsense shares one limit.
    """
    text = said.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
