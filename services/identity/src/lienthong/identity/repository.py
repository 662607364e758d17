"""All queries of the identity service. Each uses the session, or what executes statements, that it is given
and never commits.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, false, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.domain.clients import ClientStatus, RegisteredClient
from lienthong.identity.domain.key_encryption import StoredKey
from lienthong.identity.domain.service_accounts import ServiceAccount
from lienthong.identity.models import clients, signing_keys, state, successions, used_assertions
from lienthong.kit.one_turn import Statements

_NEW_ASSERTIONS = {
    "sqlite": sqlite.insert(used_assertions).on_conflict_do_nothing().returning(used_assertions.c.digest),
    "postgresql": postgresql.insert(used_assertions)
    .on_conflict_do_nothing()
    .returning(used_assertions.c.digest),
}
_CLIENT = select(clients).where(clients.c.client_id == bindparam("client_id"))


async def find_client(session: AsyncSession, client_id: str) -> RegisteredClient | None:
    """Find a client by its id."""
    row = (await session.execute(_CLIENT, {"client_id": client_id})).one_or_none()
    return None if row is None else _client(row)


async def systems(
    session: AsyncSession, agencies: Collection[str] | None, *, after: str, limit: int
) -> list[RegisteredClient]:
    """The systems of these agencies, or of all, in the order of their ids; also those that were removed."""
    query = select(clients).where(clients.c.client_id > after)
    if agencies is None:
        query = query.where(clients.c.client_id.contains("/", autoescape=True))
    else:
        owned = (clients.c.client_id.startswith(f"{one}/", autoescape=True) for one in sorted(agencies))
        query = query.where(or_(false(), *owned))
    rows = await session.execute(query.order_by(clients.c.client_id).limit(limit))
    return [_client(row) for row in rows]


def _client(row: Row[Any]) -> RegisteredClient:
    return RegisteredClient(
        client_id=row.client_id,
        jwks=row.jwks,
        scopes=tuple(row.scopes.split()),
        status=ClientStatus(row.status),
        catalog_version=row.catalog_version,
        certificates=tuple(row.certificates.split()),
        service_accounts=msgspec.json.decode(row.service_accounts, type=tuple[ServiceAccount, ...]),
    )


async def save_client(session: AsyncSession, client: RegisteredClient, now: datetime) -> None:
    """Insert or update a client; the caller has locked the version."""
    values = {
        "jwks": client.jwks,
        "scopes": " ".join(client.scopes),
        "status": client.status.value,
        "catalog_version": client.catalog_version,
        "certificates": " ".join(client.certificates),
        "service_accounts": msgspec.json.encode(client.service_accounts).decode(),
        "changed_at": now,
    }
    changed = await session.execute(
        update(clients)
        .where(clients.c.client_id == client.client_id)
        .values(values)
        .returning(clients.c.client_id)
    )
    if changed.one_or_none() is None:
        await session.execute(insert(clients).values(client_id=client.client_id, **values))


async def catalog_versions(session: AsyncSession, client_ids: Collection[str]) -> dict[str, int]:
    """The versions of the catalog at which these clients were taken over, of those that are known."""
    found = await session.execute(
        select(clients.c.client_id, clients.c.catalog_version).where(clients.c.client_id.in_(client_ids))
    )
    return {row.client_id: row.catalog_version for row in found}


async def newest_catalog_version(session: AsyncSession) -> int:
    """The greatest version of the catalog at which a client was taken over; 0 before the first."""
    return int((await session.execute(select(func.max(clients.c.catalog_version)))).scalar_one() or 0)


async def refused_clients(session: AsyncSession) -> tuple[str, ...]:
    """The ids of the clients that are suspended or removed, sorted."""
    found = await session.scalars(
        select(clients.c.client_id)
        .where(clients.c.status != ClientStatus.ACTIVE.value)
        .order_by(clients.c.client_id)
    )
    return tuple(found)


async def successors(session: AsyncSession) -> dict[str, str]:
    """The agencies into which others were merged, by the codes of those."""
    found = await session.execute(select(successions.c.code, successions.c.successor))
    return {row.code: row.successor for row in found}


async def succession_version(session: AsyncSession, code: str) -> int:
    """The version of the catalog at which a merger of an agency was taken over; -1 where none was."""
    query = select(successions.c.catalog_version).where(successions.c.code == code)
    found = (await session.execute(query)).scalar_one_or_none()
    return -1 if found is None else int(found)


async def save_succession(session: AsyncSession, code: str, successor: str, version: int) -> None:
    """Keep that an agency was merged into another one; the caller has locked the version."""
    await session.execute(delete(successions).where(successions.c.code == code))
    await session.execute(insert(successions).values(code=code, successor=successor, catalog_version=version))


def assertion_digest(client_id: str, assertion_id: str) -> bytes:
    """The key of a used assertion: SHA-256 of the client id and the `jti`."""
    # JSON strings may contain lone surrogates, which UTF-8 cannot encode.
    text = f"{client_id}\0{assertion_id}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def proof_digest(digest: bytes) -> bytes:
    """The key of a used DPoP proof, which no assertion has; `digest` stands for its key and its `jti`."""
    return hashlib.sha256(b"\0DPoP\0" + digest).digest()


def remember_assertions(forget_at: Mapping[bytes, int], statements: Statements) -> frozenset[bytes]:
    """Insert used assertions and proofs, by digest; returns those that were new.

    Of simultaneous transactions exactly one finds an assertion new.
    """
    # Sorted, so that replicas cannot wait for each other in a circle.
    rows = [{"digest": digest, "forget_at": forget_at[digest]} for digest in sorted(forget_at)]
    new = statements.execute(_NEW_ASSERTIONS[statements.dialect], rows)
    return frozenset(digest for (digest,) in new)


async def forget_assertions(session: AsyncSession, *, before: int, limit: int) -> int:
    """Delete at most `limit` used assertions whose `forget_at` lies before `before`; returns how many."""
    old = select(used_assertions.c.digest).where(used_assertions.c.forget_at < before).limit(limit)
    gone = await session.scalars(
        delete(used_assertions).where(used_assertions.c.digest.in_(old)).returning(used_assertions.c.digest)
    )
    return len(gone.all())


async def stored_keys(session: AsyncSession) -> Sequence[StoredKey]:
    """The published keys, in the order in which they sign."""
    rows = await session.execute(
        select(signing_keys).order_by(signing_keys.c.signs_from, signing_keys.c.key_id)
    )
    return [StoredKey(row.key_id, row.sealed, row.signs_from, row.published_at) for row in rows]


async def publish_key(session: AsyncSession, key: StoredKey) -> None:
    """Store a new signing key."""
    await session.execute(
        insert(signing_keys).values(
            key_id=key.key_id, sealed=key.encrypted, signs_from=key.signs_from, published_at=key.published_at
        )
    )


async def remove_keys(session: AsyncSession, key_ids: Collection[str]) -> None:
    """Delete signing keys."""
    await session.execute(delete(signing_keys).where(signing_keys.c.key_id.in_(key_ids)))


async def current_version(session: AsyncSession) -> int:
    """The version of what verifiers must know."""
    return int((await session.execute(select(state.c.version))).scalar_one())


async def lock_version(session: AsyncSession) -> int:
    """Like `current_version`, and lock it: other transactions that change it wait for this one."""
    return int((await session.execute(select(state.c.version).with_for_update())).scalar_one())


async def raise_version(session: AsyncSession, now: datetime) -> None:
    """Raise the version, as part of a change of what verifiers must know.

    The new version is the time in milliseconds, or the old one plus one if that is more: so it grows even
    when the database is replaced or restored.
    """
    before = await lock_version(session)
    await session.execute(update(state).values(version=max(before + 1, int(now.timestamp() * 1000))))


async def database_id(session: AsyncSession) -> str:
    """The id of this database."""
    return str((await session.execute(select(state.c.database_id))).scalar_one())


async def replace_database_id(session: AsyncSession, new_id: str) -> None:
    """Give this database another id."""
    await session.execute(update(state).values(database_id=new_id))
