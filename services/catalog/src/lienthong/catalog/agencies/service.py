"""What the catalog does with agencies: it shows them. They are written by applying manifests."""

from __future__ import annotations

from typing import ClassVar

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.service.resources import ResourceService


class AgencyService(ResourceService[AgencyResource]):
    """Shows agencies."""

    kind: ClassVar = ResourceKind.AGENCY
