"""A cache of clients for the token endpoint.

Every change of a client raises the version of the state; the cache is emptied when this process sees another
version. Unknown clients are not cached: the catalog may have registered one a moment ago.
"""

from collections import OrderedDict
from typing import Final

from lienthong.identity import repository
from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.service.keyring import Keyring
from lienthong.kit.database import Database

_MOST: Final = 4096


class ClientCache:
    """Finds clients in memory, or in the database and then keeps them."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._version = -1
        self._clients: OrderedDict[str, RegisteredClient] = OrderedDict()

    async def find(self, client_id: str) -> RegisteredClient | None:
        """Find a client by its id."""
        version = self._keyring.published.version
        if version != self._version:
            self._clients.clear()
            self._version = version
        elif (known := self._clients.get(client_id)) is not None:
            return known
        async with self._database.reading() as session:
            client = await repository.find_client(session, client_id)
        # A client that was read before a change must not be kept under the version after it.
        if client is not None and self._keyring.published.version == self._version == version:
            self._clients[client_id] = client
            if len(self._clients) > _MOST:
                self._clients.popitem(last=False)
        return client
