"""Stage 1, match: which service does the path name, and which of its operations?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.paths import (
    SEMICOLON,
    PathNotNormalError,
    check_normal,
    decoded_segments,
    without_parameters,
)
from lienthong.gateway.platform_routes import (
    DocumentRoute,
    DoorRoute,
    PersonsRoute,
    PlatformRoute,
    StatusRoute,
    UseRoute,
)
from lienthong.gateway.targets import (
    DocumentTarget,
    DoorTarget,
    PersonsTarget,
    PlatformTarget,
    ServiceTarget,
    StatusTarget,
    UseTarget,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lienthong.gateway.operations import OperationRoute
    from lienthong.gateway.platform_routes import OwnRoute
    from lienthong.gateway.table import RoutingTable
    from lienthong.gateway.targets import Target

# RFC 3986 section 3.4, and what else stands in queries without doing harm.
_QUERY = re.compile(rb"\?[!$-;=?-~]*")
_SERVICE_SEGMENTS = 5  # empty, "api", agency, system, service

OPTIONS: Final = "OPTIONS"
"""The method that every path of a service takes: the gateway answers it where the service does not."""

MAX_SEGMENT = 2048
"""Bytes of one segment of a service's path, percent-encoded: matching is done before the caller is known."""


def match_service(
    path: bytes,
    query: bytes,
    table: RoutingTable | None,
    platform: Mapping[bytes, OwnRoute],
) -> Target:
    """Find the service that a raw path names.

    Raises:
        ProblemError: path-not-normal, malformed-request (the query), unknown-path, not-ready (no table yet),
            unknown-service.
    """
    try:
        check_normal(path)
    except PathNotNormalError as error:
        raise problems.path_not_normal(str(error)) from None
    if query and _QUERY.fullmatch(query) is None:
        raise problems.malformed_request(
            "The query has to be percent-encoded.", "Phần truy vấn phải được mã hoá phần trăm."
        )
    segments = path.split(b"/", _SERVICE_SEGMENTS)
    if segments[1] != b"api":
        named = platform.get(path[1:])
        if isinstance(named, DocumentRoute):
            return DocumentTarget(named)
        if isinstance(named, PersonsRoute):
            return PersonsTarget(named)
        if isinstance(named, StatusRoute):
            return StatusTarget(named)
        platform_route = platform.get(segments[1])
        if isinstance(platform_route, DoorRoute):
            return DoorTarget(platform_route, table)
        if isinstance(platform_route, UseRoute):
            return UseTarget(platform_route, table)
        if not isinstance(platform_route, PlatformRoute):
            raise problems.unknown_path()
        return PlatformTarget(platform_route, path)
    if len(segments) < _SERVICE_SEGMENTS:
        raise problems.unknown_path()
    if table is None:
        raise problems.not_ready(
            "The gateway has no routing table that is recent enough.",
            "Cổng chưa có bảng định tuyến đủ mới.",
        )
    name = b"/".join(segments[2:_SERVICE_SEGMENTS])
    route = table.service(name)
    if route is None:
        raise problems.unknown_service(name.decode())
    rest = b"/" + segments[_SERVICE_SEGMENTS] if len(segments) > _SERVICE_SEGMENTS else b"/"
    return ServiceTarget(table, route, rest)


def match_operation(methods: Mapping[str, OperationRoute], method: str) -> OperationRoute:
    """Find the operation of a path that the method names.

    Raises:
        ProblemError: method-not-allowed.
    """
    operation = methods.get(method)
    if operation is None:
        raise problems.method_not_allowed(allowed_methods(methods))
    return operation


def allowed_methods(methods: Iterable[str]) -> list[str]:
    """The methods that callers may use where a service has operations for `methods`, in order."""
    return sorted({*methods, OPTIONS})


def match_methods(target: ServiceTarget) -> Mapping[str, OperationRoute]:
    """Find the operations of the service that the rest of the path names, by their methods.

    Raises:
        ProblemError: malformed-request (a segment is too long), path-not-normal (parameters of a segment
            would make it another operation), unknown-operation.
    """
    path, find = target.path, target.route.operations.find
    if len(path) > MAX_SEGMENT and any(len(segment) > MAX_SEGMENT for segment in path.split(b"/")):
        raise problems.malformed_request(
            f"A part of the path between two slashes has more than {MAX_SEGMENT} bytes.",
            f"Một phần của đường dẫn giữa hai dấu gạch chéo dài hơn {MAX_SEGMENT} byte.",
        )
    methods = find(decoded_segments(path))
    if SEMICOLON in path and methods is not find(decoded_segments(without_parameters(path))):
        raise problems.path_not_normal("what follows a ; makes it another operation for some servers")
    if methods is None:
        raise problems.unknown_operation(target.route.id)
    return methods
