"""What the REST endpoints of all features share: who calls, reading a body, ids in paths, pages."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel

from lienthong.catalog import errors
from lienthong.catalog.domain.actors import OPERATOR_SCOPE
from lienthong.catalog.domain.resources import Resource, ResourceKind, unknown_resource
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.answers import inlined
from lienthong.catalog.schemas.fields import AgencyCode, SystemRef
from lienthong.catalog.service.resources import ResourcePage
from lienthong.kit.access import Caller, demand, require
from lienthong.kit.actors import FOR_PEOPLE, Action, Actor
from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.json_text import Json, NotJsonError, decode, is_portable_text
from lienthong.kit.problems import TRANSACTION_HEADER, catalog, general
from lienthong.kit.text import BilingualText

PREFIX = "/catalog/v1"
BODY_PROBLEMS = (
    general.MALFORMED_REQUEST,
    general.REQUEST_TOO_LARGE,
    general.UNSUPPORTED_MEDIA_TYPE,
    catalog.INVALID_MANIFESTS,
)
"""The problems of endpoints that read a body."""

DEFAULT_LIMIT, MAX_LIMIT = 50, 200

MAX_SMALL_BODY = 256 * 1024
"""Bytes of a body that any system may send: a request for an agreement, or a decision."""

MAX_SMALL_MEMBERS = 1_000
"""Members of one object, and entries of one array, in such a body."""

_TRANSACTION_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_ETAG = re.compile(r'"[0-9]{1,18}"')
_INCOMPLETE = BilingualText("it ended before it was complete", "nội dung kết thúc trước khi gửi xong")


def _actor(request: Request, caller: Caller) -> Actor:
    given = request.headers.get(TRANSACTION_HEADER, "")
    transaction_id = given if _TRANSACTION_ID.fullmatch(given) else request.app.state.new_id()
    return Actor.of(caller, transaction_id, operator=OPERATOR_SCOPE in caller.scopes)


def _any_actor(request: Request, caller: Annotated[Caller, Depends(require(for_people=FOR_PEOPLE))]) -> Actor:
    actor = _actor(request, caller)
    if actor.is_person:
        actor.demand(Action.READ_CATALOG)
    return actor


def _administrator(
    request: Request, caller: Annotated[Caller, Depends(require(OPERATOR_SCOPE, for_people=FOR_PEOPLE))]
) -> Actor:
    return _actor(request, caller)


def _applicant(request: Request, caller: Annotated[Caller, Depends(require(for_people=FOR_PEOPLE))]) -> Actor:
    actor = _actor(request, caller)
    if actor.is_system and not actor.agency:
        demand(caller, OPERATOR_SCOPE)
    return actor


def _operator(request: Request, caller: Annotated[Caller, Depends(require(OPERATOR_SCOPE))]) -> Actor:
    return _actor(request, caller)


def _stated_version(if_match: Annotated[str, Header()] = "*") -> int | None:
    """Return the version that a request states; None where it states none (RFC 9110 section 13.1.1).

    Raises:
        ProblemError: `invalid-request`, it is not what an `ETag` of the catalog has.
    """
    text = if_match.strip()
    if text == "*":
        return None
    if not _ETAG.fullmatch(text):
        raise errors.invalid_if_match()
    return int(text.strip('"'))


def _cursor(cursor: Annotated[str, Query(description="The `next` of the page before.")] = "") -> str:
    """Return the id that a cursor stands for.

    Raises:
        ProblemError: `invalid-request`, it is not the `next` of a page.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise errors.invalid_cursor() from None
    if not is_portable_text(text):
        raise errors.invalid_cursor()
    return text


AnyActor = Annotated[Actor, Depends(_any_actor)]
"""Every client with a valid access token, and every person who may read the catalog."""

Administrator = Annotated[Actor, Depends(_administrator)]
"""The operator, or a person, of whom the endpoint demands what it does; other clients are refused."""

Applicant = Annotated[Actor, Depends(_applicant)]
"""The operator, a person, or a system of an agency, of each of whom the endpoint demands what it does."""

Operator = Annotated[Actor, Depends(_operator)]
"""The operator's client alone: whoever is a person or a system is refused."""

After = Annotated[str, Depends(_cursor)]
"""The id after which a page begins, from the query parameter `cursor`; empty for the first page."""

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
"""How many resources a page has at most; fewer where they are large."""

StatedVersion = Annotated[int | None, Depends(_stated_version)]
"""The version, from `If-Match`, that the caller has read; what has another one by now is left as it is."""

AgencyFilter = Annotated[AgencyCode | None, Query(alias="agency", description="Only those of this agency.")]
SystemFilter = Annotated[SystemRef | None, Query(alias="system", description="Only those of this system.")]


async def read_small_json(request: Request, *, empty: Json = None) -> Json:
    """Read the JSON body of a request, of at most `MAX_SMALL_BODY` bytes; `empty` stands for no body.

    Raises:
        ProblemError: that of `read_json_bytes`; `malformed-request`, it is not JSON.
    """
    data = await read_json_bytes(request, limit=MAX_SMALL_BODY, may_be_empty=empty is not None)
    if not data and empty is not None:
        return empty
    try:
        return decode(data, most_members=MAX_SMALL_MEMBERS, most_entries=MAX_SMALL_MEMBERS)
    except NotJsonError as reason:
        raise errors.malformed_request(reason.text) from None


async def read_json_bytes(request: Request, *, limit: int | None = None, may_be_empty: bool = False) -> bytes:
    """Read the body of a request that says it is JSON.

    It has at most `limit` bytes, and never more than the settings allow.

    Raises:
        ProblemError: `unsupported-media-type`, its Content-Type is not JSON; `request-too-large`, it is
            longer than the catalog reads; `malformed-request`, it is not complete.
    """
    try:
        most: int = request.app.state.max_request_bytes
        data = await read_body(request, most if limit is None else min(limit, most))
    except BodyTooLargeError as error:
        raise errors.request_too_large(error.limit, fixed=error.limit == limit) from None
    except BodyIncompleteError:
        raise errors.malformed_request(_INCOMPLETE) from None
    if not data and may_be_empty:
        return data
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise errors.unsupported_media_type()
    return data


def path_id(kind: ResourceKind, canonical_id: Callable[[str], str], *parts: str) -> str:
    """Return the canonical id that path segments name, in either spelling of the agency code.

    Raises:
        ProblemError: `unknown-resource`, no resource of this kind can have such an id.
    """
    text = "/".join(parts)
    try:
        return canonical_id(text)
    except InvalidValueError:
        raise unknown_resource((kind, text)) from None


def json_body(schema: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Return the `openapi_extra` of an endpoint that reads its JSON body itself."""
    content = {"application/json": {"schema": inlined(schema.model_json_schema())}}
    return {"requestBody": {"required": required, "content": content}}


def page_document(page: ResourcePage[Any], show: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return a page as JSON; `next` is the cursor of the page after it, null at the end."""
    return {
        "items": [show(resource) for resource in page.items],
        "next": None if page.last_id is None else encode_cursor(page.last_id),
    }


def etag(resource: Resource) -> dict[str, str]:
    """Return the header field that names the version of a resource (RFC 9110 section 8.8.3)."""
    return {"ETag": f'"{resource.version}"'}


def manifest_of(resource: Resource) -> dict[str, Any]:
    """Return the manifest of a resource of a kind that hides nothing from anyone."""
    return resource.manifest()


def chosen(**filters: str | None) -> dict[str, list[str]]:
    """Return the filters of a list that were given."""
    return {name: [value] for name, value in filters.items() if value is not None}


def encode_cursor(text: str) -> str:
    """Return the cursor that stands for a text."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
