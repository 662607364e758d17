"""Turns error responses into exceptions: problem documents (RFC 9457) and OAuth errors (RFC 6749 §5.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lienthong.client.advice import BY_OAUTH_ERROR
from lienthong.client.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    Mistake,
    NotAGatewayError,
    NotFoundError,
    NotYetRecordedError,
    RefusedError,
    Text,
    UnauthenticatedError,
    UnavailableError,
)

if TYPE_CHECKING:
    import httpx

TRANSACTION_HEADER = "LGSP-Transaction-Id"
ERROR_HEADER = "LGSP-Error"


def refusal(response: httpx.Response) -> RefusedError | NotAGatewayError:
    """The error that stands for an answer of status 400 or above; the body must have been read."""
    document = _object(response.content)
    status = response.status_code
    code = _code(response, document)
    if code is None:
        return NotAGatewayError(
            Text("Câu trả lời không phải của cổng liên thông", "The answer is not from a gateway"),
            Text(
                f"{response.request.url} trả lời {status} không kèm tài liệu lỗi.",
                f"{response.request.url} answered {status} without a problem document.",
            ),
            Text(
                "Kiểm tra địa chỉ cổng (--gateway hoặc LIENTHONG_GATEWAY).",
                "Check the gateway's address (--gateway or LIENTHONG_GATEWAY).",
            ),
        )
    title, detail = _texts(response, document, code)
    return _kind(code, status)(
        title,
        detail,
        _advice(document),
        code=code,
        status=status,
        transaction_id=_transaction_id(response, document),
        retry_after=retry_after(response),
        mistakes=_mistakes(document),
    )


def retry_after(response: httpx.Response) -> float | None:
    """The seconds of Retry-After (RFC 9110 §10.2.3); the date form is not used by the bus and is ignored."""
    text: str = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _kind(code: str, status: int) -> type[RefusedError]:
    if code == "not-yet-recorded":
        return NotYetRecordedError
    if code == "invalid-client" or status == 401:
        return UnauthenticatedError
    if status == 429 or status >= 500:
        return UnavailableError
    kinds: dict[int, type[RefusedError]] = {
        403: ForbiddenError,
        404: NotFoundError,
        409: ConflictError,
        412: ConflictError,
        422: InvalidError,
    }
    return kinds.get(status, RefusedError)


def _code(response: httpx.Response, document: dict[str, Any]) -> str | None:
    for candidate in (
        document.get("code"),
        response.headers.get(ERROR_HEADER),
        document.get("error"),
        str(document.get("type", "")).removeprefix("urn:lgsp:problem:"),
    ):
        if isinstance(candidate, str) and candidate and candidate != "about:blank":
            # OAuth writes its codes with underscores; the codes of the bus have hyphens.
            return candidate.replace("_", "-")
    return None


def _texts(response: httpx.Response, document: dict[str, Any], code: str) -> tuple[Text, Text | None]:
    english = _text(document, "title") or response.reason_phrase or code
    title = Text(_text(document, "title_vi") or english, english)
    if "error" in document:
        title = Text("Không được cấp mã truy cập", "No access token was given")
    detail = _text(document, "detail") or _text(document, "error_description")
    if detail is None:
        return title, None
    return title, Text(
        _text(document, "detail_vi") or _text(document, "error_description_vi") or detail, detail
    )


def _advice(document: dict[str, Any]) -> Text | None:
    error = _text(document, "error")
    if error is not None:
        return BY_OAUTH_ERROR.get(error)
    english = _text(document, "advice")
    return None if english is None else Text(_text(document, "advice_vi") or english, english)


def _text(document: dict[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) and value else None


def _transaction_id(response: httpx.Response, document: dict[str, Any]) -> str | None:
    header: str | None = response.headers.get(TRANSACTION_HEADER)
    if header:
        return header
    return (_text(document, "instance") or "").removeprefix("urn:uuid:") or None


def _mistakes(document: dict[str, Any]) -> list[Mistake]:
    errors = document.get("errors")
    if not isinstance(errors, list):
        return []
    found = []
    for error in errors:
        if isinstance(error, dict):
            english = _text(error, "detail") or ""
            text = Text(_text(error, "detail_vi") or english, english)
            found.append(Mistake(pointer=_text(error, "pointer") or "", detail=text))
    return found


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
