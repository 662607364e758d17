"""The signing keys and what verifiers must know: a copy in memory that follows the database.

The database is the source. Every process compares its version often and replaces the whole copy when it has
changed, whoever changed it.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity import repository
from lienthong.identity.domain.access_tokens import TokenSigningKey
from lienthong.identity.domain.key_encryption import KeyDecryptionError, KeyEncryption, StoredKey
from lienthong.identity.domain.rotation import KeyTimes, Rotation, RotationRules, plan, signing_key
from lienthong.identity.events import ACTOR
from lienthong.kit.clock import Clock, rfc3339
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminAct, AdminJournal

_log = structlog.get_logger(__name__)

CERTAIN_SECONDS = 5.0
"""For so long nobody doubts what was read last: ten readings may fail or one may take its time."""

NewKey = Callable[[], TokenSigningKey]


@dataclass(frozen=True, slots=True)
class Published:
    """What verifiers must know: the key set as JSON text, and the clients whose tokens they must refuse."""

    version: int
    jwks: str
    refused_clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _State:
    published: Published
    times: tuple[KeyTimes, ...]
    keys: Mapping[str, TokenSigningKey]


class NoSigningKeyError(Exception):
    """The keys have not been read yet."""


class Keyring:
    """The signing keys of this server. `refresh` reads them, `rotate` publishes and removes them when due."""

    def __init__(
        self,
        database: Database,
        encryption: KeyEncryption,
        rules: RotationRules,
        journal: AdminJournal,
        clock: Clock,
        *,
        new_key: NewKey = TokenSigningKey.generate,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._rules = rules
        self._journal = journal
        self._clock = clock
        self._new_key = new_key
        self._monotonic = monotonic
        self._certain_until = -math.inf
        self._state: _State | None = None
        self._changed = asyncio.Event()
        self._refreshing = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Whether there is a key to sign with."""
        return self._state is not None and bool(self._state.times)

    @property
    def certain(self) -> bool:
        """Whether the state was read so lately that others may be told that it is what holds."""
        return self._monotonic() <= self._certain_until

    @property
    def published(self) -> Published:
        """What verifiers must know now.

        Raises:
            NoSigningKeyError: the state has not been read yet.
        """
        return self._loaded().published

    def signing(self) -> TokenSigningKey:
        """The key that signs now.

        Raises:
            NoSigningKeyError: the state has not been read yet.
        """
        loaded = self._loaded()
        current = signing_key(loaded.times, self._clock.now())
        if current is None:
            raise NoSigningKeyError
        return loaded.keys[current.key_id]

    async def changed(self, seen: int, *, within: float) -> None:
        """Wait until the version is another one than `seen`, or some seconds have passed."""
        event = self._changed
        if self._loaded().published.version != seen:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await event.wait()

    async def refresh(self) -> None:
        """Read the state again if its version in the database has changed.

        Raises:
            KeyDecryptionError: a key was encrypted with a key-encryption key that is not in the key file.
        """
        async with self._refreshing, self._database.reading() as session:
            # The version is read first: a change after that has another version, and is seen next time.
            began = self._monotonic()
            version = await repository.current_version(session)
            if self._state is not None and self._state.published.version == version:
                self._certain_until = began + CERTAIN_SECONDS
                return
            stored = await repository.stored_keys(session)
            refused = await repository.refused_clients(session)
            self._state = self._load(version, stored, refused)
            self._certain_until = began + CERTAIN_SECONDS
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def rotate(self) -> bool:
        """Publish the next key and remove old ones, if due. Returns whether anything was due."""
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            now = self._clock.now()
            stored = await repository.stored_keys(session)
            due = plan([KeyTimes(key.key_id, key.signs_from) for key in stored], rules=self._rules, now=now)
            if due:
                await self._carry_out(session, due, now)
        if due:
            await self.refresh()
        return bool(due)

    async def replace_now(self) -> str:
        """Remove all keys and sign with a new one at once: every token issued so far becomes invalid.

        For use after the theft of a signing key. Returns the id of the new key.
        """
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            now = self._clock.now()
            old = tuple(key.key_id for key in await repository.stored_keys(session))
            await self._carry_out(session, Rotation(publish_signing_from=now, remove=old), now)
        await self.refresh()
        return self.signing().key_id

    async def _carry_out(self, session: AsyncSession, due: Rotation, now: datetime) -> None:
        if due.remove:
            await repository.remove_keys(session, due.remove)
            for key_id in due.remove:
                await self._record(session, "signing-key.remove", key_id, {})
        if due.publish_signing_from is not None:
            key = self._new_key()
            stored = StoredKey(
                key.key_id, self._encryption.encrypt(key.private_jwk()), due.publish_signing_from, now
            )
            await repository.publish_key(session, stored)
            await self._record(
                session, "signing-key.publish", key.key_id, {"signs_from": rfc3339(due.publish_signing_from)}
            )
        await repository.raise_version(session, now)

    async def _record(self, session: AsyncSession, action: str, key_id: str, detail: dict[str, Any]) -> None:
        await self._journal.add(session, AdminAct(ACTOR, action, f"SigningKey/{key_id}", detail))
        _log.info("signing key changed", action=action, key_id=key_id, **detail)

    def _load(self, version: int, stored: Sequence[StoredKey], refused: tuple[str, ...]) -> _State:
        known = self._state.keys if self._state is not None else {}
        keys = {key.key_id: known.get(key.key_id) or self._decrypt(key) for key in stored}
        jwks = json.dumps({"keys": [key.public_jwk() for key in keys.values()]}, separators=(",", ":"))
        times = tuple(KeyTimes(key.key_id, key.signs_from) for key in stored)
        return _State(Published(version, jwks, refused), times, keys)

    def _decrypt(self, stored: StoredKey) -> TokenSigningKey:
        try:
            key = TokenSigningKey.from_private_jwk(self._encryption.decrypt(stored.encrypted))
        except (KeyError, ValueError, KeyDecryptionError) as error:
            raise KeyDecryptionError(
                f"The signing key {stored.key_id} in the database cannot be decrypted with the key file."
                " Restore the file with which it was encrypted, or add that key to the file (as a JWK set)."
            ) from error
        if key.key_id != stored.key_id:
            raise KeyDecryptionError(f"The signing key {stored.key_id} in the database holds another key.")
        return key

    def _loaded(self) -> _State:
        if self._state is None:
            raise NoSigningKeyError
        return self._state
