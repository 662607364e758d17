"""Agencies as messages of `Routes/Watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_key
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.agencies.domain.agency import AgencyResource


def to_message(agency: AgencyResource) -> pb.Resource:
    """Return an agency as its message."""
    message = pb.Agency(code=agency.id, member_class=agency.member_class)
    return pb.Resource(key=resource_key(agency), agency=message)
