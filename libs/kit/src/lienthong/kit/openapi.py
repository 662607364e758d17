"""The OpenAPI 3.1 document of a service: which problems an operation answers with, and who may call it.

An endpoint states its own problems with `responses=problems(…)`. What a dependency refuses is stated once, by
the dependency: it is an object with a member `problems`, and, when it checks a token, `security`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

import msgspec

from lienthong.kit.problems import ERROR_HEADER, PROBLEM_JSON, TRANSACTION_HEADER
from lienthong.kit.problems.problem import MOST_LISTED
from lienthong.kit.problems.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fastapi import FastAPI
    from fastapi.dependencies.models import Dependant
    from starlette.requests import Request

    from lienthong.kit.problems import ProblemType

Responses: TypeAlias = "dict[int | str, dict[str, Any]]"

VERSION: Final = "0.1.0"
"""Of the REST interfaces; grows with them (Semantic Versioning)."""
LICENSE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
SERVER: Final = {"url": "/", "description": "The gateway."}
BEARER: Final = "accessToken"
"""The name of the security scheme: an access token of identity's (RFC 9068) as a bearer token (RFC 6750)."""

_ACCESS_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of the token endpoint (RFC 9068). One that is bound to a key is sent with"
    " the scheme `DPoP` and a proof in the header `DPoP` (RFC 9449 §7.1), one that is bound to a certificate"
    " through the edge with that certificate (RFC 8705 §3).",
}
_SCHEMA: Final = "Problem"
_STATED: Final = "x-problems"
_TEXT: Final = {"type": "string"}
_PROBLEM: Final = {
    "type": "object",
    "description": "Problem details (RFC 9457), in English and Vietnamese.",
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:lgsp:problem:invalid-request"]},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "instance": {"type": "string", "description": "The transaction id."},
        "code": {"type": "string", "description": "The machine name of the kind of problem."},
        "title_vi": _TEXT,
        "detail_vi": _TEXT,
        "advice": _TEXT,
        "advice_vi": _TEXT,
        "errors": {
            "type": "array",
            "description": "The places that are wrong, at most 100; long texts are cut.",
            "maxItems": MOST_LISTED,
            "items": {
                "type": "object",
                "properties": {"pointer": _TEXT, "detail": _TEXT, "detail_vi": _TEXT},
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code", "title_vi", "detail_vi", "advice", "advice_vi"],
}

_HEADERS: Final = {
    ERROR_HEADER: {"description": "The code of the problem.", "schema": _TEXT},
    TRANSACTION_HEADER: {"description": "The transaction id, added by the gateway.", "schema": _TEXT},
}


@runtime_checkable
class Stated(Protocol):
    """A dependency that says what it refuses, and with which scopes of a token it is satisfied."""

    @property
    def problems(self) -> Sequence[ProblemType]:
        """The kinds of problems that it raises."""
        ...

    @property
    def security(self) -> Mapping[str, Sequence[str]]:
        """A security requirement (OpenAPI 3.1 §4.8.30); empty where it asks for none."""
        ...

    async def __call__(self, request: Request) -> object:
        """What the endpoint gets.

        Raises:
            ProblemError: one of `problems`.
        """
        ...


def problems(*kinds: ProblemType) -> Responses:
    """The `responses=` of an endpoint that answers with these kinds of problems."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.status, kind.code)):
        response = by_status.setdefault(kind.status, _response(kind.status))
        response[_STATED].append(kind.code)
        response["description"] += f"\n- `{kind.code}`: {kind.title.en} · {kind.title.vi}"
    return by_status


def answer(
    media_type: str,
    schema: Mapping[str, Any],
    description: str,
    *,
    status: int = 200,
    headers: Sequence[str] = (),
) -> Responses:
    """The `responses=` of an endpoint that answers with a body of this media type and these headers."""
    response: dict[str, Any] = {
        "description": description,
        "content": {media_type: {"schema": dict(schema)}},
    }
    if headers:
        response["headers"] = {name: {"schema": _TEXT} for name in headers}
    return {status: response}


def struct_schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of a msgspec struct as it is encoded, without references to other schemas."""
    [schema], parts = msgspec.json.schema_components([struct], ref_template="{name}")

    def inlined(node: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(node, dict):
            return (
                inlined(parts[node["$ref"]]) if "$ref" in node else {k: inlined(v) for k, v in node.items()}
            )
        return [inlined(item) for item in node] if isinstance(node, list) else node

    found: dict[str, Any] = inlined(schema)
    return found


def with_problems(responses: Responses, kinds: Iterable[ProblemType]) -> Responses:
    """The responses that an endpoint states, and beside its own problems those of other kinds."""
    stated = {code for response in responses.values() for code in response.get(_STATED, ())}
    every = {kind.code: kind for kind in (*kinds, *(REGISTRY[code] for code in stated))}
    others = {status: response for status, response in responses.items() if _STATED not in response}
    return others | problems(*every.values())


def stated_by(dependant: Dependant) -> Iterator[Stated]:
    """The dependencies of an endpoint, at any depth, that say what they refuse."""
    call: object = dependant.call
    if isinstance(call, Stated):
        yield call
    for inner in dependant.dependencies:
        yield from stated_by(inner)


def shared_components() -> dict[str, dict[str, Any]]:
    """What the operations of every document refer to: the problem, its headers, the access token."""
    return {
        "schemas": {_SCHEMA: _PROBLEM},
        "headers": dict(_HEADERS),
        "securitySchemes": {BEARER: dict(_ACCESS_TOKEN)},
    }


def complete(app: FastAPI) -> None:
    """Have `app` serve a document with the shared parts that its operations refer to."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            components = document.setdefault("components", {})
            for part, shared in shared_components().items():
                components.setdefault(part, {}).update(shared)
        return make()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend a document


def _response(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{_SCHEMA}"}}},
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS},
        _STATED: [],
    }
