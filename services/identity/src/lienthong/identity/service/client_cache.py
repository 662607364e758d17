"""The clients as the token endpoint reads them: at hand, but never older than what this process has heard.

Every change of a client raises the version of the state, and what was read under another version is dropped.
A client that is not there is asked for again each time: the catalog may have registered it a moment ago.
"""

from collections import OrderedDict
from typing import Final

from lienthong.identity import repository
from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.service.keyring import Keyring
from lienthong.kit.database import Database

_MOST: Final = 4096


class ClientCache:
    """Finds clients, in memory where that is as good as the database."""

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
        # What was read before a change must not be kept as if it were read after it.
        if client is not None and self._keyring.published.version == self._version == version:
            self._clients[client_id] = client
            if len(self._clients) > _MOST:
                self._clients.popitem(last=False)
        return client
