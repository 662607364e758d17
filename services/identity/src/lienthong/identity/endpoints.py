"""REST: the token endpoint (RFC 6749 §3.2), the key set (RFC 7517) and the metadata (RFC 8414)."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import structlog
from fastapi import APIRouter, Request, Response

from lienthong.identity.domain.client_keys import ALGORITHMS
from lienthong.identity.domain.scopes import AUDITOR_SCOPES, OPERATOR_SCOPES, SYSTEM_SCOPES
from lienthong.identity.domain.token_request import MAX_BODY, is_form, read_form
from lienthong.identity.errors import (
    TokenError,
    no_client_authentication,
    not_a_form,
    parameters_in_address,
    several_authentications,
    too_large,
    too_slow,
)
from lienthong.identity.service.keyring import Keyring
from lienthong.identity.service.tokens import TokenService
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.problems import ERROR_HEADER
from lienthong.kit.rest import BodyIncompleteError, BodyTooLargeError, StrictRoute, read_body

_JSON: Final = "application/json"
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PATIENCE: Final = 10.0

_log = structlog.get_logger(__name__)


def routes(settings: IdentitySettings, tokens: TokenService, keyring: Keyring) -> APIRouter:
    """Build the routes of this service."""
    router = APIRouter(route_class=StrictRoute)
    # The token endpoint takes no parameter in its address, and says so as RFC 6749 wants it.
    token_router = APIRouter()
    metadata = msgspec.json.encode(server_metadata(settings))
    public = {"Cache-Control": f"public, max-age={settings.jwks_max_age}"}

    @token_router.post("/oauth2/token")
    async def token(request: Request) -> Response:
        """Issue an access token."""
        try:
            body = await _read_body(request)
        except TokenError as refusal:
            # Some of the body may be on its way still, without end perhaps: nobody is going to read it.
            return _refuse(refusal, {"Connection": "close"})
        try:
            issued = await tokens.issue(read_form(body))
        except TokenError as refusal:
            return _refuse(refusal)
        return Response(msgspec.json.encode(issued.document()), headers=_NO_STORE, media_type=_JSON)

    @router.get("/oauth2/jwks")
    @router.get("/.well-known/jwks.json")
    async def jwks() -> Response:
        """Give the keys that verify access tokens."""
        return Response(keyring.published.jwks, headers=public, media_type="application/jwk-set+json")

    @router.get("/.well-known/oauth-authorization-server")
    async def authorization_server() -> Response:
        """Describe this authorization server."""
        return Response(metadata, headers=public, media_type=_JSON)

    router.include_router(token_router)
    return router


def server_metadata(settings: IdentitySettings) -> dict[str, str | list[str]]:
    """Describe this authorization server (RFC 8414 §2)."""
    return {
        "issuer": settings.issuer,
        "token_endpoint": settings.token_endpoint,
        "jwks_uri": f"{settings.issuer}/oauth2/jwks",
        "grant_types_supported": ["client_credentials"],
        # Required by RFC 8414; there is no authorization endpoint.
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": [*SYSTEM_SCOPES, *OPERATOR_SCOPES, *AUDITOR_SCOPES],
    }


async def _read_body(request: Request) -> bytes:
    if request.url.query:
        raise parameters_in_address()
    if not is_form(request.headers.get("content-type", "")) or "content-encoding" in request.headers:
        raise not_a_form()
    try:
        async with asyncio.timeout(_PATIENCE):
            body = await read_body(request, MAX_BODY)
    except (TimeoutError, BodyIncompleteError) as error:
        raise too_slow() from error
    except BodyTooLargeError as error:
        raise too_large(error.limit) from None
    authorization = request.headers.get("authorization")
    if authorization is not None:
        if b"client_assertion=" in body:
            raise several_authentications()
        raise no_client_authentication(_scheme(authorization))
    return body


def _scheme(authorization: str) -> str:
    """The scheme that the client tried (RFC 6749 §5.2 wants it named in the answer), if it is one."""
    scheme = authorization.partition(" ")[0]
    return scheme if scheme.isascii() and scheme.isalnum() else "private_key_jwt"


def _refuse(refusal: TokenError, also: Mapping[str, str] = MappingProxyType({})) -> Response:
    # No more than this: anyone may be refused as often as he likes, and the gateway records every request.
    _log.debug("token refused", error=refusal.error, why=refusal.detail.en)
    return Response(
        msgspec.json.encode(refusal.document()),
        status_code=refusal.status,
        headers={**_NO_STORE, **also, **refusal.headers, ERROR_HEADER: refusal.error.replace("_", "-")},
        media_type=_JSON,
    )
