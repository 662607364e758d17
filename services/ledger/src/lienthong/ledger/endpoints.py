"""REST: the log of c2sp.org/tlog-tiles under `/audit`, and searches and receipts under `/audit/v1`."""

import gzip
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from lienthong.kit.access import Caller, require
from lienthong.kit.actors import FOR_PEOPLE, Action, Actor, actor_name
from lienthong.kit.clock import rfc3339
from lienthong.kit.openapi import answer, problems, struct_schema
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems import ledger as kinds
from lienthong.kit.problems.callers import insufficient_scope
from lienthong.kit.problems.roles import role_required
from lienthong.kit.rates import TokenBuckets
from lienthong.kit.rest import StrictRoute
from lienthong.ledger.domain.content_coding import GZIP, IDENTITY, choose_coding
from lienthong.ledger.domain.journal_place import JournalPlace
from lienthong.ledger.domain.records import keyed_hash
from lienthong.ledger.domain.search import EntryQuery, LedgerEntry, Reach
from lienthong.ledger.errors import no_acceptable_coding, too_many_searches
from lienthong.ledger.schemas import (
    DEFAULT_PAGE,
    LARGEST_PAGE,
    EntryDocument,
    EntryPageDocument,
    IndexCheckDocument,
    IndexDifferenceDocument,
    JournalPlaceDocument,
    QuarantinedDocument,
    QuarantinePageDocument,
    SearchParameters,
)
from lienthong.ledger.service.audit_log import CALL, READ_SCOPE, AuditLog
from lienthong.ledger.service.index_check import IndexCheck
from lienthong.tlog import VerifierKey

_IMMUTABLE: Final = "max-age=31536000, immutable"
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_JSON: Final = "application/json"
_PRIVATE: Final = {"Cache-Control": "private, no-store"}
_COMPRESSION: Final = 5

_TEXT_SCHEMA: Final = {"type": "string"}
_BYTES_SCHEMA: Final = {"type": "string", "format": "binary"}
_NEGOTIATED: Final = ["Cache-Control", "Content-Encoding", "Vary"]
_TILE_PROBLEMS: Final = problems(kinds.UNKNOWN_TILE, kinds.NO_ACCEPTABLE_CODING)

Index = Annotated[int, Path(ge=0, le=2**62, description="The index of the entry, from 0.")]
_auditing: Final = require(READ_SCOPE, for_people=FOR_PEOPLE)
_of_party: Final = require(for_people=FOR_PEOPLE)


def _demand(caller: Caller, action: Action) -> None:
    """Refuse a person who may not do this on the platform's own things: here, on the records of all."""
    if caller.person is not None:
        Actor.of(caller).demand(action)


def _all_records(caller: Annotated[Caller, Depends(_auditing)]) -> None:
    _demand(caller, Action.READ_RECORDS)


def _own_health(caller: Annotated[Caller, Depends(_auditing)]) -> None:
    _demand(caller, Action.READ_HEALTH)


def _readable(caller: Annotated[Caller, Depends(_of_party)]) -> Reach | None:
    return readable(caller)


AllRecords = Annotated[None, Depends(_all_records)]
"""Auditors, and people who may read the records of all agencies."""
OwnHealth = Annotated[None, Depends(_own_health)]
"""Auditors, and people who may see how the platform's processes are."""
Readable = Annotated[Reach | None, Depends(_readable)]
"""Whose records the caller may read; None for those of all."""
TilePath = Annotated[str, Path(description="The index as in tlog-tiles: `x001/234`, `000.p/17`.")]


def routes(
    log: AuditLog,
    key: VerifierKey,
    index: IndexCheck,
    place: Callable[[], Awaitable[JournalPlace]],
    searches: TokenBuckets,
) -> APIRouter:
    """Build the routes of the ledger; `place` compares its place in the journal with the journal, `searches`
    limits how often callers search who may not read the records of all."""
    router = APIRouter(prefix="/audit", route_class=StrictRoute, default_response_class=Response)

    @router.get(
        "/checkpoint",
        responses=answer(
            "text/plain",
            _TEXT_SCHEMA,
            "The checkpoint, a signed note (c2sp.org/tlog-checkpoint).",
            headers=["Cache-Control"],
        ),
    )
    async def checkpoint() -> Response:
        """Read the newest signed checkpoint."""
        headers = {"Cache-Control": "public, max-age=1"}
        return Response(await log.checkpoint(), headers=headers, media_type=_TEXT)

    @router.get(
        "/key",
        responses=answer(
            "text/plain",
            _TEXT_SCHEMA,
            "The key as `name+id+base64` (c2sp.org/signed-note).",
            headers=["Cache-Control"],
        ),
    )
    async def verifier_key() -> Response:
        """Read the key that verifies checkpoints. A verifier should also have it from the operator."""
        return Response(f"{key}\n", headers={"Cache-Control": "public, max-age=300"}, media_type=_TEXT)

    @router.get(
        "/tile/entries/{index:path}",
        responses=answer(_BYTES, _BYTES_SCHEMA, "The bundle.", headers=_NEGOTIATED) | _TILE_PROBLEMS,
    )
    async def bundle(request: Request, index: TilePath, _: AllRecords) -> Response:
        """Read a bundle of up to 256 entries (c2sp.org/tlog-tiles), each with its length in front."""
        content = await log.tile(f"tile/entries/{index}")
        coding = _coding(request, (GZIP, IDENTITY))
        return _encoded(content, coding, f"private, {_IMMUTABLE}", "Accept-Encoding, Authorization")

    @router.get(
        "/tile/{level}/{index:path}",
        responses=answer(_BYTES, _BYTES_SCHEMA, "The tile.", headers=_NEGOTIATED) | _TILE_PROBLEMS,
    )
    async def tile(
        request: Request, level: Annotated[str, Path(description="The level, from 0.")], index: TilePath
    ) -> Response:
        """Read a tile of up to 256 SHA-256 hashes of 32 bytes each (c2sp.org/tlog-tiles)."""
        content = await log.tile(f"tile/{level}/{index}")
        # Hashes do not become smaller: gzip is only for callers that take nothing else.
        coding = _coding(request, (IDENTITY, GZIP))
        return _encoded(content, coding, f"public, {_IMMUTABLE}", "Accept-Encoding")

    @router.get(
        "/v1/entries",
        responses=answer(_JSON, struct_schema(EntryPageDocument), "A page of the entries that match.")
        | problems(general.RATE_LIMITED),
    )
    async def entries(
        parameters: Annotated[SearchParameters, Query()],
        caller: Annotated[Caller, Depends(_of_party)],
        within: Readable,
    ) -> Response:
        """Search for entries. A person finds those of the agencies for which a role lets them be read: calls
        of their systems, and calls to these. A system finds the calls that it made and those to services of
        its agency; one with the scope `audit:read` all. A page may have fewer entries than `limit`, or none,
        while `next` leads on."""
        if parameters.agency is not None and within is not None and not within.has(parameters.agency):
            raise not_of_yours(caller, Action.READ_RECORDS, parameters.agency)
        if within is not None:
            pace(searches, caller)
        page = await log.search(replace(search_query(parameters), within=within))
        return _json(EntryPageDocument([_entry(item) for item in page.items], _cursor(page.next)))

    @router.get(
        "/v1/entries/{index}",
        responses=answer(_JSON, struct_schema(EntryDocument), "The entry.") | problems(kinds.UNKNOWN_ENTRY),
    )
    async def entry(index: Index, within: Readable) -> Response:
        """Read one entry. Of other agencies' a person is told what is told of those that are not there."""
        return _json(_entry(await log.entry(index, within)))

    @router.get(
        "/v1/receipts/{tx}",
        responses=answer("text/plain", _TEXT_SCHEMA, "The receipt (c2sp.org/tlog-proof).")
        | problems(kinds.NOT_YET_RECORDED, kinds.NOT_A_PARTY),
    )
    async def receipt(
        tx: Annotated[str, Path(max_length=128, description="The transaction id of a call.")],
        caller: Annotated[Caller, Depends(_of_party)],
        kind: Annotated[
            str, Query(min_length=1, max_length=64, description="The kind of record, e.g. `intent`.")
        ] = CALL,
    ) -> Response:
        """Read the receipt of a call: for the parties of the call, for auditors, and for people who may read
        the records of a party's agency."""
        within = readable(caller) if caller.person is not None else None
        return Response(await log.receipt(tx, kind, caller, within), headers=_PRIVATE, media_type=_TEXT)

    @router.get(
        "/v1/quarantine",
        responses=answer(_JSON, struct_schema(QuarantinePageDocument), "A page, oldest first."),
    )
    async def quarantine(
        _: AllRecords,
        cursor: Annotated[int, Query(ge=0, le=2**62, description="The `next` of the previous page.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE,
    ) -> Response:
        """List the journal records that could not become entries."""
        page = await log.quarantined(cursor, limit)
        items = [
            QuarantinedDocument(
                id=item.id,
                journal_sequence=item.journal_sequence,
                position=item.position,
                reason=item.reason,
                received_at=rfc3339(item.received_at),
                data=item.data,
            )
            for item in page.items
        ]
        return _json(QuarantinePageDocument(items, _cursor(page.next)))

    @router.get(
        "/v1/index-check",
        responses=answer(_JSON, struct_schema(IndexCheckDocument), "The outcome for a portion of the log."),
    )
    async def index_check(
        _: AllRecords,
        cursor: Annotated[int, Query(ge=0, le=2**62, description="The `next` of the previous portion.")] = 0,
    ) -> Response:
        """Compare what can be searched for with the records it was taken from, up to 256 entries."""
        found = await index.portion(cursor)
        differences = [
            IndexDifferenceDocument(item.index, item.column, item.stored, item.expected)
            for item in found.differences
        ]
        return _json(IndexCheckDocument(found.first, found.checked, differences, _cursor(found.next)))

    @router.get(
        "/v1/journal-place",
        responses=answer(_JSON, struct_schema(JournalPlaceDocument), "The place, and how it agrees."),
    )
    async def journal_place(_: OwnHealth) -> Response:
        """Compare the ledger's place in the journal with the journal."""
        found = await place()
        return _json(
            JournalPlaceDocument(
                found.state.value, found.stream, found.sequence, found.journal, found.last_sequence
            )
        )

    return router


def readable(caller: Caller) -> Reach | None:
    """Whose records a caller may read; None for those of all.

    Raises:
        ProblemError: 403 `role-required`, a person with no role that lets any be read; 403
            `insufficient-scope`, a client that is no system.
    """
    if caller.person is None:
        if READ_SCOPE in caller.scopes:
            return None
        if not caller.agency:
            raise insufficient_scope(READ_SCOPE)
        return Reach.of_system(caller.client_id, caller.agency)
    actor = Actor.of(caller)
    actor.demand_somewhere(Action.READ_RECORDS)
    agencies = actor.agencies(Action.READ_RECORDS)
    return None if agencies is None else Reach.of_agencies(agencies)


def not_of_yours(caller: Caller, action: Action, agency: str) -> ProblemError:
    """The caller asks for what an agency has whose records it may not see."""
    return insufficient_scope(READ_SCOPE) if caller.person is None else role_required(action, agency)


def pace(searches: TokenBuckets, caller: Caller) -> None:
    """Count a search of a caller.

    Raises:
        ProblemError: 429 `rate-limited`.
    """
    key = caller.client_id if caller.person is None else actor_name(caller.person.id)
    if (wait := searches.wait(key)) > 0:
        raise too_many_searches(searches.limit, wait)


def search_query(parameters: SearchParameters) -> EntryQuery:
    """The search that these parameters ask for."""
    return EntryQuery(
        limit=parameters.limit,
        order=parameters.order,
        tx=parameters.tx,
        client=parameters.client,
        service=parameters.service,
        agency=parameters.agency,
        kind=parameters.kind,
        status=parameters.status,
        persons=tuple(filter(None, map(keyed_hash, parameters.person))),
        since=parameters.since,
        until=parameters.until,
        unfinished=parameters.unfinished,
        after=parameters.cursor,
    )


def _coding(request: Request, offered: Sequence[str]) -> str:
    lines = request.headers.getlist("accept-encoding")
    coding = choose_coding(",".join(lines) if lines else None, offered)
    if coding is None:
        raise no_acceptable_coding()
    return coding


def _encoded(content: bytes, coding: str, cache_control: str, vary: str) -> Response:
    headers = {"Cache-Control": cache_control, "Vary": vary}
    if coding == GZIP:
        content = gzip.compress(content, compresslevel=_COMPRESSION, mtime=0)
        headers["Content-Encoding"] = GZIP
    return Response(content, headers=headers, media_type=_BYTES)


def _json(document: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(document), headers=_PRIVATE, media_type=_JSON)


def _entry(entry: LedgerEntry) -> EntryDocument:
    return EntryDocument(entry.index, msgspec.Raw(entry.data))


def _cursor(after: int | None) -> str | None:
    return None if after is None else str(after)
