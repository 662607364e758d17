"""What a service wants to be shown, as the catalog says it; secrets are named here, and known elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias
from urllib.parse import quote

from lienthong.gateway.http1.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.contracts.catalog.v1 import routes_pb2

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SYSTEM: Final = re.compile(r"[0-9A-Za-z.-]{1,64}/[a-z][a-z0-9-]{1,62}")
_X_ROAD_SAFE: Final = "'()+,-.="


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret of a providing system: no other system's services can name it."""

    system_id: str
    name: str

    def __str__(self) -> str:
        return f"{self.system_id}/{self.name}"


@dataclass(frozen=True, slots=True)
class HeaderCredential:
    """A field whose value is a secret."""

    needs: ClassVar = ("value",)

    secret: SecretName
    field: bytes
    """Its name, in lower case."""


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """User and password (RFC 7617)."""

    needs: ClassVar = ("username", "password")

    secret: SecretName


@dataclass(frozen=True, slots=True)
class OAuth2Credential:
    """An access token, got with the client credentials grant (RFC 6749 section 4.4)."""

    needs: ClassVar = ("client_id", "client_secret")

    secret: SecretName
    token_url: Address
    slash: bool
    """Whether the address ends with a `/`."""
    scope: str
    in_body: bool
    """Whether the client proves itself in the form instead of by Basic (RFC 6749 section 2.3.1)."""


@dataclass(frozen=True, slots=True)
class LgspAccessToken:
    """The field `lgspaccesstoken` of national platforms: keys and codes as JSON in base64."""

    needs: ClassVar = ("access_key", "secret_key")

    secret: SecretName


Credential: TypeAlias = HeaderCredential | BasicCredential | OAuth2Credential | LgspAccessToken


@dataclass(frozen=True, slots=True)
class TlsNames:
    """The secrets of TLS to the provider: the gateway's certificate, and who signs the provider's."""

    certificate: SecretName | None
    authority: SecretName | None

    CERTIFICATE: ClassVar = ("crt", "key")
    AUTHORITY: ClassVar = ("ca",)


@dataclass(frozen=True, slots=True)
class XRoad:
    """The gateway as a client of X-Road, behind a security server."""

    client: bytes
    """The value of X-Road-Client."""
    prefix: bytes
    """The path of the service at the security server, without a `/` at the end."""


@dataclass(frozen=True, slots=True)
class Access:
    """All that a provider wants to be shown."""

    credentials: tuple[Credential, ...]
    tls: TlsNames | None
    x_road: XRoad | None

    def needs(self) -> Iterator[tuple[SecretName, tuple[str, ...]]]:
        """The secrets without which no call is sent, and the members that each has to have."""
        for credential in self.credentials:
            yield credential.secret, credential.needs
        if self.tls is not None and self.tls.certificate is not None:
            yield self.tls.certificate, TlsNames.CERTIFICATE
        if self.tls is not None and self.tls.authority is not None:
            yield self.tls.authority, TlsNames.AUTHORITY


def access(service: routes_pb2.Service) -> Access | None:
    """Read what a service wants to be shown; None where that is nothing, as of most.

    Raises:
        ValueError: it cannot be read, or wants what this gateway does not know.
    """
    if not (service.credentials or service.HasField("tls") or service.HasField("x_road")):
        return None
    system_id = service.system_id
    credentials = tuple(_credential(system_id, credential) for credential in service.credentials)
    tls = None
    if service.HasField("tls"):
        tls = TlsNames(
            _secret(system_id, service.tls.certificate) if service.tls.certificate else None,
            _secret(system_id, service.tls.authority) if service.tls.authority else None,
        )
    x_road = None
    if service.HasField("x_road"):
        segments = service.x_road.service.split("/")
        prefix = "/r1/" + "/".join(quote(segment, safe=_X_ROAD_SAFE) for segment in segments)
        x_road = XRoad(service.x_road.client.encode("ascii"), prefix.encode())
    return Access(credentials, tls, x_road)


def _credential(system_id: str, message: routes_pb2.Credential) -> Credential:
    secret = _secret(system_id, message.secret)
    match message.WhichOneof("kind"):
        case "header":
            return HeaderCredential(secret, message.header.name.lower().encode("ascii"))
        case "basic":
            return BasicCredential(secret)
        case "oauth2":
            url = message.oauth2.token_url
            return OAuth2Credential(
                secret,
                Address.parse(url),
                url.endswith("/"),
                message.oauth2.scope,
                message.oauth2.in_body,
            )
        case "lgsp_access_token":
            return LgspAccessToken(secret)
        case _:
            raise ValueError("a kind of credentials that this gateway does not know")


def _secret(system_id: str, name: str) -> SecretName:
    # Both become the name of a file.
    if not _NAME.fullmatch(name) or not _SYSTEM.fullmatch(system_id):
        raise ValueError("not the name of a secret")
    return SecretName(system_id, name)
