"""The stage that finds the operation of a SOAP call: the first element of its Body decides.

A body is read before it is forwarded as far as `BEGINNING_BYTES`, and read again by whoever forwards it.
What comes later is read while it passes: a part that makes another envelope of it does not leave.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.http1.errors import BrokenRequestError, CallerGoneError
from lienthong.gateway.soap.envelope import Envelope
from lienthong.gateway.soap.stated import read_stated
from lienthong.kit.xml_text import NotXmlError

if TYPE_CHECKING:
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.operations import OperationRoute
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.soap.service import SoapService
    from lienthong.gateway.soap.version import SoapVersion

BEGINNING_BYTES: Final = 64 * 1024
"""The element that decides has to be in so many bytes of a body; one that is not longer is read whole."""


class SoapMatcher:
    """Finds the operations of calls; a caller may take `timeout_s` for the beginning of a body."""

    __slots__ = ("_timeout_s",)

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def operation(
        self,
        soap: SoapService,
        service: str,
        query: bytes,
        headers: RequestHeaders,
        incoming: Incoming,
        limit: int,
    ) -> OperationRoute:
        """The operation of a call of `service`, whose bodies have at most `limit` bytes.

        Raises:
            ProblemError: unsupported-media-type, request-too-large, request-timeout; malformed-request (no
                envelope that is taken), unknown-operation, soap-action-mismatch.
            CallerGoneError: the caller went away meanwhile.
        """
        if query:
            raise problems.malformed_request(
                "A SOAP call has no query: its body says what is called.",
                "Lời gọi SOAP không có truy vấn: nội dung cho biết thao tác được gọi.",
            )
        version, actions = read_stated(headers)
        if not headers.chunked and headers.content_length > limit:
            raise problems.request_too_large(limit, service)
        envelope = Envelope()
        passes = False
        try:
            with incoming:
                beginning, complete = await self._beginning(incoming)
            if incoming.gone:
                raise CallerGoneError
            # More may be here already: whether it is must not decide.
            envelope.feed(beginning[:BEGINNING_BYTES])
            late = envelope.element is None and len(beginning) > BEGINNING_BYTES
            if len(beginning) > BEGINNING_BYTES and not late:
                envelope.feed(beginning[BEGINNING_BYTES:])
            if complete and not late:
                envelope.finish()
            operation = _operation(soap, service, envelope, version, actions)
            passes = not complete
        except NotXmlError as reason:
            raise problems.malformed_envelope(reason.text, reason.line) from None
        finally:
            if not passes:
                envelope.close()
        incoming.give_back(beginning, None if complete else _Watch(envelope))
        return operation

    async def _beginning(self, incoming: Incoming) -> tuple[bytes, bool]:
        """The beginning of the body, and whether it is all of it."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._timeout_s):
                while size < BEGINNING_BYTES:
                    part = await incoming.part()
                    if not part:
                        return b"".join(parts), True
                    parts.append(part)
                    size += len(part)
        except TimeoutError:
            raise problems.request_timeout() from None
        except BrokenRequestError as error:
            raise problems.flawed_request(error.flaw) from None
        return b"".join(parts), False


class _Watch:
    """Reads what comes of a body after its beginning, before it leaves."""

    __slots__ = ("_envelope",)

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def __call__(self, part: bytes) -> None:
        """Read the next part; none at the end.

        Raises:
            ProblemError: malformed-request.
        """
        if not part:
            self._envelope.close()
            return
        try:
            self._envelope.feed(part)
        except NotXmlError as reason:
            self._envelope.close()
            raise problems.malformed_envelope(reason.text, reason.line) from None


def _operation(
    soap: SoapService, service: str, envelope: Envelope, version: SoapVersion, actions: list[str]
) -> OperationRoute:
    if envelope.version is not None and envelope.version is not version:
        raise problems.malformed_request(
            f"Content-Type is that of SOAP {version.number}, the Envelope is of {envelope.version.number}.",
            f"Content-Type là của SOAP {version.number}, Envelope lại thuộc {envelope.version.number}.",
        )
    element = envelope.element
    if element is None:
        raise problems.malformed_request(
            f"The first element of the Body is not within the first {BEGINNING_BYTES} bytes.",
            f"Phần tử đầu của Body không nằm trong {BEGINNING_BYTES} byte đầu.",
        )
    found = soap.operation(element)
    if found is None:
        raise problems.unknown_soap_operation(service, element)
    for action in (*actions, *envelope.actions):
        if action and action not in found.actions:
            raise problems.soap_action_mismatch(action, found.route.id)
    return found.route
