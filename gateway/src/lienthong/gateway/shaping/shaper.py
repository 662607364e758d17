"""Stage 7, shape: only the fields that the agreement names leave of an answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.response import WholeResponse
from lienthong.gateway.shaping import problems
from lienthong.gateway.shaping.fields import CONTENT_LENGTH, AnswerFields, asked
from lienthong.gateway.shaping.shape import UnfitError, shaped

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.forward import Forwarder
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.targets import ForwardTarget
    from lienthong.kit.field_paths import FieldTree

INLINE_BYTES: Final = 64 * 1024
"""Larger documents are shaped beside the loop: calls of others go on meanwhile."""
_PARTIAL: Final = 206
_WITHOUT_BODY: Final = (204, 304)
_FIRST_ERROR: Final = 400
_PROBLEM: Final = b"application/problem+json"
_MEMBERS_OF_PROBLEMS: Final = ("type", "title", "status", "detail", "instance")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])

_log = structlog.get_logger(__name__)


class Shaper:
    """Forwards the calls whose agreements say what leaves, and shapes their answers.

    `limit` is the largest answer in bytes that can be shaped: it has to be here as a whole, as nothing of it
    may leave before it is known to be what it says it is.
    """

    def __init__(self, forwarder: Forwarder, limit: int) -> None:
        self._forwarder = forwarder
        self._limit = limit
        self._beside = ThreadPoolExecutor(1, "shaping")

    async def forward(
        self, call: Call, target: ForwardTarget, tree: FieldTree, headers: RequestHeaders, incoming: Incoming
    ) -> WholeResponse:
        """Forward the request, and take what leaves of the response.

        Raises:
            ProblemError: those of the forwarder; answer-not-shapable, answer-too-large.
            CallerGoneError: the caller went away meanwhile.
        """
        headers.passed = asked(headers.passed)
        response = await self._forwarder.forward(call, target, headers, incoming)
        try:
            return await self._shaped(call, target.route.id, tree, response, incoming)
        finally:
            response.close()

    async def _shaped(
        self, call: Call, service: str, tree: FieldTree, response: GatewayResponse, incoming: Incoming
    ) -> WholeResponse:
        status, dated = response.status, response.dated
        answer = AnswerFields(response.fields)
        call.fields_removed = 0
        if call.method == "HEAD" or status in _WITHOUT_BODY:
            return WholeResponse(status, answer.fields, b"", dated=dated)
        if isinstance(response, WholeResponse) and not response.body:
            return WholeResponse(status, [*answer.fields, CONTENT_LENGTH, b"0"], b"", dated=dated)
        fields = answer.fields
        try:
            _check(answer, status)
            document = await self._whole(response, incoming)
            if answer.media_type == _PROBLEM and status >= _FIRST_ERROR:
                body, call.fields_removed = _problem(document)
            elif len(document) <= INLINE_BYTES:
                body, call.fields_removed = shaped(document, tree)
            else:
                loop = asyncio.get_running_loop()
                body, call.fields_removed = await loop.run_in_executor(self._beside, shaped, document, tree)
        except (UnfitError, _TooLargeError) as error:
            _log.warning("answer not shaped", tx=call.tx, service=service, status=status, cause=str(error))
            if 200 <= status < 300:
                if isinstance(error, _TooLargeError):
                    raise problems.answer_too_large(self._limit) from None
                raise problems.answer_not_shapable() from None
            # What went wrong at the provider is known from the status: nothing else leaves.
            body, fields, call.fields_removed = b"", answer.without_type(), 1
        return WholeResponse(status, [*fields, CONTENT_LENGTH, b"%d" % len(body)], body, dated=dated)

    async def _whole(self, response: GatewayResponse, incoming: Incoming) -> bytes:
        if isinstance(response, WholeResponse):
            if len(response.body) > self._limit:
                raise _TooLargeError
            return response.body
        parts = [response.beginning]
        size = len(response.beginning)
        with incoming:
            while size <= self._limit:
                try:
                    part = await anext(response.rest)
                except StopAsyncIteration:
                    break
                parts.append(part)
                size += len(part)
        if incoming.gone:
            raise CallerGoneError
        if size > self._limit:
            raise _TooLargeError
        return b"".join(parts)


class _TooLargeError(Exception):
    """The answer is larger than can be shaped."""


def _check(answer: AnswerFields, status: int) -> None:
    if not answer.is_json:
        raise UnfitError("it is not said to be JSON")
    if answer.coded:
        raise UnfitError("its content is coded, though nobody asked for that")
    if status == _PARTIAL:
        raise UnfitError("it is a part, though nobody asked for one")


def _problem(document: bytes) -> tuple[bytes, int]:
    """What leaves of the provider's own problem document: the words and numbers of RFC 9457 section 3.1."""
    try:
        document.decode()
        members = _members.decode(document)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        raise UnfitError("it is not JSON") from None
    left = {
        name: members[name]
        for name in _MEMBERS_OF_PROBLEMS
        if name in members and not bytes(members[name]).startswith((b"{", b"["))
    }
    return msgspec.json.encode(left), len(members) - len(left)
