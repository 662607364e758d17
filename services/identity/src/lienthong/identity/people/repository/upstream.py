"""Queries on who is who at other providers, and on sign-ins there that are under way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people.domain.upstream import Asserted, Identity, Purpose
from lienthong.identity.people.models import sessions, upstream_attempts, upstream_identities


@dataclass(frozen=True, slots=True)
class UpstreamAttempt:
    """A sign-in at a provider that is under way. `session_id` is in which session a link was asked for,
    `link` the digest of a one-time link, `fresh` whether the person has to prove anew there who it is."""

    provider: str
    purpose: Purpose
    session_id: str | None
    link: bytes | None
    onward: str
    fresh: bool
    begun_at: datetime
    expires_at: datetime


async def find(session: AsyncSession, issuer: str, subject: str) -> Identity | None:
    """Whose account this is at our side."""
    query = select(upstream_identities).where(
        upstream_identities.c.issuer == issuer, upstream_identities.c.subject == subject
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _identity(row)


async def of_person(session: AsyncSession, person_id: str) -> list[Identity]:
    """Who a person is elsewhere, oldest first."""
    query = select(upstream_identities).where(upstream_identities.c.person_id == person_id)
    query = query.order_by(upstream_identities.c.created_at, upstream_identities.c.id)
    return [_identity(row) for row in await session.execute(query)]


async def add(
    session: AsyncSession, identity_id: str, person_id: str, found: Asserted, now: datetime
) -> None:
    """Link an identity to an account; two that do so at once meet the table's constraints."""
    await session.execute(
        insert(upstream_identities).values(
            id=identity_id,
            issuer=found.issuer,
            subject=found.subject,
            provider=found.provider,
            person_id=person_id,
            label=found.label,
            created_at=now,
        )
    )


async def drop(session: AsyncSession, person_id: str, identity_id: str) -> Identity | None:
    """Unlink an identity of a person; gives it where there was one."""
    gone = await session.execute(
        delete(upstream_identities)
        .where(upstream_identities.c.person_id == person_id, upstream_identities.c.id == identity_id)
        .returning(*upstream_identities.c)
    )
    row = gone.one_or_none()
    return None if row is None else _identity(row)


async def drop_all(session: AsyncSession, person_id: str) -> None:
    """Unlink every identity of a person."""
    await session.execute(delete(upstream_identities).where(upstream_identities.c.person_id == person_id))


async def put_attempt(session: AsyncSession, digest: bytes, found: UpstreamAttempt) -> None:
    """Store an attempt."""
    values = {name: getattr(found, name) for name in UpstreamAttempt.__slots__}
    values["purpose"] = found.purpose.value
    await session.execute(insert(upstream_attempts).values(digest=digest, **values))


async def take_attempt(session: AsyncSession, digest: bytes, now: datetime) -> UpstreamAttempt | None:
    """Use an attempt up: of two answers one gets it, and none after its time."""
    taken = delete(upstream_attempts).where(upstream_attempts.c.digest == digest)
    row = (await session.execute(taken.returning(*upstream_attempts.c))).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    values: dict[str, Any] = row._asdict()
    del values["digest"]
    link = None if row.link is None else bytes(row.link)
    return UpstreamAttempt(**{**values, "purpose": Purpose(row.purpose), "link": link})


async def forget_attempts(session: AsyncSession, now: datetime) -> None:
    """Delete attempts whose time is over."""
    await session.execute(delete(upstream_attempts).where(upstream_attempts.c.expires_at <= now))


async def sessions_by(
    session: AsyncSession,
    provider: str,
    *,
    person_id: str | None,
    upstream_session: str | None,
    begun_before: datetime,
) -> dict[str, list[str]]:
    """The sessions that began by a provider: of a person, or of a session there; their ids by person."""
    query = select(sessions.c.id, sessions.c.person_id).where(
        sessions.c.provider == provider, sessions.c.created_at <= begun_before
    )
    if person_id is not None:
        query = query.where(sessions.c.person_id == person_id)
    if upstream_session is not None:
        query = query.where(sessions.c.upstream_session == upstream_session)
    found: dict[str, list[str]] = {}
    for row in await session.execute(query.order_by(sessions.c.person_id, sessions.c.id)):
        found.setdefault(row.person_id, []).append(row.id)
    return found


def _identity(row: Row[Any]) -> Identity:
    return Identity(row.id, row.provider, row.person_id, row.label, row.created_at)
