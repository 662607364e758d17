"""Clients: who may ask for tokens, how a system of the catalog becomes one, and what a change is called."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from lienthong.identity.domain.client_keys import client_keys
from lienthong.identity.domain.scopes import SYSTEM_SCOPES
from lienthong.identity.domain.service_accounts import ServiceAccount
from lienthong.identity.events import CatalogSystem, SystemAccount, SystemEvent


class ClientStatus(StrEnum):
    """Whether a client may have tokens.

    Removed clients stay stored, so that an older event that arrives late cannot bring them back.
    """

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client: `jwks` is JSON text, `scopes` are in the order in which tokens list them.

    `catalog_version` is the catalog's version of the system; 0 for this server's own clients.
    """

    client_id: str
    jwks: str
    scopes: tuple[str, ...]
    status: ClientStatus
    catalog_version: int = 0
    certificates: tuple[str, ...] = ()
    """That authenticate it at the edge: the SHA-256 of their DER forms, in hex."""
    service_accounts: tuple[ServiceAccount, ...] = ()
    """Whose tokens authenticate it, in the clusters where they are."""


@dataclass(frozen=True, slots=True)
class ClientChange:
    """A change of a client as the audit record describes it."""

    action: str
    detail: Mapping[str, Any]


def client_of(event: SystemEvent) -> RegisteredClient:
    """The client that a system of the catalog is."""
    removed = event.action == "removed" or event.resource is None
    resource = CatalogSystem() if event.resource is None else event.resource
    return RegisteredClient(
        client_id=event.id,
        jwks=canonical_jwks({"keys": []} if removed else resource.spec.jwks),
        scopes=SYSTEM_SCOPES,
        status=ClientStatus.REMOVED if removed else ClientStatus(resource.status),
        catalog_version=event.version,
        certificates=() if removed else tuple(resource.spec.certificates),
        service_accounts=() if removed else _accounts(resource.spec.service_accounts),
    )


def describe_change(known: RegisteredClient | None, client: RegisteredClient) -> ClientChange | None:
    """Describe the change from `known` to `client`; None if nothing changes for the client."""
    detail: dict[str, Any] = {"status": client.status.value, "keys": thumbprints(client.jwks)}
    if client.certificates or (known is not None and known.certificates):
        detail["certificates"] = list(client.certificates)
    if client.service_accounts or (known is not None and known.service_accounts):
        detail["service_accounts"] = [asdict(one) for one in client.service_accounts]
    if client.catalog_version:
        detail["catalog_version"] = client.catalog_version
    if known is None:
        return ClientChange("client.register", detail)
    if known.status is not client.status:
        actions = {ClientStatus.ACTIVE: "client.resume", ClientStatus.SUSPENDED: "client.suspend"}
        return ClientChange(actions.get(client.status, "client.remove"), detail)
    if known.jwks != client.jwks:
        return ClientChange("client.change-keys", detail)
    if known.certificates != client.certificates:
        return ClientChange("client.change-certificates", detail)
    if known.service_accounts != client.service_accounts:
        return ClientChange("client.change-service-accounts", detail)
    if known.scopes != client.scopes:
        return ClientChange("client.change-scopes", {**detail, "scopes": list(client.scopes)})
    return None


def _accounts(named: Iterable[SystemAccount]) -> tuple[ServiceAccount, ...]:
    return tuple(sorted(ServiceAccount(one.issuer, one.namespace, one.name) for one in named))


def canonical_jwks(jwks: Mapping[str, Any]) -> str:
    """A JWK set as JSON text; equal sets give equal text."""
    return json.dumps(jwks, sort_keys=True, separators=(",", ":"))


def thumbprints(jwks: str) -> list[str]:
    """The RFC 7638 thumbprints of the usable keys of a JWK set."""
    return [key.thumbprint for key in client_keys(json.loads(jwks))]


def accepted(jwks: str, now: float) -> list[str]:
    """The thumbprints of the keys that have not ended at a moment, in seconds since 1970."""
    return [key.thumbprint for key in client_keys(json.loads(jwks)) if not key.has_ended(now)]
