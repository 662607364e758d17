"""Networks that a system calls from, where the network alone says who calls."""

from __future__ import annotations

from ipaddress import ip_network

from lienthong.catalog.errors import InvalidValueError

_MAX_LENGTH = 64


def network(text: str) -> str:
    """Return a network in CIDR notation as it is usually written; a single address is one too.

    Raises:
        InvalidValueError: it is no network, or bits are set behind its prefix.
    """
    try:
        if len(text) > _MAX_LENGTH or "%" in text:
            raise ValueError  # noqa: TRY301 - said below
        return str(ip_network(text))
    except ValueError:
        raise InvalidValueError(
            "write a network in CIDR notation without bits behind its prefix, like '10.20.0.0/24'",
            "hãy viết mạng theo dạng CIDR, không có bit thừa sau tiền tố, ví dụ '10.20.0.0/24'",
        ) from None
