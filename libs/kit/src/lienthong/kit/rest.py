"""The REST edge of a service: problems as answers, bodies within a limit, no unknown query parameters.

It loads FastAPI, as `access` and with it `bodies` do; the gateway imports none of the three.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lienthong.kit.bodies import MAX_JSON_BODY, with_strict_json
from lienthong.kit.body_room import BodyRoom, BoundedBodies
from lienthong.kit.engines import DatabaseAwayError, is_away, is_without_room, says_damaged
from lienthong.kit.json_pointer import pointer
from lienthong.kit.openapi import LICENSE, SERVER, VERSION, complete, stated_by, with_problems
from lienthong.kit.problems import ERROR_HEADER, PROBLEM_JSON, TRANSACTION_HEADER, ProblemError, general
from lienthong.kit.request_text import check_text
from lienthong.kit.text import BilingualText, shown
from lienthong.kit.validation import error_details, error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence

    from fastapi.dependencies.models import Dependant
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_NAMES: Final = 20
_LONGEST_NAME: Final = 60
_LONGEST_PLACE: Final = 300
_MOST_ERRORS: Final = 20
_READING: Final = frozenset({"GET", "HEAD"})
_KINDS_OF_STATUS: Final = {
    400: general.MALFORMED_REQUEST,
    404: general.NOT_FOUND,
    405: general.METHOD_NOT_ALLOWED,
    413: general.REQUEST_TOO_LARGE,
    415: general.UNSUPPORTED_MEDIA_TYPE,
}

_log = structlog.get_logger(__name__)


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
        if not _READING.issuperset(self.methods or ()):
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
            if unknown := request.query_params.keys() - declared:
                raise unknown_parameters(unknown, declared)
            if repeated := _repeated_parameters(request):
                raise _invalid(repeated)
            return await handle(request if limit is None else await with_strict_json(request, limit))

        return checked


def create_rest_app(
    title: str, *, summary: str, openapi_path: str, bodies: BodyRoom | None = None
) -> FastAPI:
    """A FastAPI application that answers every failure with a problem document.

    Its OpenAPI 3.1 document is served to everyone at `openapi_path`. `title` and `summary` (one sentence)
    appear in it. `bodies` is the room for bodies of requests, by default that of `BodyRoom`.
    """
    app = FastAPI(
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
    app.add_middleware(_TextOnly)
    app.add_middleware(BoundedBodies, room=bodies or BodyRoom())
    return app


def problem_response(problem: ProblemError, instance: str | None) -> Response:
    """The HTTP answer that carries `problem`; `instance` is the transaction id, where it is known."""
    return Response(
        msgspec.json.encode(problem.document(instance)),
        status_code=problem.status,
        headers={**problem.headers, ERROR_HEADER: problem.code},
        media_type=PROBLEM_JSON,
    )


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

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 - registered for ProblemError only
        return _answer(request, error)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this only
        return _answer(request, _invalid(error.errors()))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this only
        return _answer(request, _from_http(error))

    async def on_database_error(request: Request, error: Exception) -> Response:
        if isinstance(error, DBAPIError) and is_without_room(error):
            _log.error("the database cannot write", path=request.url.path, error=str(error.orig))
            return _answer(request, _storage_full())
        if isinstance(error, DBAPIError) and says_damaged(error.orig):
            _log.error("the database is damaged", path=request.url.path, error=str(error.orig))
            return _answer(request, _database_damaged())
        if is_away(error):
            said = str(error) or type(error).__name__
            _log.error("the database does not answer", path=request.url.path, error=said)
            return _answer(request, _database_away(changing=request.method not in _READING))
        raise error

    app.add_exception_handler(ProblemError, on_problem)
    for kind in (DBAPIError, DatabaseAwayError, PoolTimeoutError, TimeoutError):
        app.add_exception_handler(kind, on_database_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_middleware(_Unexpected)


class _Unexpected:
    """Turns an exception that nobody handled into a 500, and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            tx = _transaction_id(scope)
            _log.exception("request failed", method=scope["method"], path=scope["path"], tx=tx)
            if started:
                # The status has been sent: break the connection, or half an answer would look complete.
                raise
            await problem_response(_internal_error(), tx)(scope, receive, send)


class _TextOnly:
    """Lets requests pass whose path, query and headers are portable text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                check_text(scope)
            except ProblemError as problem:
                await problem_response(problem, _transaction_id(scope))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _transaction_id(scope: Scope) -> str | None:
    wanted = TRANSACTION_HEADER.lower().encode()
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)


def _answer(request: Request, problem: ProblemError) -> Response:
    return problem_response(problem, request.headers.get(TRANSACTION_HEADER))


def _internal_error() -> ProblemError:
    detail = BilingualText(
        "Something failed inside the platform. The log has more under the transaction id.",
        "Hệ thống gặp lỗi. Nhật ký hệ thống ghi thêm thông tin theo mã giao dịch.",
    )
    return ProblemError(general.INTERNAL_ERROR, detail)


def _storage_full() -> ProblemError:
    detail = BilingualText(
        "The database of this service cannot store anything at the moment.",
        "Cơ sở dữ liệu của dịch vụ này hiện không lưu thêm được.",
    )
    return ProblemError(general.STORAGE_FULL, detail, {"Retry-After": "30"})


def _database_damaged() -> ProblemError:
    detail = BilingualText(
        "The database of this service is damaged; its operator is told what to do.",
        "Cơ sở dữ liệu của dịch vụ này bị hỏng; đơn vị vận hành được báo cách khắc phục.",
    )
    return ProblemError(general.PLATFORM_UNAVAILABLE, detail, {"Retry-After": "30"})


def _database_away(*, changing: bool) -> ProblemError:
    en = "The database of this service does not answer."
    vi = "Cơ sở dữ liệu của dịch vụ này không trả lời."
    if changing:
        en += " Whether the change was made is not known: ask before you repeat it."
        vi += " Chưa rõ thay đổi đã được thực hiện hay chưa: hãy hỏi lại trước khi gửi lại."
    return ProblemError(general.PLATFORM_UNAVAILABLE, BilingualText(en, vi), {"Retry-After": "5"})


def _from_http(error: HTTPException) -> ProblemError:
    status = error.status_code
    kind = _KINDS_OF_STATUS.get(status) or msgspec.structs.replace(general.HTTP_ERROR, status=status)
    return ProblemError(kind, _http_detail(error), error.headers or {})


def _http_detail(error: HTTPException) -> BilingualText:
    allowed = (error.headers or {}).get("Allow")
    if error.status_code == HTTPStatus.NOT_FOUND:
        return BilingualText("Nothing is at this address.", "Không có nội dung nào tại địa chỉ này.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and allowed is not None:
        return BilingualText(f"This address takes {allowed}.", f"Địa chỉ này nhận {allowed}.")
    return BilingualText(str(error.detail), f"{HTTPStatus(error.status_code).phrase}: {error.detail}")


def _invalid(errors: Sequence[Mapping[str, Any]]) -> ProblemError:
    if any(error["type"] == "json_invalid" for error in errors):
        text = BilingualText("The body is not valid JSON.", "Nội dung không phải JSON hợp lệ.")
        return ProblemError(general.MALFORMED_REQUEST, text)
    # Only where and what: pydantic's own error also holds the input, which may be personal data.
    found = [(_place(error["loc"]), error_text(error)) for error in errors[:_MOST_ERRORS]]
    more = len(errors) - len(found)
    detail = BilingualText(
        "; ".join([f"{place}: {text.en}" for place, text in found] + ([f"and {more} more"] if more else [])),
        "; ".join(
            [f"{place}: {text.vi}" for place, text in found] + ([f"và {more} lỗi khác"] if more else [])
        ),
    )
    listed = [{"pointer": place, "detail": text.en, "detail_vi": text.vi} for place, text in found]
    return ProblemError(general.INVALID_REQUEST, detail, extra={"errors": listed})


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


def _place(location: Sequence[str | int]) -> str:
    """`/spec/name` (RFC 6901) in a body; `query/limit`, `path/code`, `header/x` elsewhere."""
    where, *rest = location or [""]
    return shown(pointer(rest) if where == "body" else f"{where}{pointer(rest)}", _LONGEST_PLACE)


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
