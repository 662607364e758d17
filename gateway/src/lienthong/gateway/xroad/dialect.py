"""In whose words a door speaks: X-Road's or GovStack's."""

from __future__ import annotations

from typing import Final


class Dialect:
    """The words of one door."""

    __slots__ = ("base", "client_fields", "name")

    def __init__(self, name: str, base: bytes, client_fields: tuple[bytes, ...]) -> None:
        self.name = name
        """As records have it."""
        self.base = base
        """What stands before a service's identifier in a path."""
        self.client_fields = client_fields
        """The fields that name the client."""


XROAD: Final = Dialect("xroad", b"/r1/", (b"x-road-client",))
GOVSTACK: Final = Dialect("govstack", b"/govstack/", (b"information-mediator-client", b"x-govstack-client"))
GOVSTACK_R1: Final = Dialect("govstack", b"/govstack/r1/", GOVSTACK.client_fields)
"""The newest GovStack directory API writes the paths of X-Road behind its own base."""
GOVSTACK_JSON: Final = b"application/json; charset=utf-8"
"""As the building block's tests compare it."""
LIST_CLIENTS: Final = b"listClients"
LIST_CLIENTS_PATH: Final = b"/listClients"
_DIALECTS: Final = (XROAD, GOVSTACK_R1, GOVSTACK)


def dialect_of(path: bytes) -> Dialect | None:
    """The dialect of the door that a path belongs to; None: of no door."""
    if path == LIST_CLIENTS_PATH:
        return XROAD
    for dialect in _DIALECTS:
        if path.startswith(dialect.base):
            return dialect
    return None


def is_list_clients(path: bytes, dialect: Dialect) -> bool:
    """Whether a path of a dialect is that of listClients, which names no subsystem."""
    return path == LIST_CLIENTS_PATH if dialect is XROAD else path[len(dialect.base) :] == LIST_CLIENTS
