"""The documents that identity's endpoints answer with."""

import msgspec


class TokenDocument(msgspec.Struct, frozen=True):
    """A token and what the answer says about it (RFC 6749 §5.1). `expires_in` is in seconds."""

    access_token: str
    token_type: str
    """`Bearer`, or `DPoP` for a token that is bound to the key of a proof (RFC 9449 §5)."""
    expires_in: int
    scope: str
    id_token: str | msgspec.UnsetType = msgspec.UNSET
    """Who has signed in (OpenID Connect Core §3.1.3.3)."""
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET
    """For the next access token of the same person, once (RFC 6749 §6)."""
    issued_token_type: str | msgspec.UnsetType = msgspec.UNSET
    """Of what kind the token is, where it was exchanged for another one (RFC 8693 §2.2.1)."""


class TokenErrorDocument(msgspec.Struct, frozen=True):
    """A refusal of the token endpoint (RFC 6749 §5.2), described in English and in Vietnamese."""

    error: str
    error_description: str
    error_description_vi: str


class KeyDocument(msgspec.Struct, frozen=True):
    """A public key that verifies access tokens (RFC 7517 §4, RFC 7518 §6.2)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    alg: str
    use: str


class KeySetDocument(msgspec.Struct, frozen=True):
    """The public keys that verify access tokens (RFC 7517 §5)."""

    keys: list[KeyDocument]


class ServerMetadata(msgspec.Struct, frozen=True):
    """What this authorization server is called and can do (RFC 8414 §2)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    tls_client_certificate_bound_access_tokens: bool
    """RFC 8705 §3.3."""
    dpop_signing_alg_values_supported: tuple[str, ...]
    """RFC 9449 §5.1."""
    pushed_authorization_request_endpoint: str
    """RFC 9126 §5."""
    authorization_endpoint: str
    end_session_endpoint: str
    userinfo_endpoint: str
    introspection_endpoint: str
    introspection_endpoint_auth_methods_supported: tuple[str, ...]
    introspection_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    require_pushed_authorization_requests: bool = True
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    response_modes_supported: tuple[str, ...] = ("query",)
    authorization_response_iss_parameter_supported: bool = True
    """RFC 9207 §3."""
    subject_types_supported: tuple[str, ...] = ("public",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("ES256",)
    claims_supported: tuple[str, ...] = (
        "sub", "name", "preferred_username", "agency", "roles", "auth_time", "acr", "amr", "sid", "nonce",
    )  # fmt: skip
    acr_values_supported: tuple[str, ...] = ("urn:lgsp:acr:one-factor", "urn:lgsp:acr:two-factors")
    prompt_values_supported: tuple[str, ...] = ("none", "login")
    ui_locales_supported: tuple[str, ...] = ("vi", "en")
    backchannel_logout_supported: bool = True
    backchannel_logout_session_supported: bool = True
    claims_parameter_supported: bool = False
    request_parameter_supported: bool = False
    request_uri_parameter_supported: bool = False
    mtls_endpoint_aliases: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    """Where clients show certificates, if that is another address (RFC 8705 §5)."""
