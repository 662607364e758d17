"""What the bus answers, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer to a call, its own errors included; refusals of the bus are raised instead."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    transaction_id: str | None

    @property
    def ok(self) -> bool:
        """Whether the provider answered below 400."""
        return self.status < 400

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 shows as replacement characters."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:  # noqa: ANN401
        """The body parsed as JSON; raises ValueError when it is not."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that an apply changed."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class AppliedResource:
    """What an apply did, or would do, to one resource; `action` is created, updated or unchanged."""

    kind: str
    id: str
    action: str
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The outcome of an apply; `version` is the catalog's version after it."""

    dry_run: bool
    version: int
    results: tuple[AppliedResource, ...]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event that is stored durably; `duplicate` says that its id had been accepted before."""

    id: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class PulledEvent:
    """An event taken from a subscription.

    `ack` is the token that acknowledges it, `sequence` its place in the stream, `delivered` counts its
    deliveries.
    """

    ack: str = field(repr=False)
    sequence: int
    delivered: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedAck:
    """An acknowledgement that came too late or was not known."""

    token: str = field(repr=False)
    detail: str


@dataclass(frozen=True, slots=True)
class AckResult:
    """Which acknowledgements were taken and which were not."""

    acknowledged: tuple[str, ...]
    refused: tuple[RefusedAck, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next` is the cursor of the following page, none on the last."""

    items: tuple[Mapping[str, Any], ...]
    next: str | None
