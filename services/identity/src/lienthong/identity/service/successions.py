"""What agencies stand for, in memory: asked for each token.

Every merger raises the version of the state; all is read again when this process sees another version.
"""

from collections.abc import Collection, Mapping

from lienthong.identity import repository
from lienthong.identity.domain.successions import stands_for
from lienthong.identity.service.keyring import Keyring
from lienthong.kit.database import Database
from lienthong.kit.succession import StandsFor


class Successions:
    """Reads mergers from the database and keeps them."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._version = -1
        self._successors: Mapping[str, str] = {}

    async def of(self, agencies: Collection[str]) -> StandsFor:
        """For which codes these agencies stand."""
        version = self._keyring.published.version
        if version != self._version:
            async with self._database.reading() as session:
                self._successors = await repository.successors(session)
            # What was read under an older version than is published by now, is read again the next time.
            self._version = version
        return stands_for(agencies, self._successors) if self._successors else StandsFor()

    async def of_client(self, client_id: str) -> StandsFor:
        """For which codes the agency of a system stands; of other clients, for none."""
        agency, slash, _ = client_id.partition("/")
        return await self.of((agency,) if slash else ())
