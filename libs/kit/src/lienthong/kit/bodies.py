"""Bodies of requests: read up to a limit, their JSON checked before anything else parses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect, Request

from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import NotJsonError, decode, not_portable
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from starlette.types import Message

MAX_JSON_BODY: Final = 64 * 1024
"""Bytes of a body that an endpoint declares as a model, where the model names no `max_body` of its own. At
their worst they take some 30 ms to check."""
MAX_MEMBERS: Final = 1_000
"""Members of one object, and entries of one array, in such a body."""
_LONGEST_PLACE: Final = 300


class BodyTooLargeError(Exception):
    """The body of a request has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit} bytes")
        self.limit = limit


class BodyIncompleteError(Exception):
    """The caller closed the connection before the body had arrived."""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body of a request, of at most `limit` bytes.

    Raises:
        BodyTooLargeError: the body is larger; reading stops there.
        BodyIncompleteError: the caller closed the connection before the end.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise BodyTooLargeError(limit)
    except ClientDisconnect:
        raise BodyIncompleteError from None
    return bytes(body)


async def with_strict_json(request: Request, limit: int) -> Request:
    """The same request, with a body that is empty or portable JSON of at most `limit` bytes
    and `MAX_MEMBERS` members an object or entries an array.

    FastAPI reads the body that an endpoint declares without any limit, and takes what `json_text` refuses.

    Raises:
        ProblemError: `request-too-large`, or `malformed-request`.
    """
    try:
        body = await read_body(request, limit)
    except BodyTooLargeError as error:
        text = BilingualText(f"At most {error.limit} bytes are read.", f"Chỉ nhận tối đa {error.limit} byte.")
        raise ProblemError(general.REQUEST_TOO_LARGE, text) from None
    except BodyIncompleteError:
        text = BilingualText("The body is not complete.", "Nội dung gửi lên không đầy đủ.")
        raise ProblemError(general.MALFORMED_REQUEST, text) from None
    if body and (why := _why_refused(body)):
        text = BilingualText(f"The body cannot be read: {why.en}.", f"Không đọc được nội dung: {why.vi}.")
        raise ProblemError(general.MALFORMED_REQUEST, text)
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return parts.pop() if parts else await request.receive()

    return Request(request.scope, receive)


def _why_refused(body: bytes) -> BilingualText | None:
    try:
        value = decode(body, most_members=MAX_MEMBERS, most_entries=MAX_MEMBERS)
    except NotJsonError as error:
        return error.text
    for path, why in not_portable(value):
        at = shown(pointer(path), _LONGEST_PLACE) or "/"
        return BilingualText(f"{at}: {why.en}", f"{at}: {why.vi}")
    return None
