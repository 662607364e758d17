"""The REST endpoints. A token is needed for everything; who may do what is decided in the features."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse

from lienthong.catalog import json_text
from lienthong.catalog.agreements import Verdict
from lienthong.catalog.callers import OPERATOR_SCOPE, Party
from lienthong.catalog.changes import Author
from lienthong.catalog.errors import (
    InvalidCursorError,
    MalformedRequestError,
    RequestTooLargeError,
    UnknownResourceError,
    UnsupportedMediaTypeError,
)
from lienthong.catalog.kinds import Kind
from lienthong.catalog.mistakes import ValueRefusedError
from lienthong.catalog.resources import ACTIVE, SUSPENDED
from lienthong.catalog.schemas.specs import SPECS
from lienthong.kit.access import Caller, require
from lienthong.kit.problems import TRANSACTION_HEADER

if TYPE_CHECKING:
    from lienthong.catalog.bootstrap import Features
    from lienthong.catalog.json_text import Json
    from lienthong.catalog.kinds import Key
    from lienthong.catalog.resources import Resource

PREFIX = "/catalog/v1"
PAGE, LARGEST_PAGE = 50, 200

_TRANSACTION_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PATHS = {
    Kind.AGENCY: ("agencies", "{agency}"),
    Kind.SYSTEM: ("systems", "{agency}/{system}"),
    Kind.SERVICE: ("services", "{agency}/{system}/{code}"),
    Kind.EVENT_TYPE: ("event-types", "{agency}/{system}/{code}"),
    Kind.AGREEMENT: ("agreements", "{id}"),
}

CallerOf = Annotated[Caller, Depends(require())]
Operator = Annotated[Caller, Depends(require(OPERATOR_SCOPE))]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]


def router() -> APIRouter:
    """Build the routes; they find the features in `app.state.features`."""
    routes = APIRouter(prefix=PREFIX)
    routes.post("/apply")(apply)
    for kind, (collection, item) in _PATHS.items():
        routes.get(f"/{collection}", name=f"list {collection}")(_listing(kind))
        routes.get(f"/{collection}/{item}", name=f"get {kind.word}")(_reading(kind))
    routes.get("/services/{agency}/{system}/{code}/openapi")(openapi)
    routes.post("/agreements")(request_agreement)
    for verdict in Verdict:
        routes.post(f"/agreements/{{id}}/{verdict.value}", name=verdict.value)(_deciding(verdict))
    routes.post("/systems/{agency}/{system}/suspend", name="suspend")(_switching(SUSPENDED))
    routes.post("/systems/{agency}/{system}/resume", name="resume")(_switching(ACTIVE))
    return routes


async def apply(request: Request, caller: Operator, dry_run: bool = False) -> JSONResponse:
    """Apply manifests: all or none."""
    features = _features(request.app)
    applied = await features.applying.apply(
        await _body(request), _party(request, caller).author, dry_run=dry_run
    )
    return JSONResponse(applied.document())


async def openapi(request: Request, caller: CallerOf) -> JSONResponse:
    """Answer with the OpenAPI document of a service, as it was applied."""
    del caller
    key = _key(Kind.SERVICE, request)
    async with _features(request.app).reading() as repository:
        document = await repository.openapi(key[1])
    if document is None:
        raise UnknownResourceError(key)
    return JSONResponse(document)


async def request_agreement(request: Request, caller: CallerOf) -> JSONResponse:
    """Ask for an agreement."""
    party = _party(request, caller)
    agreement, new = await _features(request.app).deciding.request(await _body(request), party)
    headers = {"Location": f"{PREFIX}/agreements/{agreement.id}"}
    return JSONResponse(_shown(agreement, party), 201 if new else 200, headers)


def _listing(kind: Kind) -> Any:  # noqa: ANN401 - an endpoint
    async def endpoint(
        request: Request, caller: CallerOf, cursor: str = "", limit: Limit = PAGE
    ) -> JSONResponse:
        party = _party(request, caller)
        async with _features(request.app).reading() as repository:
            found = await repository.page(kind, _after(cursor), limit + 1)
        more = len(found) > limit
        items = [_shown(resource, party) for resource in found[:limit]]
        return JSONResponse({"items": items, "next": _cursor(found[limit - 1].id) if more else None})

    return endpoint


def _reading(kind: Kind) -> Any:  # noqa: ANN401 - an endpoint
    async def endpoint(request: Request, caller: CallerOf) -> JSONResponse:
        key = _key(kind, request)
        async with _features(request.app).reading() as repository:
            resource = await repository.get(key)
        if resource is None:
            raise UnknownResourceError(key)
        return JSONResponse(_shown(resource, _party(request, caller)))

    return endpoint


def _deciding(verdict: Verdict) -> Any:  # noqa: ANN401 - an endpoint
    async def endpoint(request: Request, caller: CallerOf) -> JSONResponse:
        party, key = _party(request, caller), _key(Kind.AGREEMENT, request)
        body = await _body(request, empty={})
        agreement = await _features(request.app).deciding.decide(key[1], verdict, body, party)
        return JSONResponse(_shown(agreement, party))

    return endpoint


def _switching(status: str) -> Any:  # noqa: ANN401 - an endpoint
    async def endpoint(request: Request, caller: Operator) -> JSONResponse:
        party, key = _party(request, caller), _key(Kind.SYSTEM, request)
        system = await _features(request.app).deciding.switch(key[1], status, party)
        return JSONResponse(_shown(system, party))

    return endpoint


def _features(app: FastAPI) -> Features:
    features: Features = app.state.features
    return features


def _party(request: Request, caller: Caller) -> Party:
    given = request.headers.get(TRANSACTION_HEADER, "")
    transaction = given if _TRANSACTION_ID.fullmatch(given) else _features(request.app).new_id()
    return Party(Author(caller.client_id, transaction), caller.scopes)


def _shown(resource: Resource, party: Party) -> dict[str, Any]:
    """Show a manifest to a caller: where a service really lives concerns its agency and the operator only."""
    manifest = resource.manifest()
    if resource.kind is Kind.SERVICE and not party.is_operator and party.agency != resource.provider_agency:
        del manifest["spec"]["upstreams"]
    return manifest


def _key(kind: Kind, request: Request) -> Key:
    """Read the id from the path, in either form of its agency code."""
    text = "/".join(request.path_params.values())
    try:
        return kind, SPECS[kind].identify(text)
    except ValueRefusedError:
        raise UnknownResourceError((kind, text)) from None


async def _body(request: Request, empty: Json = None) -> Json:
    """Read a JSON body.

    Raises:
        UnsupportedMediaTypeError: it says that it is something else.
        RequestTooLargeError: it is longer than the catalog reads.
        MalformedRequestError: it is not JSON.
    """
    limit = _features(request.app).max_request_bytes
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise RequestTooLargeError(limit)
    if not data and empty is not None:
        return empty
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaTypeError
    try:
        return json_text.decode(bytes(data))
    except ValueRefusedError as refusal:
        raise MalformedRequestError(refusal) from None


def _cursor(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode().rstrip("=")


def _after(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidCursorError from None
    if "\0" in text:
        raise InvalidCursorError
    return text
