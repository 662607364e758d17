"""A system as the catalog keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lienthong.catalog.domain.resources import Resource, ResourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemResource(Resource):
    """An information system of an agency; `member_class` is that of its agency."""

    kind: Literal[ResourceKind.SYSTEM] = ResourceKind.SYSTEM
    member_class: str = ""
