"""REST: the token endpoint (RFC 6749 §3.2), the key set (RFC 7517) and the metadata (RFC 8414)."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.openapi.models import ParameterInType

from lienthong.identity.domain.scopes import AUDITOR_SCOPES, CONSOLE_SCOPES, OPERATOR_SCOPES, SYSTEM_SCOPES
from lienthong.identity.domain.token_request import (
    ACCESS_TOKEN_TYPE,
    FORM,
    GRANT_TYPES,
    MAX_BODY,
    is_form,
    read_form,
)
from lienthong.identity.errors import (
    ASSERTION_TYPE,
    TokenError,
    no_client_authentication,
    not_a_form,
    parameters_in_address,
    refused_proof,
    several_authentications,
    too_large,
    too_slow,
    unavailable,
)
from lienthong.identity.schemas import KeySetDocument, ServerMetadata, TokenDocument, TokenErrorDocument
from lienthong.identity.service.keyring import Keyring
from lienthong.identity.service.tokens import TokenService
from lienthong.identity.settings import (
    INTROSPECT_PATH,
    PAR_PATH,
    REVOKE_PATH,
    TOKEN_PATH,
    USERINFO_PATH,
    IdentitySettings,
)
from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.direct import DirectRoute
from lienthong.kit.dpop import HEADER as DPOP_HEADER
from lienthong.kit.dpop import NONCE_HEADER, Proof, ProofReader, ProofRefusedError
from lienthong.kit.jwk import ALGORITHMS
from lienthong.kit.openapi import Responses, answer, problems, struct_schema
from lienthong.kit.problems import CLIENT_HEADER, ERROR_HEADER, ProblemError, general
from lienthong.kit.rest import StrictRoute
from lienthong.kit.shown import ShownField

_JSON: Final = "application/json"
_JWKS: Final = "application/jwk-set+json"
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LIMIT_FIELDS: Final = ["Retry-After", "RateLimit-Policy", "RateLimit"]
_PATIENCE: Final = 10.0

_ENDPOINTS: Final = {
    "token_endpoint": TOKEN_PATH,
    "pushed_authorization_request_endpoint": PAR_PATH,
    "userinfo_endpoint": USERINFO_PATH,
    "introspection_endpoint": INTROSPECT_PATH,
    "revocation_endpoint": REVOKE_PATH,
}
"""Endpoints at which clients show certificates."""

_log = structlog.get_logger(__name__)


_FORM_SCHEMA: Final = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": [*GRANT_TYPES]},
        "client_assertion_type": {"const": ASSERTION_TYPE},
        "client_assertion": {
            "type": "string",
            "description": "A JWT signed with the client's private key (RFC 7523 §3), for one request; not "
            "needed with a certificate at the edge that is registered for the client.",
        },
        "scope": {
            "type": "string",
            "description": "Scopes, separated by spaces; by default all allowed ones.",
        },
        "client_id": {
            "type": "string",
            "description": "The same as in the assertion; needed without one.",
        },
        "code": {"type": "string", "description": "What /authorize gave, once; with authorization_code."},
        "redirect_uri": {
            "type": "string",
            "description": "The same as in the pushed request; with authorization_code.",
        },
        "code_verifier": {
            "type": "string",
            "description": "What the challenge of the pushed request was made of (RFC 7636 §4.5).",
        },
        "refresh_token": {"type": "string", "description": "Good once; with refresh_token."},
        "subject_token": {
            "type": "string",
            "description": "A person's access token, with token-exchange (RFC 8693).",
        },
        "subject_token_type": {"const": ACCESS_TOKEN_TYPE},
        "requested_token_type": {"const": ACCESS_TOKEN_TYPE},
        "audience": {
            "type": "string",
            "description": "For whom the token shall be: the platform, as tokens name it in aud.",
        },
        "resource": {"type": "string", "description": "The same, by the public address of the gateway."},
    },
}
_DPOP_PARAMETER: Final = {
    "in": ParameterInType.header,
    "name": DPOP_HEADER,
    "required": False,
    "schema": {"type": "string"},
    "description": "A DPoP proof (RFC 9449 §4) for this request, with a nonce that an answer has given in "
    "DPoP-Nonce; the token is bound to its key.",
}
_REFUSALS: Final = {
    400: "The request, the grant type, the scope or the DPoP proof is refused, the proof needs another "
    "nonce, or the client is suspended.",
    401: "The client is not authenticated.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    429: "The client asks for more tokens than it may.",
    503: "The database does not answer, or too many requests are under way.",
}


def routes(
    settings: IdentitySettings,
    tokens: TokenService,
    keyring: Keyring,
    certificates: ShownField,
    proofs: ProofReader,
) -> APIRouter:
    """Build the routes of this service."""
    router = APIRouter(route_class=StrictRoute, default_response_class=Response)
    metadata = msgspec.json.encode(server_metadata(settings))
    public = {"Cache-Control": f"public, max-age={settings.jwks_max_age}"}

    async def token(request: Request) -> Response:
        """Issue an access token to a client that proves itself with a signed assertion (RFC 7523 §2.2), or
        with a certificate at the edge (RFC 8705 §2). The token is bound to a certificate that was shown, and
        to the key of a DPoP proof (RFC 9449 §5)."""

        async def issue(form: Mapping[str, str]) -> Response:
            proof = read_proof(request, proofs, TOKEN_PATH)
            issued = await tokens.issue(form, certificates.read(request.scope["headers"]), proof)
            document = TokenDocument(
                issued.access_token,
                issued.token_type,
                issued.expires_in,
                issued.scope,
                issued.id_token or msgspec.UNSET,
                issued.refresh_token or msgspec.UNSET,
                issued.issued_type or msgspec.UNSET,
            )
            nonce = None if proof is None else proofs.fresh_nonce()
            return answered(document, issued.client_id, nonce=nonce)

        return await with_form(request, issue)

    # It takes no parameter in its address, and says so as RFC 6749 wants it.
    router.add_api_route(
        "/oauth2/token",
        token,
        methods=["POST"],
        responses=_token_responses(),
        openapi_extra={
            "requestBody": {"required": True, "content": {FORM: {"schema": _FORM_SCHEMA}}},
            "parameters": [_DPOP_PARAMETER],
        },
        route_class_override=DirectRoute,
    )

    key_set = answer(_JWKS, struct_schema(KeySetDocument), "The key set.", headers=["Cache-Control"])

    @router.get("/.well-known/jwks.json", name="well_known_jwks", responses=key_set)
    @router.get("/oauth2/jwks", responses=key_set)
    async def jwks() -> Response:
        """Read the public keys that verify access tokens (RFC 7517)."""
        return Response(keyring.published.jwks, headers=public, media_type=_JWKS)

    described = answer(_JSON, struct_schema(ServerMetadata), "The metadata.", headers=["Cache-Control"])

    # Some client libraries know no other address than OpenID Connect's (RFC 8414 §5).
    @router.get("/.well-known/openid-configuration", name="openid_configuration", responses=described)
    @router.get("/.well-known/oauth-authorization-server", responses=described)
    async def authorization_server() -> Response:
        """Read what this authorization server is called and can do (RFC 8414)."""
        return Response(metadata, headers=public, media_type=_JSON)

    return router


def server_metadata(settings: IdentitySettings) -> ServerMetadata:
    """Describe this authorization server (RFC 8414 §2, OpenID Connect Discovery §3)."""
    edge, issuer = settings.edge, settings.issuer
    methods = ("private_key_jwt", *(["tls_client_auth"] if edge else []))
    return ServerMetadata(
        issuer=settings.issuer,
        token_endpoint=settings.token_endpoint,
        jwks_uri=f"{settings.issuer}/oauth2/jwks",
        grant_types_supported=GRANT_TYPES,
        response_types_supported=("code",),
        token_endpoint_auth_methods_supported=methods,
        token_endpoint_auth_signing_alg_values_supported=ALGORITHMS,
        scopes_supported=(*SYSTEM_SCOPES, *OPERATOR_SCOPES, *AUDITOR_SCOPES, *CONSOLE_SCOPES),
        tls_client_certificate_bound_access_tokens=edge is not None,
        dpop_signing_alg_values_supported=ALGORITHMS,
        pushed_authorization_request_endpoint=f"{issuer}{PAR_PATH}",
        authorization_endpoint=f"{settings.people_url}/authorize",
        end_session_endpoint=f"{settings.people_url}/end-session",
        userinfo_endpoint=f"{issuer}{USERINFO_PATH}",
        introspection_endpoint=f"{issuer}{INTROSPECT_PATH}",
        introspection_endpoint_auth_methods_supported=methods,
        introspection_endpoint_auth_signing_alg_values_supported=ALGORITHMS,
        revocation_endpoint=f"{issuer}{REVOKE_PATH}",
        revocation_endpoint_auth_methods_supported=methods,
        revocation_endpoint_auth_signing_alg_values_supported=ALGORITHMS,
        mtls_endpoint_aliases=(
            {name: f"{edge}{path}" for name, path in _ENDPOINTS.items()}
            if edge not in (None, issuer)
            else msgspec.UNSET
        ),
    )


async def with_form(request: Request, answer: Callable[[Mapping[str, str]], Awaitable[Response]]) -> Response:
    """Answer the form of a client's request; a refusal becomes what RFC 6749 §5.2 says of one."""
    try:
        body = await _read_body(request)
    except TokenError as refusal:
        # The rest of the body, which may have no end, is not read.
        return _refuse(refusal, {"Connection": "close"})
    try:
        return await answer(read_form(body))
    except TokenError as refusal:
        return _refuse(refusal)


def answered(
    document: msgspec.Struct, client_id: str, *, status: int = 200, nonce: str | None = None
) -> Response:
    """A document for a client that has proved itself, which the gateway's record names; nobody keeps it."""
    headers = {**_NO_STORE, CLIENT_HEADER: client_id}
    if nonce is not None:
        headers[NONCE_HEADER] = nonce
    return Response(msgspec.json.encode(document), status_code=status, headers=headers, media_type=_JSON)


def read_proof(request: Request, proofs: ProofReader, path: str) -> Proof | None:
    """The DPoP proof of a client's request (RFC 9449 §5), but for its signature; None without one."""
    stated = request.headers.getlist(DPOP_HEADER)
    if not stated:
        return None
    try:
        return proofs.read(",".join(stated), method="POST", path=path)
    except ProofRefusedError as refusal:
        raise refused_proof(refusal.fault, refusal.about, fresh_nonce=proofs.fresh_nonce()) from refusal


def _token_responses() -> Responses:
    responses = answer(
        _JSON,
        struct_schema(TokenDocument),
        "The token. Beside a proof DPoP-Nonce has the nonce for the next one, here as in refusals.",
        headers=[*_NO_STORE],
    )
    for status, description in _REFUSALS.items():
        names = [*_NO_STORE, ERROR_HEADER]
        names += {
            401: ["WWW-Authenticate"],
            429: _LIMIT_FIELDS,
            503: ["Retry-After"],
        }.get(status, [])
        responses |= answer(
            _JSON, struct_schema(TokenErrorDocument), description, status=status, headers=names
        )
    return responses | problems(general.INTERNAL_ERROR)


async def _read_body(request: Request) -> bytes:
    if request.scope["query_string"]:
        raise parameters_in_address()
    if not is_form(request.headers.get("content-type", "")) or "content-encoding" in request.headers:
        raise not_a_form()
    try:
        body = await read_body(request, MAX_BODY, seconds=_PATIENCE)
    except BodyIncompleteError as error:
        raise too_slow() from error
    except BodyTooLargeError as error:
        raise too_large(error.limit) from None
    except ProblemError as refusal:
        raise too_slow() if refusal.code == general.REQUEST_TIMEOUT.code else unavailable() from None
    if "authorization" in request.headers:
        authorizations = request.headers.getlist("authorization")
        if len(authorizations) > 1 or b"client_assertion=" in body:
            raise several_authentications()
        raise no_client_authentication(_scheme(authorizations[0]))
    return body


def _scheme(authorization: str) -> str:
    """The scheme that the client tried (RFC 6749 §5.2 wants it named in the answer), if it is one."""
    scheme = authorization.partition(" ")[0]
    return scheme if scheme.isascii() and scheme.isalnum() else "private_key_jwt"


def _refuse(refusal: TokenError, also: Mapping[str, str] = MappingProxyType({})) -> Response:
    # At debug level only: anyone can be refused without limit, and the gateway records every request.
    _log.debug("token refused", error=refusal.error, why=refusal.detail.en)
    headers = {**_NO_STORE, **also, **refusal.headers, ERROR_HEADER: refusal.error.replace("_", "-")}
    if refusal.client_id is not None:
        # For the gateway's record.
        headers[CLIENT_HEADER] = refusal.client_id
    return Response(
        msgspec.json.encode(TokenErrorDocument(**refusal.document())),
        status_code=refusal.status,
        headers=headers,
        media_type=_JSON,
    )
