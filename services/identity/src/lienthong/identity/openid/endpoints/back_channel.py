"""What applications ask without a browser: pushed requests (RFC 9126), introspection (RFC 7662), revocation
(RFC 7009), and who has signed in (OpenID Connect Core §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.domain.token_request import FORM
from lienthong.identity.endpoints import answered, read_proof, with_form
from lienthong.identity.errors import TokenError
from lienthong.identity.openid.domain.requests import REQUEST_LIFETIME
from lienthong.identity.openid.schemas import IntrospectionDocument, PersonDocument, PushedDocument
from lienthong.identity.openid.service.authorizations import Authorizations
from lienthong.identity.openid.service.standing import Standing
from lienthong.identity.schemas import TokenErrorDocument
from lienthong.identity.service.client_authentication import ClientAuthentication, database_failed
from lienthong.identity.settings import INTROSPECT_PATH, PAR_PATH, REVOKE_PATH, USERINFO_PATH
from lienthong.kit.access import Access
from lienthong.kit.bearer import authorization_of, check_scheme, credentials
from lienthong.kit.direct import DirectRoute
from lienthong.kit.dpop import HEADER as DPOP_HEADER
from lienthong.kit.dpop import Proof, ProofReader, ProofRefusedError
from lienthong.kit.openapi import BEARER, Responses, answer, problems, struct_schema
from lienthong.kit.problems import CLIENT_HEADER, general
from lienthong.kit.problems.callers import proof_refused
from lienthong.kit.rates import TokenBuckets
from lienthong.kit.rest import StrictRoute
from lienthong.kit.sender import check_certificate
from lienthong.kit.shown import ShownField
from lienthong.kit.tokens import AccessToken

_JSON: Final = "application/json"
_REFUSALS: Final = {
    400: "The request is refused, or the client is suspended or no application.",
    401: "The client is not authenticated.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    429: "The client asks more often than it may.",
    503: "The database does not answer, or too many requests are under way.",
}
_TOKEN: Final = {
    "type": "object",
    "required": ["token"],
    "properties": {"token": {"type": "string"}, "token_type_hint": {"type": "string"}},
}
_REQUEST: Final = {
    "type": "object",
    "required": ["response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method"],
    "properties": {
        "response_type": {"const": "code"},
        "redirect_uri": {"type": "string"},
        "scope": {"type": "string", "description": "`openid`, and `profile`, `roles`."},
        "code_challenge": {"type": "string"},
        "code_challenge_method": {"const": "S256"},
        "state": {"type": "string"},
        "nonce": {"type": "string"},
        "prompt": {"enum": ["none", "login"]},
        "max_age": {"type": "string", "description": "Seconds since the person signed in, at most."},
        "login_hint": {"type": "string"},
        "ui_locales": {"type": "string"},
        "id_token_hint": {"type": "string"},
        "dpop_jkt": {"type": "string", "description": "The key that the code is bound to (RFC 9449 §10)."},
    },
}


@dataclass(frozen=True, slots=True)
class BackChannel:
    """What the endpoints use. `requests` limits how often a client may ask here."""

    authentication: ClientAuthentication
    authorizations: Authorizations
    standing: Standing
    requests: TokenBuckets


def routes(parts: BackChannel, certificates: ShownField, proofs: ProofReader) -> APIRouter:
    """Build the routes."""
    router = APIRouter(route_class=StrictRoute, default_response_class=Response, tags=["openid"])

    async def client_of(
        request: Request, form: Mapping[str, str], proof: Proof | None = None
    ) -> RegisteredClient:
        shown = certificates.read(request.scope["headers"])
        return await parts.authentication.authenticate(form, shown, proof, parts.requests)

    async def par(request: Request) -> Response:
        """Push an authorization request (RFC 9126), for a reference that the browser takes along once."""

        async def push(form: Mapping[str, str]) -> Response:
            proof = read_proof(request, proofs, PAR_PATH)
            client = await client_of(request, form, proof)
            key = None if proof is None else proof.key.thumbprint
            with _Refusing(client):
                reference = await parts.authorizations.push(client, form, key)
            document = PushedDocument(reference, int(REQUEST_LIFETIME.total_seconds()))
            nonce = None if proof is None else proofs.fresh_nonce()
            return answered(document, client.client_id, status=201, nonce=nonce)

        return await with_form(request, push)

    async def introspect(request: Request) -> Response:
        """Say what a token is worth at this moment (RFC 7662)."""

        async def look(form: Mapping[str, str]) -> Response:
            client = await client_of(request, form)
            with _Refusing(client):
                found = await parts.standing.introspect(client, form)
            return answered(IntrospectionDocument(**found), client.client_id)

        return await with_form(request, look)

    async def revoke(request: Request) -> Response:
        """Revoke a token, and all that came of the same sign-in (RFC 7009)."""

        async def end(form: Mapping[str, str]) -> Response:
            client = await client_of(request, form)
            with _Refusing(client):
                await parts.standing.revoke(client, form)
            return Response(headers={"Cache-Control": "no-store", CLIENT_HEADER: client.client_id})

        return await with_form(request, end)

    async def userinfo(request: Request) -> Response:
        """Say who has signed in, to the application that has an access token for the person."""
        access: Access = request.app.state.access
        token = await _holder(request, access, certificates, proofs, parts.authentication)
        found = await parts.standing.claims(token)
        headers = {"Cache-Control": "no-store", CLIENT_HEADER: token.client_id}
        return Response(msgspec.json.encode(PersonDocument(**found)), headers=headers, media_type=_JSON)

    documents: tuple[tuple[str, Any, type[msgspec.Struct] | None, int, dict[str, Any]], ...] = (
        (PAR_PATH, par, PushedDocument, 201, _REQUEST),
        (INTROSPECT_PATH, introspect, IntrospectionDocument, 200, _TOKEN),
        (REVOKE_PATH, revoke, None, 200, _TOKEN),
    )
    for path, endpoint, document, status, form in documents:
        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            status_code=status,
            responses=_responses(document, status),
            openapi_extra={"requestBody": {"required": True, "content": {FORM: {"schema": form}}}},
            route_class_override=DirectRoute,
        )
    for method in ("GET", "POST"):
        router.add_api_route(
            USERINFO_PATH,
            userinfo,
            methods=[method],
            name="userinfo" if method == "GET" else "post_userinfo",
            responses=answer(_JSON, struct_schema(PersonDocument), "Who has signed in.")
            | problems(
                general.NO_TOKEN,
                general.TOKEN_REFUSED,
                general.INSUFFICIENT_SCOPE,
                general.CERTIFICATE_MISMATCH,
                general.DPOP_PROOF_REFUSED,
                general.DPOP_NONCE_REQUIRED,
                general.CLIENT_SUSPENDED,
                general.NOT_READY,
            ),
            openapi_extra={"security": [{BEARER: []}]},
        )
    return router


class _Refusing:
    """Names the client, which has proved itself, in what is refused to it afterwards."""

    def __init__(self, client: RegisteredClient) -> None:
        self._client = client

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TokenError):
            error.client_id = self._client.client_id
        elif isinstance(error, SQLAlchemyError | OSError | TimeoutError):
            failed = database_failed(error)
            failed.client_id = self._client.client_id
            raise failed from error


async def _holder(
    request: Request,
    access: Access,
    certificates: ShownField,
    proofs: ProofReader,
    authentication: ClientAuthentication,
) -> AccessToken:
    """The token of a request that comes from whom it is bound to. The gateway passes requests to these
    addresses on as they are, so that proofs are checked here.

    Raises:
        ProblemError: see the responses of the route.
    """
    headers = request.scope["headers"]
    sent = credentials(authorization_of(headers))
    token = access.authenticate(sent.token, with_proof=sent.with_proof)
    bound = token.confirmation
    check_scheme(sent, bound)
    if bound is None:
        return token
    check_certificate(bound, certificates.read(headers))
    if bound.key is not None:
        fresh = proofs.fresh_nonce()
        stated = request.headers.getlist(DPOP_HEADER)
        if not stated:
            raise proof_refused("missing", fresh_nonce=fresh)
        try:
            proof = proofs.read(",".join(stated), method=request.method, path=USERINFO_PATH, token=sent.token)
        except ProofRefusedError as refusal:
            raise proof_refused(refusal.fault, refusal.about, fresh_nonce=fresh) from None
        if not proof.is_signed():
            raise proof_refused("signature", fresh_nonce=fresh)
        if proof.key.thumbprint != bound.key:
            raise proof_refused("key", fresh_nonce=fresh)
        if not await authentication.use_up_proof(proof):
            raise proof_refused("used", fresh_nonce=fresh)
    return token


def _responses(document: type[msgspec.Struct] | None, status: int) -> Responses:
    if document is None:
        responses: Responses = {status: {"description": "The token is worth nothing any more."}}
    else:
        responses = answer(_JSON, struct_schema(document), "The answer.", status=status)
    for refused, description in _REFUSALS.items():
        responses |= answer(_JSON, struct_schema(TokenErrorDocument), description, status=refused)
    return responses | problems(general.INTERNAL_ERROR)
