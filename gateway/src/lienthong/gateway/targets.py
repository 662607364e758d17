"""What a path names: a provider's service, a service of the platform, a document of the gateway, a door,
or whom the ledger is searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from lienthong.gateway.platform_routes import (
        DocumentRoute,
        DoorRoute,
        PersonsRoute,
        PlatformRoute,
        StatusRoute,
        UseRoute,
    )
    from lienthong.gateway.table import RoutingTable, ServiceRoute


class ServiceTarget:
    """A provider's service, as `table` has it: the whole call is decided by this table."""

    __slots__ = ("path", "route", "table")

    def __init__(self, table: RoutingTable, route: ServiceRoute, path: bytes) -> None:
        self.table = table
        self.route = route
        self.path = path
        """The part of the path that the provider gets."""


class PlatformTarget:
    """A service of the platform itself."""

    __slots__ = ("path", "route")

    def __init__(self, route: PlatformRoute, path: bytes) -> None:
        self.route = route
        self.path = path


class DocumentTarget:
    """A document of the gateway's own."""

    __slots__ = ("route",)

    def __init__(self, route: DocumentRoute) -> None:
        self.route = route


class DoorTarget:
    """X-Road's door, or GovStack's; `table` decides the whole call, if there is one."""

    __slots__ = ("route", "table")

    def __init__(self, route: DoorRoute, table: RoutingTable | None) -> None:
        self.route = route
        self.table = table


class PersonsTarget:
    """Under which hashes records have a person."""

    __slots__ = ("route",)

    def __init__(self, route: PersonsRoute) -> None:
        self.route = route


class UseTarget:
    """The use of an agreement's limits; `table` says who its parties are, if there is one."""

    __slots__ = ("route", "table")

    def __init__(self, route: UseRoute, table: RoutingTable | None) -> None:
        self.route = route
        self.table = table


class StatusTarget:
    """How the gateway is."""

    __slots__ = ("route",)

    def __init__(self, route: StatusRoute) -> None:
        self.route = route


ForwardTarget: TypeAlias = ServiceTarget | PlatformTarget
Target: TypeAlias = ForwardTarget | DocumentTarget | DoorTarget | PersonsTarget | UseTarget | StatusTarget
