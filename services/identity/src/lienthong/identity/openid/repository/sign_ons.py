"""Queries on pushed requests, sign-ons and refresh tokens. None commits.

Who changes a sign-on has locked its session, if that stands, and then it; who ends several locks them in the
order of their ids.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.openid.domain.requests import AuthorizationRequest, PushedRequest
from lienthong.identity.openid.domain.sign_ons import SignOn
from lienthong.identity.openid.models import pushed_requests, refresh_tokens, sign_ons


async def add_request(session: AsyncSession, digest: bytes, pushed: PushedRequest) -> None:
    """Store a pushed request."""
    await session.execute(
        insert(pushed_requests).values(
            digest=digest,
            client_id=pushed.client_id,
            request=msgspec.json.encode(pushed.request).decode(),
            asked_at=pushed.asked_at,
            expires_at=pushed.expires_at,
        )
    )


async def find_request(session: AsyncSession, digest: bytes, now: datetime) -> PushedRequest | None:
    """A pushed request that has not been answered."""
    query = select(pushed_requests).where(pushed_requests.c.digest == digest)
    row = (await session.execute(query.where(pushed_requests.c.expires_at > now))).one_or_none()
    if row is None:
        return None
    request = msgspec.json.decode(row.request, type=AuthorizationRequest)
    return PushedRequest(row.client_id, request, row.asked_at, row.expires_at)


async def take_request(session: AsyncSession, digest: bytes) -> bool:
    """Answer a pushed request: of two who try, one gets it."""
    taken = delete(pushed_requests).where(pushed_requests.c.digest == digest)
    return (await session.execute(taken.returning(pushed_requests.c.digest))).one_or_none() is not None


async def add(session: AsyncSession, sign_on: SignOn) -> None:
    """Store a sign-on."""
    values = {name: getattr(sign_on, name) for name in SignOn.__slots__}
    await session.execute(insert(sign_ons).values(**{**values, "scopes": " ".join(sign_on.scopes)}))


async def find(session: AsyncSession, sign_on_id: str, *, locked: bool = False) -> SignOn | None:
    """A sign-on by its id."""
    return await _one(session, sign_ons.c.id == sign_on_id, locked=locked)


async def of_code(session: AsyncSession, digest: bytes) -> SignOn | None:
    """The sign-on of a code, whether that is still good or not."""
    return await _one(session, sign_ons.c.code == digest, locked=False)


async def of_refresh(session: AsyncSession, digest: bytes) -> SignOn | None:
    """The sign-on for which a refresh token was given, whether it is still good or not."""
    query = select(refresh_tokens.c.sign_on_id).where(refresh_tokens.c.digest == digest)
    sign_on_id = (await session.execute(query)).scalar_one_or_none()
    return None if sign_on_id is None else await find(session, sign_on_id)


async def ids_of(session: AsyncSession, session_id: str, client_id: str) -> list[str]:
    """The sign-ons to an application in a session, oldest first."""
    query = select(sign_ons.c.id).where(
        sign_ons.c.session_id == session_id, sign_ons.c.client_id == client_id
    )
    return list(await session.scalars(query.order_by(sign_ons.c.created_at, sign_ons.c.id)))


async def refreshed(
    session: AsyncSession, sign_on: SignOn, *, refresh: bytes, before: bytes | None, at: datetime
) -> None:
    """Give a sign-on its newest refresh token; its code is used."""
    await session.execute(insert(refresh_tokens).values(digest=refresh, sign_on_id=sign_on.id))
    await session.execute(
        update(sign_ons)
        .where(sign_ons.c.id == sign_on.id)
        .values(code_used=True, refresh=refresh, refresh_before=before, refreshed_at=at)
    )


async def end(session: AsyncSession, ids: Collection[str]) -> list[SignOn]:
    """End sign-ons: nothing that came of them is good any more."""
    return await _end(session, sign_ons.c.id.in_(ids))


async def end_of_sessions(session: AsyncSession, session_ids: Collection[str]) -> list[SignOn]:
    """End all sign-ons of sessions."""
    return await _end(session, sign_ons.c.session_id.in_(session_ids))


async def end_of_client(session: AsyncSession, client_id: str) -> list[SignOn]:
    """End all sign-ons to an application, and forget what it has pushed."""
    await session.execute(delete(pushed_requests).where(pushed_requests.c.client_id == client_id))
    return await _end(session, sign_ons.c.client_id == client_id)


async def prolong(session: AsyncSession, session_id: str, expires_at: datetime) -> None:
    """Let all sign-ons of a session last as long as that does now."""
    await session.execute(
        update(sign_ons).where(sign_ons.c.session_id == session_id).values(expires_at=expires_at)
    )


async def forget(session: AsyncSession, now: datetime, *, limit: int) -> list[SignOn]:
    """Delete what has ended by itself: requests, and sign-ons whose code nobody redeemed or whose session's
    time is over; at most `limit` of these, which are returned."""
    await session.execute(delete(pushed_requests).where(pushed_requests.c.expires_at <= now))
    unused = sign_ons.c.code_used.is_(False) & (sign_ons.c.code_expires_at <= now)
    over = select(sign_ons.c.id).where((sign_ons.c.expires_at <= now) | unused).limit(limit)
    return await _end(session, sign_ons.c.id.in_(over))


async def _end(session: AsyncSession, which: ColumnElement[bool]) -> list[SignOn]:
    # Locked first: a refresh token that is being given is seen, or not given.
    rows = await session.execute(select(sign_ons).where(which).order_by(sign_ons.c.id).with_for_update())
    found = [_sign_on(row) for row in rows]
    ids = [one.id for one in found]
    if ids:
        await session.execute(delete(refresh_tokens).where(refresh_tokens.c.sign_on_id.in_(ids)))
        await session.execute(delete(sign_ons).where(sign_ons.c.id.in_(ids)))
    return found


async def _one(session: AsyncSession, which: ColumnElement[bool], *, locked: bool) -> SignOn | None:
    query = select(sign_ons).where(which)
    row = (await session.execute(query.with_for_update() if locked else query)).one_or_none()
    return None if row is None else _sign_on(row)


def _sign_on(row: Row[Any]) -> SignOn:
    values: dict[str, Any] = row._asdict()
    for digest in ("code", "refresh", "refresh_before"):
        values[digest] = None if values[digest] is None else bytes(values[digest])
    return SignOn(**{**values, "scopes": tuple(row.scopes.split())})
