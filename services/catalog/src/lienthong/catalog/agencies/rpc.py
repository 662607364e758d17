"""Agencies as messages of `Routes/Watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.rpc import write_key

if TYPE_CHECKING:
    from lienthong.catalog.agencies.domain.agency import AgencyResource
    from lienthong.contracts.catalog.v1 import routes_pb2 as pb


def write_message(agency: AgencyResource, resource: pb.Resource) -> None:
    """Write an agency into its message."""
    write_key(agency, resource)
    message = resource.agency
    message.code, message.member_class = agency.id, agency.member_class
