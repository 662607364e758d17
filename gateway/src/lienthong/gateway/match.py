"""Stage 1, match: which operation of which service, or which room, does the request mean?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.gateway.paths import (
    SEMICOLON,
    PathNotNormalError,
    check_normal,
    decoded_segments,
    without_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.gateway.call import Call
    from lienthong.gateway.rooms import Room
    from lienthong.gateway.table import RoutingTable

_SERVICE_SEGMENTS = 5  # empty, "api", agency, system, service


def match(call: Call, table: RoutingTable | None, rooms: Mapping[bytes, Room]) -> None:
    """Find the call's service and operation, or its room, from the raw path.

    Raises:
        Problem: path-not-normal, malformed-request (the query), unknown-path, not-ready (no table yet),
            unknown-service, unknown-operation, method-not-allowed.
    """
    path = call.path
    try:
        check_normal(path)
    except PathNotNormalError as error:
        raise problems.path_not_normal(str(error)) from None
    if not call.query.isascii():
        raise problems.malformed_request(
            "The query has to be percent-encoded.", "Phần truy vấn phải được mã hoá phần trăm."
        )
    segments = path.split(b"/", _SERVICE_SEGMENTS)
    if segments[1] != b"api":
        call.room = rooms.get(segments[1])
        if call.room is None:
            raise problems.unknown_path()
        call.rest = path
        return
    if len(segments) < _SERVICE_SEGMENTS:
        raise problems.unknown_path()
    if table is None:
        raise problems.not_ready(
            "The gateway has no routing table that is recent enough.",
            "Cổng chưa có bảng định tuyến đủ mới.",
        )
    name = b"/".join(segments[2:_SERVICE_SEGMENTS])
    service = table.services.get(name)
    if service is None:
        raise problems.unknown_service(name.decode())
    call.service = service
    call.rest = rest = b"/" + segments[_SERVICE_SEGMENTS] if len(segments) > _SERVICE_SEGMENTS else b"/"
    find = service.operations.find
    methods = find(decoded_segments(rest))
    if SEMICOLON in rest and methods is not find(decoded_segments(without_parameters(rest))):
        raise problems.path_not_normal("what follows a ; makes it another operation for some servers")
    if methods is None:
        raise problems.unknown_operation(service.id)
    operation = methods.get(call.method)
    if operation is None:
        raise problems.method_not_allowed(methods)
    call.operation = operation
