"""Queries on second factors: authenticator applications, recovery codes, passkeys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people.domain.passkeys import Passkey
from lienthong.identity.people.models import ceremonies, passkeys, recovery_codes, totps


@dataclass(frozen=True, slots=True)
class StoredTotp:
    """An authenticator application: the secret as JWE, and the step of the last code."""

    sealed: str
    last_step: int


@dataclass(frozen=True, slots=True)
class NamedPasskey:
    """A passkey as its owner sees it."""

    credential_id: bytes
    name: str
    created_at: datetime


async def totp(session: AsyncSession, person_id: str, *, confirmed: bool) -> StoredTotp | None:
    """The authenticator application that a person uses, or the one that is not confirmed yet."""
    query = select(totps).where(totps.c.person_id == person_id, totps.c.confirmed.is_(confirmed))
    row = (await session.execute(query)).one_or_none()
    return None if row is None else StoredTotp(row.sealed, row.last_step)


async def put_totp(session: AsyncSession, person_id: str, sealed: str) -> None:
    """Store a secret that is not confirmed yet, in the place of another such one."""
    await _drop_totp(session, person_id, confirmed=False)
    await session.execute(
        insert(totps).values(person_id=person_id, sealed=sealed, confirmed=False, last_step=0)
    )


async def confirm_totp(session: AsyncSession, person_id: str, step: int) -> None:
    """Use the secret that waited from now on, and use up the code of a step; the one before is gone."""
    await _drop_totp(session, person_id, confirmed=True)
    await session.execute(
        update(totps).where(totps.c.person_id == person_id).values(last_step=step, confirmed=True)
    )


async def use_totp(session: AsyncSession, person_id: str, step: int) -> bool:
    """Use the code of a step up; False where it, or a later one, was used."""
    done = await session.execute(
        update(totps)
        .where(totps.c.person_id == person_id, totps.c.confirmed, totps.c.last_step < step)
        .values(last_step=step)
        .returning(totps.c.person_id)
    )
    return done.one_or_none() is not None


async def drop_totp(session: AsyncSession, person_id: str) -> bool:
    """Forget the secret that is in use; whether there was one."""
    return await _drop_totp(session, person_id, confirmed=True)


async def _drop_totp(session: AsyncSession, person_id: str, *, confirmed: bool) -> bool:
    gone = await session.execute(
        delete(totps)
        .where(totps.c.person_id == person_id, totps.c.confirmed.is_(confirmed))
        .returning(totps.c.person_id)
    )
    return gone.one_or_none() is not None


async def put_recovery_codes(session: AsyncSession, person_id: str, digests: Collection[bytes]) -> None:
    """Store recovery codes in the place of all others."""
    await session.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    if digests:
        rows = [{"person_id": person_id, "digest": one} for one in digests]
        await session.execute(insert(recovery_codes), rows)


async def use_recovery_code(session: AsyncSession, person_id: str, digest: bytes) -> bool:
    """Use a recovery code up; of two who try, one gets it."""
    gone = await session.execute(
        delete(recovery_codes)
        .where(recovery_codes.c.person_id == person_id, recovery_codes.c.digest == digest)
        .returning(recovery_codes.c.digest)
    )
    return gone.one_or_none() is not None


async def recovery_codes_left(session: AsyncSession, person_id: str) -> int:
    """How many recovery codes have not been used."""
    query = select(func.count()).where(recovery_codes.c.person_id == person_id)
    return int((await session.execute(query)).scalar_one())


async def recovery_digests(session: AsyncSession, person_id: str) -> list[bytes]:
    """The digests of the recovery codes that have not been used, in their own order."""
    query = select(recovery_codes.c.digest).where(recovery_codes.c.person_id == person_id)
    return sorted(bytes(one) for one in (await session.execute(query)).scalars())


async def passkeys_of(session: AsyncSession, person_id: str) -> list[NamedPasskey]:
    """The passkeys of a person, oldest first."""
    query = select(passkeys).where(passkeys.c.person_id == person_id)
    rows = await session.execute(query.order_by(passkeys.c.created_at, passkeys.c.credential_id))
    return [NamedPasskey(row.credential_id, row.name, row.created_at) for row in rows]


async def owner(session: AsyncSession, credential_id: bytes) -> str | None:
    """Whose passkey this is."""
    query = select(passkeys.c.person_id).where(passkeys.c.credential_id == credential_id)
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def passkey(session: AsyncSession, person_id: str, credential_id: bytes) -> Passkey | None:
    """A passkey of a person; the caller has locked the account, so that its count is not read twice."""
    query = select(passkeys).where(
        passkeys.c.person_id == person_id, passkeys.c.credential_id == credential_id
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Passkey(row.credential_id, row.public_key, row.sign_count)


async def add_passkey(
    session: AsyncSession, person_id: str, found: Passkey, name: str, now: datetime
) -> bool:
    """Store a passkey; False where it is registered already, whoever it belongs to."""
    if await owner(session, found.credential_id) is not None:
        return False
    await session.execute(
        insert(passkeys).values(
            credential_id=found.credential_id,
            person_id=person_id,
            public_key=found.public_key,
            sign_count=found.sign_count,
            name=name,
            created_at=now,
        )
    )
    return True


async def count_signature(session: AsyncSession, credential_id: bytes, sign_count: int) -> None:
    """Note what an authenticator said of how often it has signed."""
    await session.execute(
        update(passkeys).where(passkeys.c.credential_id == credential_id).values(sign_count=sign_count)
    )


async def drop_passkey(session: AsyncSession, person_id: str, credential_id: bytes) -> bool:
    """Forget a passkey of a person; whether there was one."""
    gone = await session.execute(
        delete(passkeys)
        .where(passkeys.c.person_id == person_id, passkeys.c.credential_id == credential_id)
        .returning(passkeys.c.credential_id)
    )
    return gone.one_or_none() is not None


async def has_second_factor(session: AsyncSession, person_id: str) -> bool:
    """Whether a person has a second factor: a confirmed application or a passkey.

    Recovery codes are none: they stand in for one of these.
    """
    confirmed = exists().where(totps.c.person_id == person_id, totps.c.confirmed)
    registered = exists().where(passkeys.c.person_id == person_id)
    return bool(
        (await session.execute(select(or_(confirmed, registered, literal(value=False))))).scalar_one()
    )


async def drop_factors(session: AsyncSession, person_id: str) -> None:
    """Forget every second factor of a person, and the registration that is under way."""
    for table in (totps, recovery_codes, passkeys, ceremonies):
        await session.execute(delete(table).where(table.c.person_id == person_id))


async def put_ceremony(session: AsyncSession, person_id: str, challenge: bytes, expires_at: datetime) -> None:
    """Begin the registration of a passkey, in the place of any that is under way."""
    await session.execute(delete(ceremonies).where(ceremonies.c.person_id == person_id))
    await session.execute(
        insert(ceremonies).values(person_id=person_id, challenge=challenge, expires_at=expires_at)
    )


async def take_ceremony(session: AsyncSession, person_id: str, now: datetime) -> bytes | None:
    """Use up the challenge of the registration that is under way; None where there is none in time."""
    query = delete(ceremonies).where(ceremonies.c.person_id == person_id)
    row = (
        await session.execute(query.returning(ceremonies.c.challenge, ceremonies.c.expires_at))
    ).one_or_none()
    return None if row is None or row.expires_at <= now else bytes(row.challenge)
