"""REST: the log of c2sp.org/tlog-tiles under `/audit`, and searches and receipts under `/audit/v1`."""

import gzip
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from lienthong.kit.access import Caller, require
from lienthong.kit.clock import rfc3339
from lienthong.kit.rest import StrictRoute
from lienthong.ledger.domain.search import EntryQuery, LedgerEntry
from lienthong.ledger.schemas import (
    DEFAULT_PAGE,
    LARGEST_PAGE,
    EntryDocument,
    PageDocument,
    QuarantinedDocument,
    QuarantineDocument,
    SearchParameters,
)
from lienthong.ledger.service.audit_log import CALL, READ_SCOPE, AuditLog
from lienthong.tlog import VerifierKey

_IMMUTABLE: Final = "max-age=31536000, immutable"
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_PRIVATE: Final = {"Cache-Control": "private, no-store"}

Index = Annotated[int, Path(ge=0, le=2**62)]
Auditor = Annotated[Caller, Depends(require(READ_SCOPE))]


def routes(log: AuditLog, key: VerifierKey) -> APIRouter:
    """Build the routes of the ledger."""
    router = APIRouter(prefix="/audit", route_class=StrictRoute)

    @router.get("/checkpoint")
    async def checkpoint() -> Response:
        """Give the newest signed checkpoint."""
        headers = {"Cache-Control": "public, max-age=1"}
        return Response(await log.checkpoint(), headers=headers, media_type=_TEXT)

    @router.get("/key")
    async def verifier_key() -> Response:
        """Give the key that verifies checkpoints; whoever checks must have it from elsewhere too."""
        return Response(f"{key}\n", headers={"Cache-Control": "public, max-age=300"}, media_type=_TEXT)

    @router.get("/tile/entries/{index:path}")
    async def bundle(request: Request, index: str, _: Auditor) -> Response:
        """Give a bundle of entries."""
        content = await log.tile(f"tile/entries/{index}")
        headers = {"Cache-Control": f"private, {_IMMUTABLE}", "Vary": "Accept-Encoding, Authorization"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, compresslevel=5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type=_BYTES)

    @router.get("/tile/{level}/{index:path}")
    async def tile(level: str, index: str) -> Response:
        """Give a tile of hashes."""
        content = await log.tile(f"tile/{level}/{index}")
        return Response(content, headers={"Cache-Control": f"public, {_IMMUTABLE}"}, media_type=_BYTES)

    @router.get("/v1/entries")
    async def entries(parameters: Annotated[SearchParameters, Query()], _: Auditor) -> Response:
        """Search."""
        page = await log.search(search_query(parameters))
        return _json(PageDocument([_entry(item) for item in page.items], _cursor(page.next)))

    @router.get("/v1/entries/{index}")
    async def entry(index: Index, _: Auditor) -> Response:
        """Give one entry."""
        return _json(_entry(await log.entry(index)))

    @router.get("/v1/receipts/{tx}")
    async def receipt(
        tx: Annotated[str, Path(max_length=128)],
        caller: Annotated[Caller, Depends(require())],
        kind: Annotated[str, Query(min_length=1, max_length=64)] = CALL,
    ) -> Response:
        """Give the receipt of a transaction."""
        return Response(await log.receipt(tx, kind, caller), headers=_PRIVATE, media_type=_TEXT)

    @router.get("/v1/quarantine")
    async def quarantine(
        _: Auditor,
        cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE,
    ) -> Response:
        """Give what came over the journal and could not become an entry."""
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
        return _json(QuarantineDocument(items, _cursor(page.next)))

    return router


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
        since=parameters.since,
        until=parameters.until,
        after=parameters.cursor,
    )


def _json(document: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(document), headers=_PRIVATE, media_type="application/json")


def _entry(entry: LedgerEntry) -> EntryDocument:
    return EntryDocument(entry.index, msgspec.Raw(entry.data))


def _cursor(after: int | None) -> str | None:
    return None if after is None else str(after)
