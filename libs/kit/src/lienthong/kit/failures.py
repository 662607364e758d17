"""What failed, as answers: problem documents for everything that is expected, 500 for the rest."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lienthong.kit.engines import is_away, is_without_room, says_damaged
from lienthong.kit.json_pointer import pointer
from lienthong.kit.problems import ERROR_HEADER, PROBLEM_JSON, TRANSACTION_HEADER, ProblemError, general
from lienthong.kit.request_text import check_text
from lienthong.kit.text import BilingualText, shown
from lienthong.kit.validation import error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Respond: TypeAlias = Callable[[Scope, ProblemError], Response]

READING: Final = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""
_LONGEST_PLACE: Final = 300
_MOST_ERRORS: Final = 20
_TRANSACTION: Final = TRANSACTION_HEADER.lower().encode()
_KINDS_OF_STATUS: Final = {
    400: general.MALFORMED_REQUEST,
    404: general.NOT_FOUND,
    405: general.METHOD_NOT_ALLOWED,
    413: general.REQUEST_TOO_LARGE,
    415: general.UNSUPPORTED_MEDIA_TYPE,
}

_log = structlog.get_logger(__name__)


def problem_response(problem: ProblemError, instance: str | None) -> Response:
    """The HTTP answer that carries `problem`; `instance` is the transaction id, where it is known."""
    return Response(
        msgspec.json.encode(problem.document(instance)),
        status_code=problem.status,
        headers={**problem.headers, ERROR_HEADER: problem.code},
        media_type=PROBLEM_JSON,
    )


def failure_response(request: Request, error: Exception) -> Response:
    """The answer to a request that failed with `error`: a problem document.

    Raises:
        Exception: `error`, when it is none that is expected.
    """
    return problem_response(problem_of(request, error), transaction_id(request.scope))


def problem_of(request: Request, error: Exception) -> ProblemError:
    """What a request failed with, as a problem.

    Raises:
        Exception: `error`, when it is none that is expected.
    """
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return invalid(error.errors())
        case HTTPException():
            return _from_http(error)
        case _:
            return _of_database(request, error)


def invalid(errors: Sequence[Mapping[str, Any]]) -> ProblemError:
    """What Pydantic found wrong, each with its place."""
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


def unexpected_response(scope: Scope) -> Response:
    """The answer to a request that failed with the exception that is handled now, which is logged."""
    return _document(scope, _unexpected(scope))


class Unexpected:
    """Turns an exception that nobody handled into a 500, and logs it."""

    def __init__(self, app: ASGIApp, respond: Respond | None = None) -> None:
        """`respond` makes the answer to a problem, by default a problem document."""
        self._app = app
        self._respond = respond or _document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
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
            response = self._respond(scope, _unexpected(scope))
            if started:
                # The status has been sent: break the connection, or half an answer would look complete.
                raise
            await response(scope, receive, send)


class TextOnly:
    """Lets requests pass whose path, query and headers are portable text."""

    def __init__(self, app: ASGIApp, respond: Respond | None = None) -> None:
        """`respond` makes the answer to a problem, by default a problem document."""
        self._app = app
        self._respond = respond or _document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            try:
                check_text(scope)
            except ProblemError as problem:
                await self._respond(scope, problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def transaction_id(scope: Scope) -> str | None:
    """The transaction id of a request, where the gateway has given it one."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == _TRANSACTION), None)


def _document(scope: Scope, problem: ProblemError) -> Response:
    return problem_response(problem, transaction_id(scope))


def _unexpected(scope: Scope) -> ProblemError:
    """The problem for the exception that is handled now, which is logged."""
    _log.exception("request failed", method=scope["method"], path=scope["path"], tx=transaction_id(scope))
    return _internal_error()


def _of_database(request: Request, error: Exception) -> ProblemError:
    path = request.url.path
    if isinstance(error, DBAPIError) and is_without_room(error):
        _log.error("the database cannot write", path=path, error=str(error.orig))
        return _storage_full()
    if isinstance(error, DBAPIError) and says_damaged(error.orig):
        _log.error("the database is damaged", path=path, error=str(error.orig))
        return _database_damaged()
    if is_away(error):
        said = str(error) or type(error).__name__
        _log.error("the database does not answer", path=path, error=said)
        return _database_away(changing=request.method not in READING)
    raise error


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


def _place(location: Sequence[str | int]) -> str:
    """`/spec/name` (RFC 6901) in a body; `query/limit`, `path/code`, `header/x` elsewhere."""
    where, *rest = location or [""]
    return shown(pointer(rest) if where == "body" else f"{where}{pointer(rest)}", _LONGEST_PLACE)
