"""The documents that identity's endpoints answer with."""

import msgspec


class TokenDocument(msgspec.Struct, frozen=True):
    """A token and what the answer says about it (RFC 6749 §5.1). `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


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
    mtls_endpoint_aliases: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    """Where clients show certificates, if that is another address (RFC 8705 §5)."""
