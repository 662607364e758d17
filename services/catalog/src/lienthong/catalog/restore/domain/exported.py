"""What an export says of a resource: all that the catalog has of it, so that a restore brings it back.

Left out is what follows from the rest, like the operations of a service or the status that it has from its
system, and what depends on the time of reading.
"""

from __future__ import annotations

from typing import Any

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.record import AgreementRecord
from lienthong.catalog.domain.resources import Resource
from lienthong.catalog.systems.domain.system import SystemResource


def exported(resource: Resource, record: AgreementRecord | None = None) -> dict[str, Any]:
    """Return the document of a resource; of an agreement with the `record` of what was done with it."""
    document = Resource.manifest(resource)
    if isinstance(resource, AgencyResource) and resource.merged_into is not None:
        document["mergedInto"] = resource.merged_into
    if isinstance(resource, SystemResource) and resource.owner:
        document["agency"] = resource.owner
    if not isinstance(resource, SystemResource | AgreementResource):
        del document["status"]
        return document
    if resource.suspended_by is not None:
        document["suspendedBy"] = resource.suspended_by.value
    if isinstance(resource, AgreementResource):
        document["history"] = (record or AgreementRecord()).document(resource)
    return document


def without_version(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the version, which says something in one catalog alone."""
    metadata = {name: value for name, value in document["metadata"].items() if name != "version"}
    return {**document, "metadata": metadata}
