"""Queries on attempts, sign-ins under way, sessions and known devices."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people.domain.attempts import Attempts
from lienthong.identity.people.domain.sessions import HERE, Factor, Origin, Session, Via
from lienthong.identity.people.models import attempts, devices, sessions, sign_ins

_FIRST_ATTEMPT = {
    "sqlite": sqlite.insert(attempts).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(attempts).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that is under way: whose password was right ("" before anyone is known), and what is next."""

    digest: bytes
    person_id: str
    step: str
    challenge: bytes
    expires_at: datetime
    via: Via = HERE


async def lock_attempts(session: AsyncSession, key: bytes, now: datetime, dialect: str) -> Attempts:
    """The failures of a key; other attempts with the same key wait for this transaction."""
    await session.execute(
        _FIRST_ATTEMPT[dialect], {"key": key, "failures": 0, "blocked_until": None, "last_at": now}
    )
    row = (await session.execute(select(attempts).where(attempts.c.key == key).with_for_update())).one()
    return Attempts(row.failures, row.blocked_until, row.last_at)


async def save_attempts(session: AsyncSession, key: bytes, found: Attempts) -> None:
    """Store the failures of a key."""
    await session.execute(
        update(attempts)
        .where(attempts.c.key == key)
        .values(failures=found.failures, blocked_until=found.blocked_until, last_at=found.last_at)
    )


async def forgive(session: AsyncSession, key: bytes) -> None:
    """Forget the failures of a key."""
    await session.execute(delete(attempts).where(attempts.c.key == key))


async def give_back(session: AsyncSession, key: bytes) -> None:
    """Take back one attempt of a key that was counted and succeeded."""
    await session.execute(
        update(attempts)
        .where(attempts.c.key == key, attempts.c.failures > 0)
        .values(failures=attempts.c.failures - 1, blocked_until=None)
    )


async def put_sign_in(session: AsyncSession, found: SignIn) -> None:
    """Store a sign-in that is under way."""
    await session.execute(
        insert(sign_ins).values(
            digest=found.digest,
            person_id=found.person_id or None,
            step=found.step,
            challenge=found.challenge,
            expires_at=found.expires_at,
            provider=found.via.provider or None,
            upstream_session=found.via.session or None,
        )
    )


async def sign_in(
    session: AsyncSession, digest: bytes, now: datetime, *, locked: bool = False
) -> SignIn | None:
    """A sign-in that is under way; None where it has ended.

    Who locks it against other changes has locked the account before: all do so in this order.
    """
    query = select(sign_ins).where(sign_ins.c.digest == digest)
    if locked:
        query = query.with_for_update()
    row = (await session.execute(query)).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    via = Via(row.provider or "", row.upstream_session or "")
    return SignIn(digest, row.person_id or "", row.step, bytes(row.challenge), row.expires_at, via)


async def put_challenge(session: AsyncSession, digest: bytes, challenge: bytes) -> None:
    """Give a sign-in another challenge; a response to the one before is worth nothing."""
    await session.execute(update(sign_ins).where(sign_ins.c.digest == digest).values(challenge=challenge))


async def end_sign_in(session: AsyncSession, digest: bytes) -> None:
    """End a sign-in: it has led to a session, or to nothing."""
    await session.execute(delete(sign_ins).where(sign_ins.c.digest == digest))


async def end_sign_ins(session: AsyncSession, person_id: str, *, keep: int = 0) -> None:
    """End the sign-ins of a person, but for the newest `keep`."""
    newest = select(sign_ins.c.digest).where(sign_ins.c.person_id == person_id)
    newest = newest.order_by(sign_ins.c.expires_at.desc(), sign_ins.c.digest).limit(keep)
    await session.execute(
        delete(sign_ins).where(sign_ins.c.person_id == person_id, sign_ins.c.digest.not_in(newest))
    )


async def add_session(session: AsyncSession, digest: bytes, found: Session) -> None:
    """Store a session."""
    await session.execute(
        insert(sessions).values(
            id=found.id,
            digest=digest,
            person_id=found.person_id,
            created_at=found.created_at,
            seen_at=found.seen_at,
            expires_at=found.expires_at,
            factors=" ".join(found.factors),
            address=found.origin.address,
            client=found.origin.client,
            provider=found.via.provider or None,
            upstream_session=found.via.session or None,
            proved_at=found.via.proved_at,
        )
    )


async def session_of(session: AsyncSession, digest: bytes) -> Session | None:
    """The session of a token, also when it has ended by itself."""
    row = (await session.execute(select(sessions).where(sessions.c.digest == digest))).one_or_none()
    return None if row is None else _session(row)


async def session_by_id(session: AsyncSession, session_id: str, *, locked: bool = False) -> Session | None:
    """A session, also when it has ended by itself; `locked` against being ended."""
    query = select(sessions).where(sessions.c.id == session_id)
    row = (await session.execute(query.with_for_update() if locked else query)).one_or_none()
    return None if row is None else _session(row)


async def sessions_of(session: AsyncSession, person_id: str) -> list[Session]:
    """The sessions of a person, newest first."""
    query = select(sessions).where(sessions.c.person_id == person_id)
    rows = await session.execute(query.order_by(sessions.c.created_at.desc(), sessions.c.id))
    return [_session(row) for row in rows]


async def see_session(session: AsyncSession, session_id: str, now: datetime) -> None:
    """Note that a request came in a session."""
    await session.execute(
        update(sessions).where(sessions.c.id == session_id, sessions.c.seen_at < now).values(seen_at=now)
    )


async def end_sessions(
    session: AsyncSession, person_id: str, *, only: Collection[str] | None = None
) -> list[str]:
    """End sessions of a person, all or those with these ids; returns the ids of those that were there."""
    query = delete(sessions).where(sessions.c.person_id == person_id)
    if only is not None:
        query = query.where(sessions.c.id.in_(only))
    return sorted((await session.scalars(query.returning(sessions.c.id))).all())


async def renew_session(session: AsyncSession, session_id: str, by: str) -> None:
    """Let a session go on with the token, times, factors and origin of another one, which is gone then."""
    gone = delete(sessions).where(sessions.c.id == by).returning(*sessions.c)
    row = (await session.execute(gone)).one()
    kept = ("id", "person_id")
    values = {name: value for name, value in row._asdict().items() if name not in kept}
    await session.execute(update(sessions).where(sessions.c.id == session_id).values(values))


async def known_device(session: AsyncSession, digest: bytes, person_id: str, now: datetime) -> str | None:
    """The id of a device on which this person has signed in; None for any other."""
    query = select(devices.c.id).where(
        devices.c.digest == digest, devices.c.person_id == person_id, devices.c.expires_at > now
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def is_known_device(session: AsyncSession, digest: bytes, now: datetime) -> bool:
    """Whether anyone has signed in on a device."""
    query = select(devices.c.id).where(devices.c.digest == digest, devices.c.expires_at > now)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def add_device(
    session: AsyncSession, digest: bytes, device_id: str, person_id: str, expires_at: datetime, *, most: int
) -> None:
    """Know a device; of more than `most` of a person, those that would be forgotten first go."""
    await session.execute(
        insert(devices).values(digest=digest, id=device_id, person_id=person_id, expires_at=expires_at)
    )
    newest = select(devices.c.digest).where(devices.c.person_id == person_id)
    newest = newest.order_by(devices.c.expires_at.desc(), devices.c.digest).limit(most)
    await session.execute(
        delete(devices).where(devices.c.person_id == person_id, devices.c.digest.not_in(newest))
    )


async def forget_devices(session: AsyncSession, person_id: str) -> None:
    """Know no device of a person any more."""
    await session.execute(delete(devices).where(devices.c.person_id == person_id))


async def end_over(session: AsyncSession, *, now: datetime, idle_since: datetime) -> list[str]:
    """Delete the sessions that are too old, or had no request since `idle_since`; returns their ids."""
    over = delete(sessions).where((sessions.c.expires_at <= now) | (sessions.c.seen_at <= idle_since))
    return sorted((await session.scalars(over.returning(sessions.c.id))).all())


async def forget(session: AsyncSession, *, now: datetime, tried_before: datetime) -> None:
    """Delete what has ended by itself: sign-ins, devices, and attempts before `tried_before`."""
    await session.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now))
    await session.execute(delete(devices).where(devices.c.expires_at <= now))
    await session.execute(delete(attempts).where(attempts.c.last_at <= tried_before))


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        person_id=row.person_id,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        factors=tuple(Factor(factor) for factor in row.factors.split()),
        origin=Origin(row.address, row.client),
        via=Via(row.provider or "", row.upstream_session or "", row.proved_at),
    )
