"""Bodies of requests: read up to a limit, their JSON checked before anything else parses it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from lienthong.kit.access import known_caller
from lienthong.kit.body_room import share_of
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import NotJsonError, decode, not_portable
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message

MAX_JSON_BODY: Final = 64 * 1024
"""Bytes of a body that an endpoint declares as a model, where the model names no `max_body` of its own. At
their worst they take some 30 ms to check."""
MAX_MEMBERS: Final = 1_000
"""Members of one object, and entries of one array, in such a body."""
BODY_SECONDS: Final = 120.0
"""For how long a body may be on its way, so that it does not keep its room; the gateway waits for less."""
_LONGEST_PLACE: Final = 300
_LONGEST_LENGTH: Final = 15


class BodyTooLargeError(Exception):
    """The body of a request has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit} bytes")
        self.limit = limit


class BodyIncompleteError(Exception):
    """The caller closed the connection before the body had arrived."""


async def read_body(
    request: Request,
    limit: int,
    *,
    charge: Callable[[int], None] = lambda _: None,
    seconds: float | None = None,
) -> bytes:
    """The whole body of a request, of at most `limit` bytes.

    Before a byte of it is read there is room for all of it: for as many bytes as the request says, and for
    `limit` where it does not say. The room is given back when the request has been answered. `charge` is
    called with the size in bytes: before the body is read, or after that where the request does not say.
    `seconds` is for how long it may be on its way, by default `BODY_SECONDS`.

    Raises:
        BodyTooLargeError: the body is larger, or is said to be; reading stops there.
        BodyIncompleteError: the caller closed the connection before the end.
        ProblemError: 429 `rate-limited` or 503 `busy`, too many bytes of the caller's bodies, or of all, are
            under way; 408 `request-timeout`, it did not come within so many `seconds`; what `charge` raises.
    """
    seconds = BODY_SECONDS if seconds is None else seconds
    said = _said_length(request)
    if said is not None and said > limit:
        raise BodyTooLargeError(limit)
    most = limit if said is None else said
    share = share_of(request.scope)
    caller = known_caller(request)
    share.take("" if caller is None else caller.client_id, most)
    if said is not None:
        charge(said)
    try:
        async with asyncio.timeout(seconds):
            body = await _read(request, most)
    except TimeoutError:
        raise _too_slow(seconds) from None
    share.keep(len(body))
    if said is None:
        charge(len(body))
    return body


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise BodyIncompleteError
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > most:
            raise BodyTooLargeError(most)
        if not message.get("more_body", False):
            # Nearly all bodies come in one piece.
            return bytes(body + chunk) if body else bytes(chunk)
        body += chunk


def _said_length(request: Request) -> int | None:
    """The length of the body in bytes (RFC 9110 §8.6), where the request says it: not one in chunks."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _LONGEST_LENGTH else None


async def with_strict_json(request: Request, limit: int) -> Request:
    """The same request, with a body that is empty or portable JSON of at most `limit` bytes
    and `MAX_MEMBERS` members an object or entries an array.

    FastAPI reads the body that an endpoint declares without any limit, and takes what `json_text` refuses.

    Raises:
        ProblemError: `request-too-large`, `malformed-request`, or one of those of `read_body`.
    """
    try:
        body = await read_body(request, limit)
    except BodyTooLargeError as error:
        text = BilingualText(
            f"At most {error.limit} bytes are read here; this limit is fixed.",
            f"Ở đây chỉ nhận tối đa {error.limit} byte; giới hạn này cố định.",
        )
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


def _too_slow(seconds: float) -> ProblemError:
    text = BilingualText(
        f"The body did not arrive within {seconds:.0f} seconds.",
        f"Nội dung gửi lên không đến đủ trong {seconds:.0f} giây.",
    )
    return ProblemError(general.REQUEST_TIMEOUT, text, {"Connection": "close"})


def _why_refused(body: bytes) -> BilingualText | None:
    try:
        value = decode(body, most_members=MAX_MEMBERS, most_entries=MAX_MEMBERS)
    except NotJsonError as error:
        return error.text
    for path, why in not_portable(value):
        at = shown(pointer(path), _LONGEST_PLACE) or "/"
        return BilingualText(f"{at}: {why.en}", f"{at}: {why.vi}")
    return None
