"""Queries on accounts, their roles, and one-time links."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people.domain.accounts import Account, AccountState
from lienthong.identity.people.models import grants, links, people
from lienthong.kit.policy import Grant, Role

_AT_A_TIME: Final = 500


async def find(session: AsyncSession, person_id: str) -> Account | None:
    """An account, with its roles."""
    return await _one(session, select(people).where(people.c.id == person_id))


async def find_by_login(session: AsyncSession, login: str) -> Account | None:
    """The account of a canonical login."""
    return await _one(session, select(people).where(people.c.login == login))


async def lock(session: AsyncSession, person_id: str) -> Account | None:
    """An account that nobody else changes until this transaction ends."""
    return await _one(session, select(people).where(people.c.id == person_id).with_for_update())


@dataclass(frozen=True, slots=True)
class Which:
    """Which accounts are listed: those that belong to one of `agencies` or hold a role for one, of any where
    it is None; with `reviewed_before` those whose last review is older; with `matches` those whose login and
    name it takes."""

    agencies: Collection[str] | None
    reviewed_before: datetime | None = None
    matches: Callable[[str, str], bool] | None = None


async def page(session: AsyncSession, which: Which, *, after: str, limit: int) -> list[Account]:
    """Accounts in the order of their ids, which is that in which they were made."""
    conditions = [people.c.id > after]
    if which.agencies is not None:
        held = exists().where(grants.c.person_id == people.c.id, grants.c.agency.in_(which.agencies))
        conditions.append(or_(people.c.agency.in_(which.agencies), held))
    if which.reviewed_before is not None:
        conditions.append(people.c.reviewed_at <= which.reviewed_before)
    query = select(people).where(*conditions).order_by(people.c.id).limit(limit)
    if which.matches is not None:
        # Neither database folds Vietnamese letters by itself. Three columns of each account are read.
        named = select(people.c.id, people.c.login, people.c.name).where(*conditions).order_by(people.c.id)
        query = query.where(people.c.id.in_(await _matching(session, named, which.matches, limit)))
    return await _many(session, query)


async def idle(session: AsyncSession, *, used_before: datetime, limit: int) -> list[Account]:
    """Active accounts that were last used before some time, locked against other changes."""
    query = (
        select(people)
        .where(people.c.state == AccountState.ACTIVE.value, people.c.used_at <= used_before)
        .order_by(people.c.id)
        .limit(limit)
        .with_for_update()
    )
    return await _many(session, query)


async def add(session: AsyncSession, account: Account) -> None:
    """Store a new account."""
    await session.execute(insert(people).values(id=account.id, **_values(account)))
    await _add_grants(session, account.id, account.grants)


async def save(session: AsyncSession, account: Account) -> None:
    """Store an account that has changed; the caller has locked it."""
    await session.execute(update(people).where(people.c.id == account.id).values(**_values(account)))
    await session.execute(delete(grants).where(grants.c.person_id == account.id))
    await _add_grants(session, account.id, account.grants)


async def move(session: AsyncSession, old: str, new: str) -> dict[str, list[str]]:
    """Let the people of an agency, and roles for it, be those of another one.

    Gives, for each person of whom something was changed, the roles that were moved.
    """
    moved: dict[str, list[str]] = {}
    for row in await session.execute(select(grants).where(grants.c.agency == old).with_for_update()):
        moved.setdefault(row.person_id, []).append(row.role)
        there = grants.c.person_id == row.person_id, grants.c.role == row.role
        if not (await session.execute(select(grants).where(*there, grants.c.agency == new))).first():
            await session.execute(insert(grants).values(person_id=row.person_id, role=row.role, agency=new))
    await session.execute(delete(grants).where(grants.c.agency == old))
    belonged = update(people).where(people.c.agency == old).values(agency=new).returning(people.c.id)
    for (person_id,) in await session.execute(belonged):
        moved.setdefault(person_id, [])
    return {person_id: sorted(roles) for person_id, roles in sorted(moved.items())}


async def note_use(session: AsyncSession, person_id: str, now: datetime) -> None:
    """Note that a person signed in."""
    await session.execute(update(people).where(people.c.id == person_id).values(used_at=now))


async def put_password(session: AsyncSession, person_id: str, hashed: str) -> None:
    """Store another hash of the password."""
    await session.execute(update(people).where(people.c.id == person_id).values(password_hash=hashed))


async def has_operator(session: AsyncSession) -> bool:
    """Whether some account that may sign in, or could be let in again, is the platform's operator."""
    query = select(
        exists().where(
            grants.c.person_id == people.c.id,
            grants.c.role == Role.PLATFORM_OPERATOR.value,
            people.c.state == AccountState.ACTIVE.value,
        )
    )
    return bool((await session.execute(query)).scalar_one())


async def put_link(session: AsyncSession, digest: bytes, person_id: str | None, expires_at: datetime) -> None:
    """Store a link; an earlier one for the same account, or for the first administrator, is gone."""
    await session.execute(delete(links).where(links.c.person_id.is_not_distinct_from(person_id)))
    await session.execute(insert(links).values(digest=digest, person_id=person_id, expires_at=expires_at))


async def peek_link(session: AsyncSession, digest: bytes, now: datetime) -> tuple[bool, str | None]:
    """Whether a link is good, and for which account, without using it up."""
    query = select(links.c.person_id).where(links.c.digest == digest, links.c.expires_at > now)
    row = (await session.execute(query)).one_or_none()
    return (False, None) if row is None else (True, row.person_id)


async def take_link(session: AsyncSession, digest: bytes, now: datetime) -> bool:
    """Use a link up; whether it was good: of two who try, one gets it."""
    query = delete(links).where(links.c.digest == digest, links.c.expires_at > now)
    return (await session.execute(query.returning(links.c.digest))).one_or_none() is not None


async def forget_links(session: AsyncSession, now: datetime) -> None:
    """Delete links that have expired."""
    await session.execute(delete(links).where(links.c.expires_at <= now))


async def drop_link(session: AsyncSession, person_id: str) -> bool:
    """Make the link of an account useless; whether there was one."""
    query = delete(links).where(links.c.person_id == person_id).returning(links.c.digest)
    return (await session.execute(query)).first() is not None


async def _add_grants(session: AsyncSession, person_id: str, held: Collection[Grant]) -> None:
    rows = [{"person_id": person_id, "role": one.role.value, "agency": one.agency} for one in sorted(held)]
    if rows:
        await session.execute(insert(grants), rows)


async def _matching(
    session: AsyncSession, query: Select[Any], matches: Callable[[str, str], bool], limit: int
) -> list[str]:
    """The ids of the first accounts that match, some hundred rows in memory at a time."""
    found: list[str] = []
    rows = await session.stream(query.execution_options(yield_per=_AT_A_TIME))
    async for row in rows:
        if matches(row.login, row.name):
            found.append(row.id)
            if len(found) == limit:
                break
    await rows.close()
    return found


async def _one(session: AsyncSession, query: Select[Any]) -> Account | None:
    found = await _many(session, query)
    return found[0] if found else None


async def _many(session: AsyncSession, query: Select[Any]) -> list[Account]:
    rows: Sequence[Row[Any]] = (await session.execute(query)).all()
    accounts = {row.id: _account(row) for row in rows}
    held = await session.execute(select(grants).where(grants.c.person_id.in_(accounts)))
    for row in held:
        account = accounts[row.person_id]
        accounts[row.person_id] = replace(
            account, grants=account.grants | {Grant(Role(row.role), row.agency)}
        )
    return list(accounts.values())


def _values(account: Account) -> dict[str, Any]:
    return {
        "login": account.login,
        "name": account.name,
        "agency": account.agency,
        "state": account.state.value,
        "password_hash": account.password_hash,
        "created_at": account.created_at,
        "used_at": account.used_at,
        "reviewed_at": account.reviewed_at,
    }


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        login=row.login,
        name=row.name,
        agency=row.agency,
        state=AccountState(row.state),
        grants=frozenset(),
        created_at=row.created_at,
        used_at=row.used_at,
        reviewed_at=row.reviewed_at,
        password_hash=row.password_hash,
    )
