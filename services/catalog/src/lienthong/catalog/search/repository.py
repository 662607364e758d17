"""Queries on the index: the only place that knows how either database looks terms up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    table,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.search.domain.place import Place
from lienthong.catalog.search.models import SearchEntryRow, SearchStateRow, SearchTextRow
from lienthong.kit.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.catalog.search.domain.asked import Asked, Having, Term
    from lienthong.catalog.search.domain.entries import Entry

    Ids = Select[int]
    Rows = Select[*tuple[Any, ...]]
    SeenBy = Sequence[str] | None

_AT_ONCE = 500
_FTS5 = table("search_terms", column("rowid", Integer))


@dataclass(frozen=True, slots=True)
class FoundRow:
    """An entry that was found, and its place among all that were."""

    id: int
    kind: ResourceKind
    resource_id: str
    agency: str
    place: Place


class SearchRepository:
    """Reads and writes the index."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._postgresql = session.get_bind().dialect.name == "postgresql"

    async def give_to(self, agencies: Sequence[str], agency: str) -> None:
        """Have the index show what agencies have as another one's; the agencies themselves stay their own."""
        query = update(SearchEntryRow).where(
            SearchEntryRow.agency_id.in_(agencies), SearchEntryRow.kind != ResourceKind.AGENCY.value
        )
        await self._session.execute(query.values(agency_id=agency))

    async def put(self, entries: Sequence[Entry]) -> None:
        """Have the index show these entries instead of those that it has of their resources."""
        for kind in dict.fromkeys(entry.kind for entry in entries):
            await self._remove(kind, [entry.resource_id for entry in entries if entry.kind is kind])
        rows = [
            {
                "id": entry.version,
                "kind": entry.kind.value,
                "resource_id": entry.resource_id,
                "agency_id": entry.agency,
                "length": entry.length,
                "shown": entry.shown,
            }
            for entry in entries
        ]
        await execute_many(self._session, insert(SearchEntryRow), rows)
        terms: ColumnElement[Any] = bindparam("terms_of", type_=Text)
        if self._postgresql:
            terms = func.array_to_tsvector(func.string_to_array(terms, " "))
        texts = [
            {"entry_id": entry.version, "terms_of": " ".join(entry.terms), "texts": entry.texts}
            for entry in entries
        ]
        await execute_many(self._session, insert(SearchTextRow).values(terms=terms), texts)

    async def _remove(self, kind: ResourceKind, ids: Sequence[str]) -> None:
        row = SearchEntryRow
        for start in range(0, len(ids), _AT_ONCE):
            some = row.resource_id.in_(ids[start : start + _AT_ONCE])
            query = select(row.id).where(row.kind == kind.value, some)
            found = list((await self._session.execute(query)).scalars())
            if found:
                await self._session.execute(delete(SearchTextRow).where(SearchTextRow.entry_id.in_(found)))
                await self._session.execute(delete(row).where(row.id.in_(found)))

    async def states(self) -> dict[ResourceKind, tuple[int, int]]:
        """Return the form of the entries of each kind, and up to which version of the catalog they are."""
        found = await self._session.execute(select(SearchStateRow))
        return {ResourceKind(row.kind): (row.form, row.version) for (row,) in found}

    async def note(self, kind: ResourceKind, form: int, version: int) -> None:
        """Write down up to which version the index has the resources of a kind."""
        query = update(SearchStateRow).where(SearchStateRow.kind == kind.value)
        await self._session.execute(query.values(form=form, version=version))

    async def note_all(self, form: int, before: int, version: int) -> None:
        """Write a version down for all kinds of which the index has everything up to the version before."""
        query = update(SearchStateRow).where(SearchStateRow.form == form, SearchStateRow.version == before)
        await self._session.execute(query.values(version=version))

    async def page(
        self,
        asked: Asked,
        seen_by: SeenBy,
        kind: ResourceKind | None,
        agency: str | None,
        after: Place | None,
        limit: int,
    ) -> list[FoundRow]:
        """Return up to `limit` entries that were asked for, in the order of their places, after a place.

        Each rank is asked for by itself, and none after the one that fills the page: most of what is found
        is never put in order.
        """
        found: list[FoundRow] = []
        ranks: Sequence[Having | None] = asked.ranks if asked.words else [None]
        first = 0 if after is None else after.rank
        for rank, having in enumerate(ranks[first:], first):
            of_rank = after if after is not None and after.rank == rank else None
            query = self._of_rank(having, seen_by, kind, agency, of_rank).limit(limit - len(found))
            found += [
                FoundRow(
                    one.id,
                    ResourceKind(one.kind),
                    one.resource_id,
                    one.agency_id,
                    Place(rank, one.length, one.resource_id, one.kind),
                )
                for one in await self._session.execute(query)
            ]
            if len(found) == limit:
                break
        return found

    def _of_rank(
        self,
        having: Having | None,
        seen_by: SeenBy,
        kind: ResourceKind | None,
        agency: str | None,
        after: Place | None,
    ) -> Rows:
        row = SearchEntryRow
        places = (row.length, row.resource_id, row.kind)
        query: Rows = select(row.id, row.kind, row.resource_id, row.agency_id, row.length).order_by(*places)
        query = _seen(query, seen_by)
        if having is not None:
            query = query.where(row.id.in_(self._having(having)))
        if kind is not None:
            query = query.where(row.kind == kind.value)
        if agency is not None:
            query = query.where(row.agency_id == agency)
        if after is not None:
            beyond = (literal(after.length), literal(after.resource_id), literal(after.kind))
            query = query.where(tuple_(*places) > tuple_(*beyond))
        return query

    async def counts(self, asked: Asked, seen_by: SeenBy) -> list[tuple[ResourceKind, str, int]]:
        """Return how many entries of each kind and agency were asked for."""
        row = SearchEntryRow
        query: Rows = select(row.kind, row.agency_id, func.count()).group_by(row.kind, row.agency_id)
        query = _seen(query, seen_by)
        if asked.words:
            # On SQLite the index by kind and agency is gone through, which is in the order of groups: that
            # takes less than to look each entry up and to sort them.
            entry = row.id if self._postgresql else row.id + 0
            query = query.where(entry.in_(self._having(asked.anywhere)))
        found = await self._session.execute(query)
        return [(ResourceKind(kind), agency, count) for kind, agency, count in found]

    async def texts(self, ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
        """Return the texts that are shown of entries."""
        query = select(SearchTextRow.entry_id, SearchTextRow.texts).where(SearchTextRow.entry_id.in_(ids))
        return {one.entry_id: one.texts for one in await self._session.execute(query)}

    async def agency_names(self, codes: Collection[str]) -> dict[str, Mapping[str, str]]:
        """Return the names of agencies, of those that there are."""
        query = (
            select(SearchEntryRow.resource_id, SearchTextRow.texts)
            .join(SearchTextRow, SearchTextRow.entry_id == SearchEntryRow.id)
            .where(SearchEntryRow.kind == ResourceKind.AGENCY.value, SearchEntryRow.resource_id.in_(codes))
        )
        return {code: texts["name"] for code, texts in await self._session.execute(query)}

    def _having(self, having: Having) -> Ids:
        """Select entries by their terms. A term is letters and digits, so nothing in it is an operator."""
        if self._postgresql:
            query = _tsquery(having.all)
            for terms in filter(None, (having.but, having.nor)):
                query += f" & !({_tsquery(terms)})"
            return select(SearchTextRow.entry_id).where(SearchTextRow.terms.op("@@")(cast(query, TSQUERY)))
        query = _fts5(having.all)
        for terms in filter(None, (having.but, having.nor)):
            query += f" NOT ({_fts5(terms)})"
        return select(_FTS5.c.rowid).where(literal_column("search_terms").op("MATCH")(query))


def _seen(query: Rows, seen_by: SeenBy) -> Rows:
    """Leave out what is not shown to everyone, but of these agencies; of None, nothing."""
    if seen_by is None:
        return query
    return query.where(or_(SearchEntryRow.shown, SearchEntryRow.agency_id.in_(seen_by)))


def _tsquery(terms: Sequence[Term]) -> str:
    """Write that an entry has all terms, as PostgreSQL reads it."""
    return " & ".join(f"'{term.text}'{':*' if term.prefix else ''}" for term in terms)


def _fts5(terms: Sequence[Term]) -> str:
    """Write that an entry has all terms, as FTS5 reads it; NOT binds less there than AND."""
    return "(" + " AND ".join(f'"{term.text}"{"*" if term.prefix else ""}' for term in terms) + ")"
