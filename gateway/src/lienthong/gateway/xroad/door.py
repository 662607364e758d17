"""X-Road's and GovStack's door: a translation in front of the stages of a call, and behind them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.authorize import authorize
from lienthong.gateway.context import CallContext
from lienthong.gateway.field_names import plain
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.passage import Passage
from lienthong.gateway.targets import ServiceTarget
from lienthong.gateway.xroad import refusals
from lienthong.gateway.xroad.dialect import LIST_CLIENTS, XROAD, dialect_of, is_list_clients
from lienthong.gateway.xroad.ids import ClientId, IdError, ServiceId, client_id, parts_of
from lienthong.gateway.xroad.metadata import SERVICES
from lienthong.gateway.xroad.request_hash import head_digest, request_hash
from lienthong.gateway.xroad.stated import DOORS_OWN, ID, for_provider, stated, user_of
from lienthong.gateway.xroad.systems import xroad_system
from lienthong.gateway.xroad.visit import Asked, Visit
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from lienthong.gateway.authenticate import Authenticator
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.policy import Grant
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.table import RoutingTable
    from lienthong.gateway.xroad.callers import CallerProof
    from lienthong.gateway.xroad.dialect import Dialect
    from lienthong.gateway.xroad.stated import Stated
    from lienthong.gateway.xroad.systems import XRoadSystem

_SERVICE_PARTS: Final = 5
_AUTHORIZATION: Final = field_prefix(b"authorization")
_ID: Final = field_prefix(ID)
_CLIENT: Final = field_prefix(b"x-road-client")
_SERVICE: Final = field_prefix(b"x-road-service")
_REQUEST_ID: Final = field_prefix(b"x-road-request-id")
_REQUEST_HASH: Final = field_prefix(b"x-road-request-hash")
_PURPOSE_LACKS: Final = ("purpose-not-in-agreement", "missing-header")


class XRoadDoor:
    """Translates calls for one installation, X-Road's `instance`."""

    def __init__(self, instance: str, proof: CallerProof) -> None:
        self._instance = instance
        self._proof = proof

    def enter(
        self,
        call: Call,
        table: RoutingTable | None,
        headers: RequestHeaders,
        incoming: Incoming,
        authenticator: Authenticator | None,
    ) -> Visit | Asked:
        """Read a call: whose it is, and which service it is for. The caller has proved itself then.

        Raises:
            ProblemError: unknown-path, not-ready, malformed-request, invalid-client-identifier,
                invalid-security-server, unknown-member, unknown-service, service-of-soap, and those of
                `CallerProof.prove`.
        """
        dialect = dialect_of(call.path)
        if dialect is None:
            raise problems.unknown_path()
        if table is None or authenticator is None:
            raise problems.not_ready(
                "The gateway has no routing table or no keys that are recent enough.",
                "Cổng chưa có bảng định tuyến hoặc khoá đủ mới.",
            )
        call.passage = passage = Passage(dialect.name)
        told = stated(incoming.fields, dialect, self._instance)
        made_id = f"{self._instance}-{call.tx}" if told.message_id is None else None
        passage.message_id = message_id = made_id or told.message_id
        passage.represented = told.represented
        call.context = _context(told, call.context)
        head: bytes | None = None
        if dialect is XROAD and message_id is not None:
            passage.fields += (_ID, message_id.encode())
            passage.body_digest = hashlib.sha512()
            head = head_digest(call.method, call.path + call.query, incoming.head, call.tx, made_id)
        if is_list_clients(call.path, dialect):
            return self._list_clients(call, table, headers, incoming, authenticator, dialect, head)
        client = self._client(told, dialect)
        service, path = _service(call.path, dialect)
        if dialect is XROAD:
            passage.fields += (_CLIENT, client.encoded, _SERVICE, service.encoded)
        system = self._system(table, client)
        passes = self._proof.prove(call, system, headers, authenticator)
        self._system(table, service.provider)
        if service.service in SERVICES and call.method == "GET" and path == b"/":
            call.operation = OperationRoute(service.service, "GET", f"/{service.service}")
            return Asked(
                service.service, dialect, table, system.id, service.provider, head, accepts_json=True
            )
        route = table.service(service.service_id.encode())
        if route is None:
            raise problems.unknown_service(service.service_id)
        if route.soap is not None:
            # Its rights are by the operation that a Body says, which X-Road's REST protocol has no word for.
            raise refusals.not_by_rest(service.service_id)
        passage.prefix = dialect.base + service.encoded
        own = _for_provider(call, told, client, dialect)
        if passes and headers.authorization is not None:
            own += (_AUTHORIZATION, headers.authorization)
        translated = headers.translated(for_provider(headers.passed, own))
        return Visit(dialect, system, ServiceTarget(table, route, path), translated, head)

    def authorize(self, call: Call, visit: Visit, operation: OperationRoute) -> Grant:
        """The stage that decides, for a caller that has no word for a purpose.

        The purpose is that of the agreement where it has only one, else the one that the system's manifest
        names for its calls.

        Raises:
            ProblemError: those of `authorize`.
        """
        client, named, purpose = visit.system.id, visit.system.purpose, visit.headers.purpose()
        try:
            return authorize(
                visit.target,
                operation,
                client,
                purpose,
                call.context,
                call.received,
                bound=call.is_bound,
            )
        except ProblemError as refusal:
            if purpose is not None or named is None or refusal.code not in _PURPOSE_LACKS:
                raise
        return authorize(
            visit.target, operation, client, named, call.context, call.received, bound=call.is_bound
        )

    def leave(
        self, call: Call, visit: Visit | Asked, response: GatewayResponse, incoming: Incoming
    ) -> GatewayResponse:
        """Say the provider's answer in the door's words; what it says itself in them does not pass."""
        passage = call.passage
        if passage is None or visit.head is None:
            return response
        fields = response.fields
        kept: list[bytes] = []
        for at in range(0, len(fields), 2):
            if plain(fields[at][2:-2]) not in DOORS_OWN:
                kept += fields[at : at + 2]
        kept += passage.fields
        kept += (_REQUEST_ID, call.tx.encode())
        if incoming.body_read:
            # Else the provider answered before it had the whole request, and there is no hash of it.
            has_body = call.body is not None and call.body.size > 0
            kept += (_REQUEST_HASH, request_hash(visit.head, passage.body_digest if has_body else None))
        response.fields = kept
        return response

    def _list_clients(
        self,
        call: Call,
        table: RoutingTable,
        headers: RequestHeaders,
        incoming: Incoming,
        authenticator: Authenticator,
        dialect: Dialect,
        head: bytes | None,
    ) -> Asked:
        """The one metadata service that belongs to no subsystem, and whose client need not say who it is."""
        what = LIST_CLIENTS.decode()
        if call.method != "GET":
            raise refusals.metadata_only_by_get(what)
        self._proof.admit_anyone(call, headers, authenticator)
        call.operation = OperationRoute(what, "GET", f"/{what}")
        json = any(name == b"accept" and b"application/json" in value for name, value in incoming.fields)
        nobody = ClientId(["", "", ""])
        return Asked(what, dialect, table, "", nobody, head, accepts_json=json)

    def _client(self, told: Stated, dialect: Dialect) -> ClientId:
        field = dialect.client_fields[0].decode().title()
        if told.client is None:
            raise refusals.no_client_identifier(field)
        try:
            return client_id(told.client)
        except IdError:
            raise refusals.malformed_client_identifier(field) from None

    def _system(self, table: RoutingTable, named: ClientId) -> XRoadSystem:
        """The system that an identifier names, with its instance and its class.

        Raises:
            ProblemError: unknown-member.
        """
        system_id = named.system_id
        if system_id is not None and named.instance == self._instance:
            system = xroad_system(table, system_id)
            if system is not None and system.member_class == named.member_class:
                return system
        raise refusals.unknown_member(str(named))


def _service(path: bytes, dialect: Dialect) -> tuple[ServiceId, bytes]:
    """The service that a path names, and the part of the path that is the provider's."""
    segments = path[len(dialect.base) :].split(b"/", _SERVICE_PARTS)
    try:
        parts = parts_of(b"/".join(segments[:_SERVICE_PARTS]), _SERVICE_PARTS, _SERVICE_PARTS)
    except IdError:
        raise refusals.not_a_service_path(dialect.base.decode()) from None
    return ServiceId(parts), b"/" + segments[_SERVICE_PARTS] if len(segments) > _SERVICE_PARTS else b"/"


def _context(told: Stated, native: CallContext) -> CallContext:
    """What the caller states in X-Road's words, else in our own."""
    if told.issue is None and told.user is None:
        return native
    return CallContext(
        told.issue if told.issue is not None else native.case,
        user_of(told.user) if told.user is not None else native.user,
    )


def _for_provider(call: Call, told: Stated, client: ClientId, dialect: Dialect) -> list[bytes]:
    """What a provider hears in the door's words; in ours it hears the same."""
    if dialect is not XROAD:
        return [field_prefix(dialect.client_fields[0]), client.encoded]
    passage = call.passage
    own = [_CLIENT, client.encoded, _REQUEST_ID, call.tx.encode()]
    for name, value in told.raw.items():
        own += (field_prefix(name), value)
    if told.message_id is None and passage is not None and passage.message_id is not None:
        own += (_ID, passage.message_id.encode())
    return own
