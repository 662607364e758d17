"""Routes to the platform's own services, which are reached at the same address as the providers' services.

The gateway verifies the token of a call to them, as it does for providers' services, and refuses what it
cannot read; who may do what there is theirs to decide, so it passes `Authorization` on, and they verify it
again: a request from inside the cluster may come without the gateway. Where identity gives out tokens it
takes none; clients prove themselves there in other ways, and what they send is passed on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from lienthong.gateway import openapi
from lienthong.gateway.assertion_keys import KEYS_MAX_AGE_S, KEYS_PATH
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.kit import request_sizes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lienthong.gateway.settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class PlatformRoute:
    """One service of the platform."""

    id: str
    """Its name in records, for example `lienthong/identity`."""
    upstreams: Upstreams
    limits: TimeLimits
    max_request_bytes: int
    authenticates: bool
    """Whether it takes access tokens."""


@dataclass(frozen=True, slots=True)
class DocumentRoute:
    """A document that the gateway itself serves, to everyone."""

    id: str
    """Its name in records."""
    content: Callable[[], bytes]
    """JSON, as it is when it is asked for."""
    max_age_s: int
    """For how long anyone may keep it; 0 for not at all."""


@dataclass(frozen=True, slots=True)
class DoorRoute:
    """A door for clients of another system: calls are translated, and decided like all others."""

    id: str
    """The name in records of what the door itself answers."""


@dataclass(frozen=True, slots=True)
class PersonsRoute:
    """Where auditors are told under which hashes records have a person."""

    id: str
    """Its name in records."""


@dataclass(frozen=True, slots=True)
class UseRoute:
    """Where parties are told how much of their agreements' limits is used."""

    id: str
    """Its name in records."""


@dataclass(frozen=True, slots=True)
class StatusRoute:
    """Where people who answer for the platform are told how the gateway is."""

    id: str
    """Its name in records."""
    content: Callable[[], Awaitable[bytes]]
    """JSON, as it is when it is asked for."""


OwnRoute: TypeAlias = PlatformRoute | DocumentRoute | DoorRoute | PersonsRoute | UseRoute | StatusRoute
"""What the platform itself offers beside the services of providers."""


HEALTH_PATH: Final = "/health.json"
"""Where the gateway says to everyone how well it follows the catalog and identity."""


DOORS: Final = (b"r1", b"listClients", b"govstack")
"""The first segments of the paths of X-Road's door, and of GovStack's."""


def platform_routes(
    settings: GatewaySettings,
    health: Callable[[], bytes],
    assertion_keys: Callable[[], bytes],
    status: Callable[[], Awaitable[bytes]],
) -> Mapping[bytes, OwnRoute]:
    """The platform's services by the first segment of their paths, documents by the whole path.

    `health` and `assertion_keys` make those documents; `status` tells how the gateway is.
    """
    described = openapi.encoded()
    limits = TimeLimits(first_byte_s=settings.gateway_platform_timeout_s)

    def route(name: str, url: str, takes: int, *, authenticates: bool = True) -> PlatformRoute:
        # Never less than it takes; what is a little more it refuses itself, in its own words.
        most = max(takes, settings.gateway_max_request_bytes)
        return PlatformRoute(f"lienthong/{name}", Upstreams([url]), limits, most, authenticates)

    door = DoorRoute("lienthong/gateway")
    identity = route("identity", settings.identity_url, request_sizes.IDENTITY, authenticates=False)
    return {
        b"oauth2": identity,
        b".well-known": identity,
        b"identity": route("identity", settings.identity_url, request_sizes.IDENTITY),
        b"catalog": route("catalog", settings.catalog_url, settings.catalog_max_request_bytes),
        b"exchange": route("exchange", settings.exchange_url, request_sizes.EXCHANGE),
        b"audit": route("ledger", settings.ledger_url, 0),
        **dict.fromkeys(DOORS, door),
        b"limits": UseRoute("lienthong/gateway"),
        openapi.PATH[1:].encode(): DocumentRoute("lienthong/gateway", lambda: described, 300),
        KEYS_PATH[1:].encode(): DocumentRoute("lienthong/gateway", assertion_keys, KEYS_MAX_AGE_S),
        openapi.STATUS_PATH[1:].encode(): StatusRoute("lienthong/gateway", status),
        HEALTH_PATH[1:].encode(): DocumentRoute("lienthong/gateway", health, 0),
        openapi.PERSON_HASHES_PATH[1:].encode(): PersonsRoute("lienthong/gateway"),
    }
