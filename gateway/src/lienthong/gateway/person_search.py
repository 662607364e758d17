"""Under which hashes records have a person: answered where the key is, to those who may search the ledger.

The ledger has hashes only, and no key (ADR 0010). Who looks for whom is a matter of the person's too: each
answer is recorded as every call, with the person that was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.body import RequestBody
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.http1.fields import written
from lienthong.gateway.openapi import PERSON_HASHES_PATH
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.persons import Persons, normal_form
from lienthong.gateway.response import WholeResponse
from lienthong.kit.json_text import NotJsonError, decode
from lienthong.kit.policy import Action
from lienthong.kit.problems.load import charge
from lienthong.kit.rates import RateLimit, TokenBuckets

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.privacy import Privacy
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.kit.actors import Actor
    from lienthong.kit.clock import Clock
    from lienthong.kit.problems import ProblemError

_POST: Final = "POST"
_OPERATION: Final = OperationRoute("hashPerson", _POST, PERSON_HASHES_PATH)
_MOST_BYTES: Final = 4096
_MOST_LETTERS: Final = 256


class PersonSearch:
    """Answers `POST /audit/v1/person-hashes`; a client, or a person, may ask so often."""

    def __init__(self, privacy: Privacy, settings: GatewaySettings, clock: Clock) -> None:
        self._privacy = privacy
        self._timeout_s = settings.gateway_caller_timeout_s
        self._bytes_per_s = settings.gateway_caller_bytes_per_s
        self._asked = TokenBuckets(
            RateLimit(
                "person-hashes", settings.gateway_person_hashes_per_s, settings.gateway_person_hashes_burst
            ),
            now=clock.monotonic,
        )

    async def answer(
        self, call: Call, actor: Actor, headers: RequestHeaders, incoming: Incoming
    ) -> WholeResponse:
        """The hashes of the person that the body names, newest key first.

        They are of no agency. Whoever may read the records of any may ask: what is found with them is
        narrowed by the ledger.

        Raises:
            ProblemError: role-required (of people), method-not-allowed, malformed-request, request-timeout,
                rate-limited.
            CallerGoneError: the caller went away meanwhile.
        """
        call.operation = _OPERATION
        if actor.is_person:
            actor.demand_somewhere(Action.READ_RECORDS)
        if call.method != _POST:
            raise problems.method_not_allowed((_POST,))
        charge(self._asked, actor.name)
        person = _named(await self._body(headers, incoming))
        call.persons = persons = Persons()
        persons.add([person])
        content = msgspec.json.encode({"hashes": self._privacy.hashed_ever(normal_form(person))})
        own = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
            (b"cache-control", b"no-store"),
        ]
        return WholeResponse(200, written(own) + call_headers(call), content)

    async def _body(self, headers: RequestHeaders, incoming: Incoming) -> bytes:
        """The body; the call does not have it: its digest, without a key, would give the person away."""
        length = headers.content_length
        if headers.chunked or not 0 < length <= _MOST_BYTES:
            raise _unreadable()
        body = RequestBody(
            incoming, length, length, None, timeout_s=self._timeout_s, bytes_per_s=self._bytes_per_s
        )
        with incoming:
            whole = await body.whole()
        if incoming.gone:
            raise CallerGoneError
        return whole


def _named(body: bytes) -> bytes:
    try:
        document = decode(body)
    except NotJsonError:
        document = None
    value = document.get("value") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(value, str) or len(value) > _MOST_LETTERS:
        raise _unreadable()
    try:
        person = value.encode()
    except UnicodeEncodeError:
        raise _unreadable() from None
    if not normal_form(person):
        raise _unreadable()
    return person


def _unreadable() -> ProblemError:
    return problems.malformed_request(
        f'The body is a JSON object with what names the person: {{"value": "079203001234"}}, at most'
        f" {_MOST_LETTERS} letters, and says its length (Content-Length).",
        f'Nội dung là đối tượng JSON nêu mã của người cần tìm: {{"value": "079203001234"}}, tối đa'
        f" {_MOST_LETTERS} ký tự, và khai báo độ dài (Content-Length).",
    )
