"""Calls of services, and any other request to the gateway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lienthong.client.answers import Answer
from lienthong.client.errors import InputError, Text
from lienthong.client.operations.operation import EMPTY, Operation, json_bytes
from lienthong.client.problems import TRANSACTION_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx


def call(
    service_id: str,
    method: str,
    path: str,
    *,
    purpose: str | None = None,
    case: str | None = None,
    user: str | None = None,
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Operation[Answer]:
    """A call of a service through the gateway; purpose, case and user go into the audit record."""
    said = {"LGSP-Purpose": purpose, "LGSP-Case-Id": case, "LGSP-User": user}
    return request(
        method,
        f"/api/{service_id.strip('/')}/{path.removeprefix('/')}",
        params=params,
        content=content,
        headers={**(headers or {}), **{name: value for name, value in said.items() if value is not None}},
    )


def request(
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Operation[Answer]:
    """Any request to the gateway, by its path (which may hold a query).

    Raises `InputError` where the path has `.` or `..` in it: a value that was put into a path unencoded would
    lead the call elsewhere.
    """
    if any(
        re.sub("%2e", ".", part, flags=re.IGNORECASE) in {".", ".."}
        for part in re.split(r"[/\\]", path.partition("?")[0])
    ):
        raise InputError(
            Text("Đường dẫn có thể hiểu theo nhiều cách", "The path is not normal"),
            Text(f"{path} có đoạn «.» hoặc «..».", f"{path} has a segment '.' or '..'."),
            Text(
                "Mã hoá giá trị trước khi ghép vào đường dẫn.",
                "Encode values before putting them into a path.",
            ),
            code="path-not-normal",
        )
    for name, value in (headers or {}).items():
        _require_header(name, value)
    return Operation(
        method.upper(),
        path,
        answer,
        params=params or EMPTY,
        headers=headers or EMPTY,
        content=content,
        provider_errors=True,
    )


def body(
    document: object, content: bytes | None, headers: Mapping[str, str] | None
) -> tuple[bytes | None, Mapping[str, str] | None]:
    """The bytes and headers of a request that carries either a JSON document or bytes, or neither."""
    if document is None:
        return content, headers
    if content is not None:
        raise InputError(Text("Chỉ nêu json hoặc content, không cả hai", "Give json or content, not both"))
    return json_bytes(document), {"Content-Type": "application/json", **(headers or {})}


def answer(response: httpx.Response) -> Answer:
    """Any answer, with its transaction id."""
    return Answer(
        status=response.status_code,
        headers=response.headers,
        content=response.content,
        transaction_id=response.headers.get(TRANSACTION_HEADER),
    )


def _require_header(name: str, value: str) -> None:
    if not (name + value).isascii() or not (name + value).isprintable():
        raise InputError(
            Text(f"Giá trị của {name} không hợp lệ", f"The value of {name} is not valid"),
            Text(
                "Tiêu đề HTTP chỉ nhận ký tự ASCII in được.",
                "An HTTP header takes printable ASCII characters only.",
            ),
            Text(
                "Dùng mã (ví dụ mã mục đích, mã hồ sơ) thay cho chữ có dấu.",
                "Use a code (of the purpose, of the case) in place of words with diacritics.",
            ),
        )
