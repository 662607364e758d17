"""What a path names: a provider's service, a service of the platform, or a document of the gateway."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from lienthong.gateway.platform_routes import DocumentRoute, PlatformRoute
from lienthong.gateway.table import RoutingTable, ServiceRoute


class ServiceTarget(msgspec.Struct, frozen=True, gc=False):
    """A provider's service, as `table` has it: the whole call is decided by this table."""

    table: RoutingTable
    route: ServiceRoute
    path: bytes
    """The part of the path that the provider gets."""


class PlatformTarget(msgspec.Struct, frozen=True, gc=False):
    """A service of the platform itself."""

    route: PlatformRoute
    path: bytes


class DocumentTarget(msgspec.Struct, frozen=True, gc=False):
    """A document of the gateway's own."""

    route: DocumentRoute


ForwardTarget: TypeAlias = ServiceTarget | PlatformTarget
Target: TypeAlias = ForwardTarget | DocumentTarget
