"""Queries that all features share. A repository lives as long as one session.

Each kind of resource has a `ResourceRepository` in its feature. Features reach the resources of other kinds
through this interface only; which class stands behind it is wired in `bootstrap`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from sqlalchemy import insert, select, update

from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.catalog.models import CatalogHead, ChangeRow, ResourceColumns
from lienthong.kit.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.catalog.domain.resources import ResourceKey, Watched, WatchScope

    Filters = Mapping[str, Collection[str]]
    Rows = Select[*tuple[Any, ...]]

R = TypeVar("R", bound=Resource)
_AT_ONCE = 500
"""Versions that one query names."""


def _unnoticed(written: Resource) -> None:
    """Make nothing of what is written."""
    del written


class ResourceRepository(ABC, Generic[R]):
    """Reads and writes the resources of one kind.

    A filter names a column of `filter_columns` and the values that it may have; several must all hold.
    `on_write` is called with each resource that is written.
    """

    row: ClassVar[type[ResourceColumns]]
    filter_columns: ClassVar[Mapping[str, Any]] = {}
    at_once: ClassVar[int] = 100
    """How many rows of a long answer are decoded before others get their turn: some ten milliseconds of the
    largest that may be."""

    def __init__(self, session: AsyncSession, on_write: Callable[[Resource], None] = _unnoticed) -> None:
        self._session = session
        self._on_write = on_write

    async def get(self, resource_id: str) -> R | None:
        """Return one resource, a service with its OpenAPI document."""
        return (await self.load([resource_id], documents=True)).get(resource_id)

    async def load(self, ids: Collection[str], *, documents: bool = False) -> dict[str, R]:
        """Return those of the ids that exist; `documents` loads the OpenAPI documents of services too."""
        if not ids:
            return {}
        query = self._select(documents=documents).where(self.row.id.in_(ids))
        found = await self._read(query, documents=documents)
        return {resource.id: resource for resource in await self._completed(found)}

    async def page(self, filters: Filters, after: str, limit: int) -> list[R]:
        """Return up to `limit` resources in the order of their ids, those after the id `after`."""
        query = self._where(self._select(), filters).where(self.row.id > after)
        return await self._completed(await self._read(query.order_by(self.row.id).limit(limit)))

    async def watched_page(
        self, after: str, limit: int, scope: WatchScope
    ) -> tuple[Sequence[Watched], str | None]:
        """Return what watches are sent of up to `limit` rows after the id `after`, in the order of their ids.

        The second value is the id that the next page begins after, None at the end.
        """
        del scope
        query = self._select().where(self.row.id > after).order_by(self.row.id).limit(limit)
        found = await self._read_in_portions(query)
        return found, found[-1].id if len(found) == limit else None

    async def watched(self, ids: Collection[str], scope: WatchScope) -> Sequence[Watched]:
        """Return what watches are sent of these resources."""
        del scope
        return await self._read_in_portions(self._select().where(self.row.id.in_(ids))) if ids else []

    async def versions_between(self, after: int, before: int | None, limit: int) -> list[tuple[str, int]]:
        """Return id and version of up to `limit` resources, in the order of their versions.

        Of those that changed last after the version `after`, and before the version `before`.
        """
        query = select(self.row.id, self.row.version).where(self.row.version > after)
        if before is not None:
            query = query.where(self.row.version < before)
        found = await self._session.execute(query.order_by(self.row.version).limit(limit))
        return [(row.id, row.version) for row in found]

    async def newest(self) -> tuple[str, int] | None:
        """Return id and version of the resource that changed last; None when there is none."""
        query = select(self.row.id, self.row.version).order_by(self.row.version.desc()).limit(1)
        found = (await self._session.execute(query)).one_or_none()
        return None if found is None else (found.id, found.version)

    async def find_ids(self, filters: Filters) -> list[str]:
        """Return the ids of all that the filters match, in their order."""
        query = self._where(self._select(), filters).with_only_columns(
            self.row.id, maintain_column_froms=True
        )
        return list((await self._session.execute(query.order_by(self.row.id))).scalars())

    async def create(self, resources: Sequence[R]) -> None:
        """Add new resources; what they refer to must exist."""
        rows = [self._values(resource) for resource in resources]
        await execute_many(self._session, insert(self.row), rows)
        for resource in resources:
            self._on_write(resource)

    async def update(self, resource: R) -> None:
        """Write a resource that exists."""
        query = update(self.row).where(self.row.id == resource.id).values(self._values(resource))
        await self._session.execute(query)
        self._on_write(resource)

    def _select(self, *, documents: bool = False) -> Rows:
        """Select the rows; features add what a resource inherits from its owner."""
        del documents
        return select(self.row)

    @abstractmethod
    def _resource(self, found: Any, *, documents: bool) -> R:  # noqa: ANN401 - a row of `_select`
        """Build a resource of a row of `_select`."""

    def _values(self, resource: R) -> dict[str, Any]:
        """Return the columns of a resource; features add their own."""
        return {
            "id": resource.id,
            "spec": resource.spec,
            "version": resource.version,
            "created_at": resource.created_at,
            "updated_at": resource.updated_at,
        }

    async def _completed(self, resources: list[R]) -> list[R]:
        """Add what is kept in other tables."""
        return resources

    def _where(self, query: Rows, filters: Filters) -> Rows:
        for name, values in filters.items():
            query = query.where(self.filter_columns[name].in_(values))
        return query

    async def _read(self, query: Rows, *, documents: bool = False) -> list[R]:
        found = (await self._session.execute(query)).all()
        return [self._resource(row, documents=documents) for row in found]

    async def _read_in_portions(self, query: Rows) -> list[R]:
        found: list[R] = []
        async for some in self._portions(query):
            found += [self._resource(row, documents=False) for row in some]
        return found

    async def _portions(self, query: Rows, at_once: int | None = None) -> AsyncGenerator[Sequence[Any]]:
        """Yield the rows of a query, `at_once` at a time; others get their turn in between."""
        rows = await self._session.stream(query.execution_options(yield_per=at_once or self.at_once))
        try:
            async for some in rows.partitions():
                yield some
                # Rows that the driver has already are decoded without waiting for anything.
                await asyncio.sleep(0)
        finally:
            await rows.close()


def common_members(row: ResourceColumns) -> dict[str, Any]:
    """Return the members that every resource takes from its row."""
    return {
        "id": row.id,
        "spec": row.spec,
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the change log: which resource changed at a version, and in which transaction."""

    version: int
    key: ResourceKey
    transaction_id: str


class ChangeLogRepository:
    """The version of the catalog, and which resource changed at which version."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def version(self) -> int:
        """Return the version of the catalog."""
        return (await self._session.execute(select(CatalogHead.version))).scalar_one()

    async def lock_version(self) -> int:
        """Return the version and keep every other writer waiting until this transaction ends."""
        return (await self._session.execute(select(CatalogHead.version).with_for_update())).scalar_one()

    async def set_version(self, version: int) -> None:
        """Set the version of the catalog."""
        await self._session.execute(update(CatalogHead).values(version=version))

    async def add(
        self, versions: Mapping[ResourceKey, int], actor: str, transaction_id: str, at: datetime
    ) -> None:
        """Add a row for each changed resource."""
        rows = [
            {
                "version": version,
                "kind": kind.value,
                "resource_id": resource_id,
                "actor": actor,
                "transaction_id": transaction_id,
                "at": at,
            }
            for (kind, resource_id), version in versions.items()
        ]
        await execute_many(self._session, insert(ChangeRow), rows)

    async def changes_from(self, version: int, limit: int) -> list[Change]:
        """Return up to `limit` changes in their order, from that which made a version on."""
        query = (
            select(ChangeRow.version, ChangeRow.kind, ChangeRow.resource_id, ChangeRow.transaction_id)
            .where(ChangeRow.version >= version)
            .order_by(ChangeRow.version)
            .limit(limit)
        )
        return [
            Change(changed, (ResourceKind(kind), resource_id), transaction_id)
            for changed, kind, resource_id, transaction_id in await self._session.execute(query)
        ]

    async def made(self, versions: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return who made each of these versions, and when, as RFC 3339 text."""
        found: dict[int, tuple[str, str]] = {}
        for start in range(0, len(versions), _AT_ONCE):
            query = select(ChangeRow.version, ChangeRow.actor, ChangeRow.at).where(
                ChangeRow.version.in_(versions[start : start + _AT_ONCE])
            )
            for version, actor, at in await self._session.execute(query):
                found[version] = actor, validity.write(at)
        return found

    async def has_more_changes(self, version: int, most: int) -> bool:
        """Tell whether there are more than `most` changes after a version."""
        query = select(ChangeRow.version).where(ChangeRow.version > version)
        beyond = query.order_by(ChangeRow.version).offset(most).limit(1)
        return (await self._session.execute(beyond)).first() is not None

    async def mark(self, version: int) -> str:
        """Return the transaction that made a version; it tells histories of the catalog from each other."""
        query = select(ChangeRow.transaction_id).where(ChangeRow.version == version)
        return (await self._session.execute(query)).scalar_one_or_none() or ""
