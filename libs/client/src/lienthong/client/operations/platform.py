"""What the platform says of itself, to anyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.client.operations.operation import Operation, json_object, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def metadata() -> Operation[Mapping[str, Any]]:
    """The metadata of the authorization server (RFC 8414)."""
    return Operation("GET", "/.well-known/oauth-authorization-server", json_object, public=True)


def agreement_use(agreement_id: str) -> Operation[Mapping[str, Any]]:
    """How much of an agreement's limits is used at this moment, by all gateways."""
    return Operation("GET", f"/limits/v1/agreements/{path_of(agreement_id)}", json_object)


def gateway_health() -> Operation[Mapping[str, Any]]:
    """How well the gateway follows the catalog and identity, and how old its routes and keys are."""
    return Operation("GET", "/health.json", json_object, public=True)
