"""What the catalog does with event types: it shows them. They are written by applying manifests."""

from __future__ import annotations

from typing import ClassVar

from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.catalog.service.resources import ResourceService


class EventTypeService(ResourceService[Resource]):
    """Shows event types."""

    kind: ClassVar = ResourceKind.EVENT_TYPE
