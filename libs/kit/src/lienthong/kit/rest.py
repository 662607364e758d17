"""The REST edge of a service: strict routes, bodies within a limit, no unknown query parameters.

It loads FastAPI, as `access` and with it `bodies` do; the gateway imports none of the three.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from lienthong.kit.bodies import MAX_JSON_BODY, with_strict_json
from lienthong.kit.body_room import BodyRoom, BoundedBodies
from lienthong.kit.direct import DirectApp, DirectRoute
from lienthong.kit.engines import DatabaseAwayError
from lienthong.kit.failures import READING, TextOnly, Unexpected, failure_response, invalid
from lienthong.kit.json_pointer import pointer
from lienthong.kit.openapi import LICENSE, SERVER, VERSION, complete, stated_by, with_problems
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText, shown
from lienthong.kit.validation import error_details

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from fastapi import FastAPI
    from fastapi.dependencies.models import Dependant
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_NAMES: Final = 20
_LONGEST_NAME: Final = 60


class StrictRoute(APIRoute):
    """A route that knows the caller before it reads anything, and takes nothing that is large or ambiguous.

    Give it to a router: `APIRouter(route_class=StrictRoute)`. A dependency that states `security` is asked
    first: no body of a caller without a valid token is read, whatever the endpoint declares (FastAPI alone
    parses a declared body before it runs dependencies). Then query parameters that neither the endpoint nor
    what it depends on declares are 422 `invalid-request`, and so is one that is given twice, of which one
    reader takes the first and another the last. Where the endpoint declares a body (a Pydantic model, whose
    `max_body` may name the largest in bytes), it is read by `with_strict_json`; an endpoint that reads the
    body itself does so by `read_body`. In the OpenAPI document the route answers with the problems that it
    states, those of its dependencies, and those that any request can meet.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(path, endpoint, **options)
        stated = list(stated_by(self.dependant))
        kinds = [kind for dependency in stated for kind in dependency.problems]
        kinds += [general.MALFORMED_REQUEST, general.INVALID_REQUEST, general.INTERNAL_ERROR]
        kinds += [general.PLATFORM_UNAVAILABLE]
        if not READING.issuperset(self.methods or ()):
            kinds += [general.STORAGE_FULL]
        if self.body_field is not None:
            kinds += [general.REQUEST_TOO_LARGE]
        if self.body_field is not None or "requestBody" in (self.openapi_extra or {}):
            kinds += [general.REQUEST_TIMEOUT, general.RATE_LIMITED, general.BUSY]
        self.responses = with_problems(self.responses, kinds)
        if security := [dict(dependency.security) for dependency in stated if dependency.security]:
            self.openapi_extra = {"security": security, **(self.openapi_extra or {})}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the checks before the endpoint."""
        handle = super().get_route_handler()
        declared = frozenset(_query_parameters(self.dependant))
        limit = None if self.body_field is None else _largest_body(self.body_field.field_info.annotation)
        guards = [dependency for dependency in stated_by(self.dependant) if dependency.security]

        async def checked(request: Request) -> Response:
            for guard in guards:
                await guard(request)
            if request.scope["query_string"]:
                if unknown := request.query_params.keys() - declared:
                    raise unknown_parameters(unknown, declared)
                if repeated := _repeated_parameters(request):
                    raise invalid(repeated)
            return await handle(request if limit is None else await with_strict_json(request, limit))

        return checked


class StrictDirectRoute(StrictRoute, DirectRoute):
    """A route that checks as a `StrictRoute` does, and then calls its endpoint as a `DirectRoute` does."""


def create_rest_app(
    title: str, *, summary: str, openapi_path: str, bodies: BodyRoom | None = None
) -> DirectApp:
    """A FastAPI application that answers every failure with a problem document.

    Its OpenAPI 3.1 document is served to everyone at `openapi_path`. `title` and `summary` (one sentence)
    appear in it. `bodies` is the room for bodies of requests, by default that of `BodyRoom`.
    """
    room = bodies or BodyRoom()
    app = DirectApp(
        bodies=room,
        title=title,
        summary=summary,
        version=VERSION,
        openapi_url=openapi_path,
        docs_url=None,
        redoc_url=None,
        # They would name the address behind the gateway.
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        license_info=LICENSE,
        servers=[SERVER],
    )
    complete(app)
    install_problem_handlers(app)
    app.add_middleware(TextOnly)
    app.add_middleware(BoundedBodies, room=room)
    return app


def unknown_parameters(unknown: set[str], declared: frozenset[str]) -> ProblemError:
    """Query parameters that the address does not take; at most 20 are named."""
    names = sorted(shown(name, _LONGEST_NAME) for name in unknown)[:_MOST_NAMES]
    known = ", ".join(sorted(declared))
    en = f"the parameters here are: {known}" if known else "no parameter is allowed here"
    vi = f"các tham số hợp lệ: {known}" if known else "không nhận tham số nào"
    listed = ", ".join(f"'{name}'" for name in names)
    errors = [
        {
            "pointer": f"query{pointer([name])}",
            "detail": f"not known; {en}",
            "detail_vi": f"không hợp lệ; {vi}",
        }
        for name in names
    ]
    detail = BilingualText(
        f"Unknown query parameter {listed}; {en}.", f"Tham số {listed} không hợp lệ; {vi}."
    )
    return ProblemError(general.INVALID_REQUEST, detail, extra={"errors": errors})


def install_problem_handlers(app: FastAPI) -> None:
    """Make `app` answer every failure with a problem document; an unexpected one reveals no internals."""

    async def answer(request: Request, error: Exception) -> Response:
        return failure_response(request, error)

    expected: list[type[Exception]] = [ProblemError, RequestValidationError, HTTPException]
    expected += [DBAPIError, DatabaseAwayError, PoolTimeoutError, TimeoutError]
    for kind in expected:
        app.add_exception_handler(kind, answer)
    app.add_middleware(Unexpected)


def _repeated_parameters(request: Request) -> list[dict[str, Any]]:
    """The parameters that are given more than once, in the form of Pydantic's errors."""
    times = Counter(name for name, _ in request.query_params.multi_items())
    return [
        error_details(
            ("query", name),
            BilingualText(
                f"given {count} times; give it once", f"xuất hiện {count} lần; chỉ được nêu một lần"
            ),
        )
        for name, count in times.items()
        if count > 1
    ]


def _largest_body(model: object) -> int:
    """The bytes of a body: `max_body` of the model, or the limit of all."""
    limit: int = getattr(model, "max_body", MAX_JSON_BODY)
    return limit


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, member in annotation.model_fields.items():
                yield member.alias or name
        else:
            yield field.alias
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)
