"""Stage 7, shape: only the fields that the agreement names leave of an answer, and calls are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import structlog

from lienthong.gateway.response import WholeResponse
from lienthong.gateway.shaping import problems
from lienthong.gateway.shaping.beside import Beside
from lienthong.gateway.shaping.fields import CONTENT_LENGTH, AnswerFields, asked
from lienthong.gateway.shaping.inspector import Inspector
from lienthong.gateway.shaping.shape import UnfitError
from lienthong.gateway.shaping.shapes import Shapes
from lienthong.gateway.shaping.taking import take_answer

if TYPE_CHECKING:
    from lienthong.gateway.body_checks import CheckCounts
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.operations import OperationRoute
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.shaping.looking import Looking
    from lienthong.gateway.targets import ServiceTarget
    from lienthong.kit.field_paths import FieldTree

_PARTIAL: Final = 206
_WITHOUT_BODY: Final = (204, 304)
_FIRST_ERROR: Final = 400
_PROBLEM: Final = b"application/problem+json"
_MEMBERS_OF_PROBLEMS: Final = ("type", "title", "status", "detail", "instance")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])

_log = structlog.get_logger(__name__)


class Forwards(Protocol):
    """Forwards a call; `Forwarder` does."""

    async def forward(
        self, call: Call, target: ServiceTarget, headers: RequestHeaders, incoming: Incoming, /
    ) -> GatewayResponse:
        """Forward the request and take the response."""
        ...


class Shaper:
    """Forwards the calls of which something is read, and shapes answers where the agreement says what leaves.

    What the agreement's fields are taken from has to be here as a whole, as nothing of it may leave before it
    is known to be what it says it is.
    """

    def __init__(self, settings: GatewaySettings, counts: CheckCounts, looking: Looking) -> None:
        self._beside = Beside()
        self._shapes = Shapes()
        self._inspector = Inspector(settings, counts, looking, self._beside)
        self._limit = settings.gateway_shaped_answer_bytes

    async def forward(
        self,
        forwarder: Forwards,
        call: Call,
        target: ServiceTarget,
        operation: OperationRoute,
        fields: FieldTree | None,
        headers: RequestHeaders,
        incoming: Incoming,
    ) -> GatewayResponse:
        """Forward the request; what leaves of the response is what `fields` name, None: all of it.

        Raises:
            ProblemError: those of the forwarder and the inspector; answer-not-shapable, answer-too-large.
            CallerGoneError: the caller went away meanwhile.
        """
        route = target.route
        await self._inspector.request(call, target, operation, headers, incoming)
        if fields is not None or operation.reads_answers:
            headers.passed = asked(headers.passed)
        response = await forwarder.forward(call, target, headers, incoming)
        try:
            response = await self._inspector.answer(call, route, operation, response, incoming)
            if fields is None:
                return response
            shaped_response = await self._shaped(call, route.id, fields, response, incoming)
        except BaseException:
            response.close()
            raise
        response.close()
        return shaped_response

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
            else:
                body, call.fields_removed = await self._beside.run(
                    document, self._shapes.of(tree).shaped, document
                )
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
        response = await take_answer(response, incoming, self._limit)
        if not isinstance(response, WholeResponse) or len(response.body) > self._limit:
            raise _TooLargeError
        return response.body


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
