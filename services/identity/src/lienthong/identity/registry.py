"""The registry of clients: in step with the catalog, and the server's own two clients beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity import repository
from lienthong.identity.clientkeys import client_keys
from lienthong.identity.journal import Journal
from lienthong.identity.keyring import Keyring
from lienthong.identity.models import Status
from lienthong.identity.repository import Client
from lienthong.identity.schemas import SystemEvent, SystemManifest
from lienthong.identity.scopes import SYSTEM_SCOPES
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Change:
    action: str
    detail: Mapping[str, Any]


class ClientRegistry:
    """Writes clients. Each change, its version and its record are one transaction."""

    def __init__(self, database: Database, keyring: Keyring, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._journal = journal
        self._clock = clock

    async def follow(self, event: SystemEvent) -> bool:
        """Take over what the catalog says of a system, unless something newer was heard before.

        So events may come twice and in any order. Tells whether it was news.
        """
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            known = await repository.find_client(session, event.id)
            if known is not None and known.catalog_version >= event.version:
                return False
            change = await self._save(session, known, client_of(event))
        await self._tell(event.id, change)
        return True

    async def register(self, client: Client) -> bool:
        """Register a client of the server itself, or give it other keys. Tells whether anything changed."""
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            known = await repository.find_client(session, client.client_id)
            change = await self._save(session, known, client)
        await self._tell(client.client_id, change)
        return change is not None

    async def find(self, client_id: str) -> Client | None:
        """Find a client by its id."""
        async with self._database.reading() as session:
            return await repository.find_client(session, client_id)

    async def _save(self, session: AsyncSession, known: Client | None, client: Client) -> _Change | None:
        if known == client:
            return None
        now = self._clock.now()
        await repository.save_client(session, client, now)
        change = _change(known, client)
        if change is not None:
            await self._journal.add(
                session, action=change.action, subject=f"Client/{client.client_id}", detail=change.detail
            )
            await repository.raise_version(session, now)
        return change

    async def _tell(self, client_id: str, change: _Change | None) -> None:
        if change is not None:
            _log.info("client changed", client=client_id, action=change.action, **change.detail)
            await self._keyring.refresh()


def client_of(event: SystemEvent) -> Client:
    """Make the client that a system is, as the catalog describes it."""
    removed = event.action == "removed" or event.resource is None
    manifest = SystemManifest() if event.resource is None else event.resource
    return Client(
        client_id=event.id,
        jwks=canonical_jwks({"keys": []} if removed else manifest.spec.jwks),
        scopes=SYSTEM_SCOPES,
        status=Status.REMOVED if removed else Status(manifest.status),
        catalog_version=event.version,
    )


def canonical_jwks(jwks: Mapping[str, Any]) -> str:
    """Write a JWK set as JSON text, equal sets alike."""
    return json.dumps(jwks, sort_keys=True, separators=(",", ":"))


def _change(known: Client | None, client: Client) -> _Change | None:
    """What happened to a client in words; None if nothing that matters to it."""
    detail: dict[str, Any] = {"status": client.status.value, "keys": key_names(client.jwks)}
    if client.catalog_version:
        detail["catalog_version"] = client.catalog_version
    if known is None:
        return _Change("client.register", detail)
    if known.status is not client.status:
        actions = {Status.ACTIVE: "client.resume", Status.SUSPENDED: "client.suspend"}
        return _Change(actions.get(client.status, "client.remove"), detail)
    if known.jwks != client.jwks:
        return _Change("client.change-keys", detail)
    if known.scopes != client.scopes:
        return _Change("client.change-scopes", {**detail, "scopes": list(client.scopes)})
    return None


def key_names(jwks: str) -> list[str]:
    """Name the usable keys of a JWK set by their thumbprints (RFC 7638)."""
    return [key.thumbprint for key in client_keys(json.loads(jwks))]
