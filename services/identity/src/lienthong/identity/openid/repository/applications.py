"""Queries on applications. None commits."""

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.openid.domain.applications import Application
from lienthong.identity.openid.models import applications
from lienthong.kit.text import BilingualText


async def find(session: AsyncSession, client_id: str, *, locked: bool = False) -> Application | None:
    """An application by its client's id; `locked` against other changes."""
    query = select(applications).where(applications.c.client_id == client_id)
    row = (await session.execute(query.with_for_update() if locked else query)).one_or_none()
    return None if row is None else _application(row)


async def page(session: AsyncSession, *, after: str, limit: int) -> list[Application]:
    """Applications in the order of their ids."""
    query = select(applications).where(applications.c.client_id > after)
    rows = await session.execute(query.order_by(applications.c.client_id).limit(limit))
    return [_application(row) for row in rows]


async def save(session: AsyncSession, application: Application) -> None:
    """Insert an application, or update it."""
    values = {
        "name_vi": application.name.vi,
        "name_en": application.name.en,
        "redirects": " ".join(application.redirects),
        "after_sign_out": " ".join(application.after_sign_out),
        "logout": application.logout,
        "acts_for_people": application.acts_for_people,
    }
    mine = applications.c.client_id == application.client_id
    changed = await session.execute(
        update(applications).where(mine).values(values).returning(applications.c.client_id)
    )
    if changed.one_or_none() is None:
        await session.execute(insert(applications).values(client_id=application.client_id, **values))


async def remove(session: AsyncSession, client_id: str) -> None:
    """Delete an application."""
    await session.execute(delete(applications).where(applications.c.client_id == client_id))


def _application(row: Row[Any]) -> Application:
    return Application(
        row.client_id,
        BilingualText(row.name_en, row.name_vi),
        tuple(row.redirects.split()),
        tuple(row.after_sign_out.split()),
        row.logout,
        row.acts_for_people,
    )
