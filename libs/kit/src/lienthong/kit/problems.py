"""Errors on the wire: RFC 9457 problem details, in English with Vietnamese beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROBLEM_JSON = "application/problem+json"
ERROR_HEADER = "LGSP-Error"
TRANSACTION_HEADER = "LGSP-Transaction-Id"

_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class ProblemError(Exception):
    """Something a caller must be told.

    `code` is the stable machine name (kebab-case), `status` the HTTP status, `title` names the kind of
    problem, `detail` says what was wrong this time and how to mend it.
    `extra` holds further members of the document.
    """

    code: str
    status: int
    title: str
    detail: str
    title_vi: str = ""
    detail_vi: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def document(self, instance: str | None) -> dict[str, Any]:
        """The problem document (RFC 9457 §3); `instance` is the transaction id, when there is one."""
        document: dict[str, Any] = {
            "type": f"urn:lgsp:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "title_vi": self.title_vi or None,
            "detail_vi": self.detail_vi or None,
        }
        return {name: value for name, value in document.items() if value is not None} | dict(self.extra)


def problem_response(problem: ProblemError, instance: str | None) -> Response:
    """The HTTP answer that carries `problem`."""
    return Response(
        msgspec.json.encode(problem.document(instance)),
        status_code=problem.status,
        headers={**problem.headers, ERROR_HEADER: problem.code},
        media_type=PROBLEM_JSON,
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Make `app` answer every failure with a problem document; unexpected ones leak nothing."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 - registered for ProblemError only
        return _answer(request, error)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this only
        return _answer(request, _invalid(error.errors()))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this only
        return _answer(request, _from_http(error))

    app.add_exception_handler(ProblemError, on_problem)
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
        except Exception as error:
            tx = _transaction_id(scope)
            _log.exception("request failed", method=scope["method"], path=scope["path"], tx=tx)
            if started:
                # The status is gone already: break the connection rather than end a half answer well.
                raise
            await problem_response(_unexpected(error), tx)(scope, receive, send)


def _transaction_id(scope: Scope) -> str | None:
    wanted = TRANSACTION_HEADER.lower().encode()
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)


def _answer(request: Request, problem: ProblemError) -> Response:
    return problem_response(problem, request.headers.get(TRANSACTION_HEADER))


def _unexpected(_: Exception) -> ProblemError:
    return ProblemError(
        "internal-error",
        500,
        "Internal error",
        "Something failed on our side; the operator finds it in the log under the transaction id.",
        title_vi="Lỗi nội bộ",
        detail_vi="Hệ thống gặp lỗi; người vận hành tra cứu nhật ký theo mã giao dịch.",
    )


def _from_http(error: HTTPException) -> ProblemError:
    phrase = HTTPStatus(error.status_code).phrase
    code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code)
    return ProblemError(
        code or phrase.lower().replace(" ", "-"),
        error.status_code,
        phrase,
        str(error.detail),
        title_vi={404: "Không tìm thấy", 405: "Phương thức không được phép"}.get(error.status_code, ""),
        headers=error.headers or {},
    )


def _invalid(errors: Sequence[Mapping[str, Any]]) -> ProblemError:
    if any(error["type"] == "json_invalid" for error in errors):
        return ProblemError(
            "malformed-request",
            400,
            "Malformed request",
            "The body is not valid JSON.",
            title_vi="Yêu cầu sai định dạng",
            detail_vi="Nội dung không phải JSON hợp lệ.",
        )
    # Only where and what: pydantic's own error also holds the input, which may be personal data.
    found = [{"pointer": _pointer(error["loc"]), "detail": error["msg"]} for error in errors]
    return ProblemError(
        "invalid-request",
        422,
        "Invalid request",
        "; ".join(f"{entry['pointer']}: {entry['detail']}" for entry in found),
        title_vi="Yêu cầu không hợp lệ",
        detail_vi="Dữ liệu gửi lên không đúng quy định; xem danh sách lỗi.",
        extra={"errors": found},
    )


def _pointer(location: Sequence[str | int]) -> str:
    """`/spec/name` (RFC 6901) in a body; `query/limit`, `path/code`, `header/x` elsewhere."""
    where, *rest = [str(part).replace("~", "~0").replace("/", "~1") for part in location] or [""]
    inside = "".join(f"/{part}" for part in rest)
    return inside if where == "body" else where + inside
