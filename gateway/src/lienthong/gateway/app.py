"""The way of a call: every request of a caller is taken through the stages, one module each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway import problems
from lienthong.gateway.agreement_use import use_response
from lienthong.gateway.authenticate import SCOPE
from lienthong.gateway.authorize import authorize
from lienthong.gateway.call import MAX_METHOD, Answered, Call
from lienthong.gateway.cors import fields_for_page, is_preflight, preflight_response
from lienthong.gateway.edge import caller_behind
from lienthong.gateway.endless import EndlessAnswers
from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.gateway.limit import refused
from lienthong.gateway.match import (
    OPTIONS,
    allowed_methods,
    match_methods,
    match_operation,
    match_service,
)
from lienthong.gateway.openapi import AUDIT_SCOPE, HEALTH_SCOPE
from lienthong.gateway.own_actors import actor_of
from lienthong.gateway.own_status import status_response
from lienthong.gateway.platform_routes import PlatformRoute
from lienthong.gateway.request_headers import read_headers
from lienthong.gateway.respond import Responder
from lienthong.gateway.response import (
    GatewayResponse,
    ReadyProblem,
    WholeResponse,
    document_response,
    methods_response,
    problem_response,
)
from lienthong.gateway.shaping.shaper import Shaper
from lienthong.gateway.soap.match import SoapMatcher
from lienthong.gateway.soap.stated import stated_version
from lienthong.gateway.table import ServiceRoute
from lienthong.gateway.targets import (
    DocumentTarget,
    DoorTarget,
    PersonsTarget,
    PlatformTarget,
    ServiceTarget,
    StatusTarget,
    UseTarget,
)
from lienthong.gateway.via import Via
from lienthong.gateway.xroad.dialect import dialect_of
from lienthong.gateway.xroad.faults import fault_response
from lienthong.gateway.xroad.visit import Asked
from lienthong.kit.dpop import NONCE_HEADER
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems.load import charge
from lienthong.kit.rates import RateLimit, TokenBuckets, network_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from lienthong.gateway.authenticate import Authenticator
    from lienthong.gateway.call import Outcome, Permit
    from lienthong.gateway.digests import WantedDigests
    from lienthong.gateway.figures import CallFigures
    from lienthong.gateway.forward import Forwarder
    from lienthong.gateway.http1.head import Unreadable
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.idempotency.stage import IdempotentForwarder
    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.live import Live
    from lienthong.gateway.operations import OperationRoute
    from lienthong.gateway.person_search import PersonSearch
    from lienthong.gateway.platform_routes import OwnRoute
    from lienthong.gateway.policy import Grant
    from lienthong.gateway.record import Recorder
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.shaping.looking import Looking
    from lienthong.gateway.spans import Spans
    from lienthong.gateway.targets import ForwardTarget
    from lienthong.gateway.xroad.answers import Answers
    from lienthong.gateway.xroad.door import XRoadDoor
    from lienthong.kit.clock import Clock
    from lienthong.kit.dpop_nonces import Nonces
    from lienthong.kit.ids import NewId
    from lienthong.kit.tokens import AccessToken

POST: Final = "POST"
_DPOP_NONCE: Final = field_prefix(NONCE_HEADER.lower().encode())
_NO_TOKEN: Final = ReadyProblem(problems.no_token())

_log = structlog.get_logger(__name__)


class Gateway:
    """Serves calls, given everything they need."""

    def __init__(
        self,
        live: Live,
        platform: Mapping[bytes, OwnRoute],
        door: XRoadDoor,
        answers: Answers,
        persons: PersonSearch,
        forwarder: Forwarder,
        idempotent: IdempotentForwarder,
        recorder: Recorder,
        settings: GatewaySettings,
        figures: CallFigures,
        limiter: Limiter,
        nonces: Nonces,
        looking: Looking,
        *,
        clock: Clock,
        new_id: NewId,
        spans: Spans | None = None,
    ) -> None:
        self._live = live
        self._platform = platform
        self._door, self._answers, self._persons = door, answers, persons
        self._forwarder = forwarder
        self._idempotent = idempotent
        self._shaper = Shaper(settings, figures.checks, looking)
        self._recorder = recorder
        self.endless = EndlessAnswers(live, recorder, clock, settings)
        """The answers that pass as they come; they have to be looked at beside the calls."""
        self._responder = Responder(recorder, self.endless, clock, settings)
        self._max_header_bytes = settings.gateway_max_header_bytes
        self._soap = SoapMatcher(settings.gateway_caller_timeout_s)
        self._max_request_bytes = settings.gateway_max_request_bytes
        self._max_headers = settings.gateway_max_headers
        self._open = TokenBuckets(
            RateLimit("open", settings.gateway_open_per_s, settings.gateway_open_burst), now=clock.monotonic
        )
        self._via = Via(settings.instance)
        self._now = clock.now
        self._monotonic = clock.monotonic
        self._new_id = new_id
        self._spans = spans
        self._figures = figures
        self._limiter = limiter
        self._nonces = nonces

    async def serve(self, incoming: Incoming) -> None:
        """Serve one request: whatever happens, it is answered if anyone is there, recorded and counted."""
        call = self._received(incoming)
        began = self._monotonic()
        self._figures.active += 1
        span = None
        response: GatewayResponse | None = None
        outcome: Outcome | None = None
        try:
            self._recorder.require_available()
            try:
                headers = self._read(call, incoming)
                span = self._spans.begin(call, headers.traceparent) if self._spans is not None else None
                response = await self._stages(call, headers, incoming)
            except ProblemError as problem:
                response = _refused(call, problem, incoming)
            except (AuditUnavailableError, CallerGoneError):
                raise
            except Exception:  # noqa: BLE001  whatever it is: a response and a record
                _log.exception("call failed", tx=call.tx, service=call.service_id)
                response = _refused(call, problems.internal_error(), incoming)
            if isinstance(call.route, ServiceRoute) and call.route.ending is not None:
                response.fields = call.route.ending.told(response.fields)
            if call.quota is not None:
                response.fields += self._limiter.fields(call.quota, call.received)
            if call.proved_key is not None:
                response.fields += (_DPOP_NONCE, self._nonces.fresh().encode())
            if call.digests is not None:
                _state_digests(call, call.digests, response)
            outcome = await self._responder.respond(call, response, incoming)
        except AuditUnavailableError:
            # Under a name of its own: what may be held of the provider is let go of below.
            refusal = _refused(call, problems.audit_unavailable(), incoming)
            outcome = self._responder.refuse_unrecorded(call, refusal, incoming)
        except CallerGoneError:
            outcome = await self._responder.abandon(call)
        finally:
            if span is not None and self._spans is not None:
                self._spans.end(call, span, outcome)
            if response is not None:
                response.close()
            if call.quota is not None:
                self._limiter.end(call.quota, _body_bytes(call, outcome))
            self._figures.active -= 1
            if call.opened is None:
                took_s = self._monotonic() - began
            else:
                # Of an endless answer: how long it was waited for.
                took_s = max((call.opened - call.received).total_seconds(), 0.0)
            self._figures.end(call, outcome, took_s)

    def cut_off(self) -> None:
        """Note that the gateway is stopped and cuts off the callers that are there still."""
        self._responder.cut_off()

    def unreadable(self, reason: Unreadable) -> tuple[int, Sequence[bytes], bytes]:
        """The answer to what is no request: it has no record of its own, and is counted in the journal."""
        call = Call(self._new_id(), self._now(), "", b"", b"", None)
        response = problem_response(call, problems.unreadable_request())
        self._recorder.count(call, Answered(response.status, call.received, 0, "", response.error))
        del reason
        return response.status, response.fields, response.body

    async def _stages(self, call: Call, headers: RequestHeaders, incoming: Incoming) -> GatewayResponse:
        # One table and one set of keys for the whole call, whatever changes meanwhile.
        table, authenticator = self._live.table, self._live.authenticator
        call.context = headers.context()
        target = match_service(call.path, call.query, table, self._platform)
        call.route = target.route
        if isinstance(target, ServiceTarget):
            origins, soap = target.route.origins, target.route.soap
            if soap is not None and call.method == POST:
                call.soap = stated_version(headers)
            if is_preflight(call, headers):
                return preflight_response(call, headers, origins, allowed_methods(_methods(call, target)))
            if origins is not None:
                call.for_page = fields_for_page(origins, headers.origin)
            methods = _methods(call, target)
            if call.method == OPTIONS and OPTIONS not in methods:
                return methods_response(call, allowed_methods(methods))
            operation = match_operation(methods, call.method)
            if soap is None:
                call.operation = operation
            elif operation is soap.description:
                return await self._describe(call, target, headers, incoming, authenticator)
            if headers.authorization is None and authenticator is not None and soap is None:
                # What a flood is made of is answered with what is ready, without an exception on its way up.
                return _NO_TOKEN.response(call)
            client = self._caller(call, headers, authenticator, SCOPE).client_id
            _note_persons(call, operation, target, headers)
            if soap is not None:
                route = target.route
                limit = route.max_request_bytes or self._max_request_bytes
                call.operation = operation = await self._soap.operation(
                    soap, route.id, call.query, headers, incoming, limit
                )
            permit = self._permit(call, headers, target, operation, client)
            self._limit(call, target.route, permit[2])
            if target.route.write_ahead:
                await self._recorder.intent(call, target.route, permit)
        elif isinstance(target, DocumentTarget):
            return document_response(call, target.route)
        elif isinstance(target, PersonsTarget):
            actor = actor_of(self._caller(call, headers, authenticator, people=True), AUDIT_SCOPE)
            return await self._persons.answer(call, actor, headers, incoming)
        elif isinstance(target, StatusTarget):
            actor = actor_of(self._caller(call, headers, authenticator, people=True), HEALTH_SCOPE)
            return await status_response(call, actor, target.route)
        elif isinstance(target, DoorTarget):
            return await self._through(call, target, headers, incoming, authenticator)
        elif isinstance(target, UseTarget):
            actor = actor_of(self._caller(call, headers, authenticator, people=True))
            return use_response(call, actor, target.table, self._limiter)
        elif target.route.authenticates and headers.authorization is not None:
            # What is forwarded was read and verified here: nobody is let in whom the record does not name.
            self._caller(call, headers, authenticator, people=True)
        else:
            charge(self._open, network_of(call.ip))
        return await self._forward(call, target, headers, incoming)

    def _forward(
        self, call: Call, target: ForwardTarget, headers: RequestHeaders, incoming: Incoming
    ) -> Awaitable[GatewayResponse]:
        """The stages that get the answer: forward, and shape where something of the call is read."""
        grant, operation = call.grant, call.operation
        fields = grant.fields if grant is not None else None
        if operation is not None and isinstance(target, ServiceTarget):
            # A kept answer is shaped like any other: what is agreed may have changed.
            forwarder = self._forwarder if target.route.repeatable is None else self._idempotent
            if fields is not None or operation.is_inspected:
                return self._shaper.forward(forwarder, call, target, operation, fields, headers, incoming)
            if target.route.repeatable is not None:
                return self._idempotent.forward(call, target, headers, incoming)
        return self._forwarder.forward(call, target, headers, incoming)

    async def _describe(
        self,
        call: Call,
        target: ServiceTarget,
        headers: RequestHeaders,
        incoming: Incoming,
        authenticator: Authenticator | None,
    ) -> GatewayResponse:
        """Answer with the WSDL document of a service of SOAP, which the catalog has."""
        route = self._platform[b"catalog"]
        if not isinstance(route, PlatformRoute):
            raise problems.unknown_path()
        call.route = route
        if headers.authorization is not None:
            self._caller(call, headers, authenticator)
        else:
            charge(self._open, network_of(call.ip))
        document = PlatformTarget(route, b"/catalog/v1/services/" + target.route.id.encode() + b"/wsdl")
        return await self._forwarder.forward(call, document, headers, incoming)

    async def _through(
        self,
        call: Call,
        target: DoorTarget,
        headers: RequestHeaders,
        incoming: Incoming,
        authenticator: Authenticator | None,
    ) -> GatewayResponse:
        """The same stages, between a door's two translations."""
        visit = self._door.enter(call, target.table, headers, incoming, authenticator)
        if isinstance(visit, Asked):
            return self._door.leave(call, visit, await self._answers.answer(call, visit), incoming)
        call.route = route = visit.target.route
        call.operation = operation = match_operation(match_methods(visit.target), call.method)
        _note_persons(call, operation, visit.target, visit.headers)
        call.grant = grant = self._door.authorize(call, visit, operation)
        self._limit(call, route, grant)
        if route.write_ahead:
            await self._recorder.intent(call, route, (operation, visit.system.id, grant))
        response = await self._forward(call, visit.target, visit.headers, incoming)
        return self._door.leave(call, visit, response, incoming)

    def _permit(
        self,
        call: Call,
        headers: RequestHeaders,
        target: ServiceTarget,
        operation: OperationRoute,
        client: str,
    ) -> Permit:
        """The stage that decides whether a call of a provider's operation may be forwarded."""
        purpose = headers.purpose()
        call.grant = grant = authorize(
            target, operation, client, purpose, call.context, call.received, bound=call.is_bound
        )
        return operation, client, grant

    def _limit(self, call: Call, route: ServiceRoute, grant: Grant) -> None:
        """The stage that keeps a call within what its agreement may use."""
        if grant.limits is None and route.agreement_limits is None:
            return
        call.quota = quota = self._limiter.admit(
            grant.agreement, grant.limits, route.agreement_limits, call.received
        )
        problem = refused(self._limiter, quota, route.id, call.received)
        if problem is not None:
            raise problem

    def _caller(
        self,
        call: Call,
        headers: RequestHeaders,
        authenticator: Authenticator | None,
        scope: str | None = None,
        *,
        people: bool = False,
    ) -> AccessToken:
        """The stage that finds out who calls, and whether it is let in at all."""
        if authenticator is None:
            raise problems.not_ready(
                "The gateway has no keys that are recent enough to check tokens with.",
                "Cổng chưa có khoá đủ mới để kiểm tra mã truy cập.",
            )
        token = authenticator.authenticate(
            headers, call.received, call.certificate, method=call.method, path=call.path
        )
        call.client, call.token = token.client_id, token
        authenticator.admit(token, scope, people=people)
        return token

    def _received(self, incoming: Incoming) -> Call:
        return Call(
            tx=self._new_id(),
            received=self._now(),
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            ip=incoming.ip,
        )

    def _read(self, call: Call, incoming: Incoming) -> RequestHeaders:
        if len(call.method) > MAX_METHOD:
            raise problems.malformed_request("The method is too long.", "Phương thức quá dài.")
        if incoming.of_edge:
            call.ip, call.certificate = caller_behind(incoming.fields)
        if incoming.flaw is not None:
            raise problems.flawed_request(incoming.flaw)
        target = len(call.path) + len(call.query)
        headers = read_headers(
            incoming.fields, max_bytes=self._max_header_bytes - target, max_count=self._max_headers
        )
        if headers.has_digests:
            call.digests = headers.wanted_digests()
        headers.check_host(required=not incoming.before_1_1)
        headers.check_upgrade()
        self._via.check(headers)
        return headers


def _methods(call: Call, target: ServiceTarget) -> Mapping[str, OperationRoute]:
    """The operations of the path, by their methods; of SOAP there is one for all."""
    soap = target.route.soap
    return match_methods(target) if soap is None else soap.methods(target.route.id, target.path, call.query)


def _state_digests(call: Call, wanted: WantedDigests, response: GatewayResponse) -> None:
    """State what the caller wants of an answer that is here as a whole; of others nothing is known yet."""
    if isinstance(response, WholeResponse) and response.body and call.method != "HEAD":
        sha256 = hashlib.sha256(response.body)
        response.sha256 = sha256.hexdigest()
        response.fields += wanted.fields(response.status, response.body, sha256, response.fields)


def _note_persons(
    call: Call, operation: OperationRoute, target: ServiceTarget, headers: RequestHeaders
) -> None:
    """Note the persons that a request names, also of one that is refused to its client; not of strangers',
    who could write what they like into a person's history."""
    if operation.persons is not None:
        call.persons = operation.persons.stated(target.path, call.query, headers)


def _refused(call: Call, problem: ProblemError, incoming: Incoming) -> WholeResponse:
    """The answer to a call that was not fulfilled, in the words of the door that it came through."""
    dialect = dialect_of(call.path)
    if dialect is None:
        return problem_response(call, problem)
    accept = [value for name, value in incoming.fields if name == b"accept"]
    return fault_response(call, problem, dialect, accept)


def _body_bytes(call: Call, outcome: Outcome | None) -> int:
    """The bytes of the bodies of a call, as far as they passed."""
    size = call.body.size if call.body is not None else 0
    return size + outcome.body_bytes if isinstance(outcome, Answered) else size
