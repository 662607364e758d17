"""Looks whether the secrets that services name are there, so that it is told before a call needs one.

Of a very large catalog it is told once a call has needed one: to read all of it after each change would take
time from calls.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.credentials.spec import access

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.gateway.credentials.secrets import Secrets
    from lienthong.gateway.credentials.spec import SecretName
    from lienthong.kit.catalog import CatalogState

EVERY_S: Final = 30.0
MOST_RESOURCES: Final = 20_000
"""Of a catalog that is read."""
_AT_A_TIME: Final = 100
"""Services that are read before calls get their turn."""


async def watch_secrets(state: Callable[[], CatalogState | None], secrets: Secrets) -> None:
    """Look again and again, until cancelled."""
    seen: int | None = None
    named: dict[SecretName, tuple[str, ...]] = {}
    while True:
        present = state()
        if present is not None and present.version != seen:
            named, seen = await named_secrets(present), present.version
        for name, members in named.items():
            secrets.look(name, members)
        await asyncio.sleep(EVERY_S)


async def named_secrets(state: CatalogState) -> dict[SecretName, tuple[str, ...]]:
    """The secrets that the services of a catalog name, and the members that each needs."""
    found: dict[SecretName, tuple[str, ...]] = {}
    if sum(state.counts.values()) > MOST_RESOURCES:
        return found
    kind = routes_pb2.RESOURCE_KIND_SERVICE
    for number, service_id in enumerate(state.ids(kind)):
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)
        message = state.get(kind, service_id.encode())
        if message is None:
            continue
        try:
            wanted = access(routes_pb2.Service.FromString(message))
        except ValueError:
            # What cannot be read makes no route, and the log says so when a call comes.
            continue
        if wanted is not None:
            found.update(wanted.needs())
    return found
