"""Whether a call is really that of the system which it names as its client.

X-Road trusts whoever reaches a security server's port, by the connection type of the subsystem. Here the type
stands in the system's manifest, and what a network proves also needs the operator's trust in that network.
"""

from __future__ import annotations

import base64
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import msgspec

from lienthong.gateway.authenticate import SCOPE
from lienthong.gateway.xroad import refusals
from lienthong.gateway.xroad.systems import Connection
from lienthong.kit.addresses import embedded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.authenticate import Authenticator
    from lienthong.gateway.call import Call
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.xroad.systems import XRoadSystem
    from lienthong.kit.addresses import IpNetwork
    from lienthong.kit.tokens import AccessToken

_JWT_PARTS: Final = 3


class CallerProof:
    """Finds out who calls. `trusted` are the networks in which the operator believes what clients say."""

    def __init__(self, trusted: Sequence[IpNetwork]) -> None:
        self._trusted = tuple(trusted)

    def prove(
        self, call: Call, system: XRoadSystem, headers: RequestHeaders, authenticator: Authenticator
    ) -> bool:
        """Note in `call` that the system has proved itself; whether its Authorization goes to the provider.

        An access token always does, and is then no one else's; what else stands in Authorization is the
        provider's.

        Raises:
            ProblemError: no-token, token-refused, certificate-mismatch, dpop-proof-refused,
                dpop-nonce-required, insufficient-scope, client-suspended, client-not-proven.
        """
        authorization = headers.authorization
        match system.connection:
            case Connection.BEARER:
                self._by_token(call, system, headers, authenticator)
                return False
            case Connection.HTTP:
                if authorization is not None and _is_issued_by(authenticator.keys.issuer, authorization):
                    self._by_token(call, system, headers, authenticator)
                    return False
                self.check_network(call, system.id, system.networks)
            case Connection.CERTIFICATE:
                self._check_certificate(call, system)
                if authorization is not None and _is_issued_by(authenticator.keys.issuer, authorization):
                    self._by_token(call, system, headers, authenticator)
                    return False
            case _:
                raise refusals.unknown_connection(system.id)
        call.client = system.id
        authenticator.check_standing(system.id, None)
        return authorization is not None

    def check_network(self, call: Call, client: str, networks: Sequence[IpNetwork]) -> None:
        """Refuse a call from elsewhere than from these networks, as far as the operator trusts them.

        Raises:
            ProblemError: client-not-proven.
        """
        if not (_is_within(call.ip, networks) and _is_within(call.ip, self._trusted)):
            raise refusals.network_not_trusted(client, call.ip)

    def _check_certificate(self, call: Call, system: XRoadSystem) -> None:
        """Refuse a call whose caller did not show one of the system's certificates at the edge."""
        if call.certificate is None:
            raise refusals.no_certificate(system.id)
        if call.certificate.sha256 not in system.certificates:
            raise refusals.not_its_certificate(system.id, call.certificate.sha256)
        if call.passage is not None:
            call.passage.certificate_proves = True

    def admit_anyone(self, call: Call, headers: RequestHeaders, authenticator: Authenticator) -> None:
        """Let in whoever has an access token, shows a certificate that the edge has checked, or calls from a
        network that the operator trusts.

        Raises:
            ProblemError: no-token, token-refused, certificate-mismatch, dpop-proof-refused,
                dpop-nonce-required, insufficient-scope, client-suspended.
        """
        shows = call.certificate is not None or _is_within(call.ip, self._trusted)
        if headers.authorization is None and shows:
            return
        token = _token(call, headers, authenticator)
        call.client, call.token = token.client_id, token
        authenticator.admit(token, SCOPE)

    def _by_token(
        self, call: Call, system: XRoadSystem, headers: RequestHeaders, authenticator: Authenticator
    ) -> None:
        token = _token(call, headers, authenticator)
        call.client, call.token = token.client_id, token
        authenticator.admit(token, SCOPE)
        if token.client_id != system.id:
            raise refusals.not_that_client(system.id, token.client_id)


def _token(call: Call, headers: RequestHeaders, authenticator: Authenticator) -> AccessToken:
    return authenticator.authenticate(
        headers, call.received, call.certificate, method=call.method, path=call.path
    )


def _is_issued_by(issuer: str, authorization: bytes) -> bool:
    """Whether it holds a JWT that says it is of this issuer, good or not: no provider gets to see it."""
    _, _, token = authorization.partition(b" ")
    parts = token.strip().split(b".")
    if len(parts) != _JWT_PARTS:
        return False
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + b"=="))
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return False
    return isinstance(claims, dict) and claims.get("iss") == issuer


def _is_within(ip: str | None, networks: Sequence[IpNetwork]) -> bool:
    if ip is None:
        return False
    try:
        address = embedded(ip_address(ip.partition("%")[0]))
    except ValueError:
        return False
    return any(network.version == address.version and address in network for network in networks)
