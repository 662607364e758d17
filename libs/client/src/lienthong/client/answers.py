"""What the bus answers, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lienthong.client.deprecations import Deprecation
from lienthong.client.pointers import field_name, parse_pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.client.errors import Text


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer to a call, whatever its status; refusals of the bus are raised instead.

    `headers` finds names in any case. `transaction_id` identifies the call in the audit log.
    """

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

    @property
    def deprecation(self) -> Deprecation | None:
        """That the service is deprecated, with its end and its successor; None where it is not."""
        return Deprecation.of(self.headers)

    def json(self) -> Any:  # noqa: ANN401
        """The body parsed as JSON; raises ValueError when it is not."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning of the catalog about a manifest that it accepted, for example that its period has ended.

    `pointer` is a JSON pointer (RFC 6901) into the manifest.
    """

    pointer: str
    detail: Text

    @property
    def field(self) -> str:
        """The pointer as people write it: `spec.validTo`."""
        return field_name(parse_pointer(self.pointer))

    def document(self) -> dict[str, Any]:
        """The warning as JSON, as the catalog answers it."""
        return {"pointer": self.pointer, "detail": self.detail.en, "detail_vi": self.detail.vi}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that an apply changes; `old` is None where there was none, `new` where it is removed.

    `path` names the field as people write it: `spec.upstreams[0]`.
    """

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class AppliedResource:
    """What an apply did to one resource, or would do; `action` is created, updated or unchanged."""

    kind: str
    id: str
    action: str
    changes: tuple[FieldChange, ...]
    warnings: tuple[Notice, ...] = ()

    def document(self) -> dict[str, Any]:
        """The result as JSON; `warnings` is there only where there are some."""
        document: dict[str, Any] = {
            "kind": self.kind,
            "id": self.id,
            "action": self.action,
            "changes": [
                {"path": change.path, "old": change.old, "new": change.new} for change in self.changes
            ],
        }
        if self.warnings:
            document["warnings"] = [warning.document() for warning in self.warnings]
        return document


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The outcome of an apply, one result for each manifest in the order sent.

    `version` is the catalog's version: the one after the apply, in a dry run the present one.
    """

    dry_run: bool
    version: int
    results: tuple[AppliedResource, ...]

    def document(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {
            "dry_run": self.dry_run,
            "version": self.version,
            "results": [result.document() for result in self.results],
        }

    def only_changes(self) -> ApplyResult:
        """The outcome without what stays as it is."""
        return replace(self, results=tuple(one for one in self.results if one.action != "unchanged"))


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found in the catalog, the best first.

    Each of `items` has `kind`, `id`, `agency`, `name`, `description`, `operations` and `highlights`; `total`
    counts all pages, `facets` how many there are of each kind and agency. `next` is the cursor of the
    following page, none on the last.
    """

    items: tuple[Mapping[str, Any], ...]
    total: int
    facets: Mapping[str, Any]
    next: str | None

    def document(self) -> dict[str, Any]:
        """The page as JSON."""
        return {"items": list(self.items), "total": self.total, "facets": self.facets, "next": self.next}


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event that is stored durably, with its number in the stream.

    `duplicate` says that it had been accepted before under this id; `sequence` is then the first one.
    """

    id: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class PulledEvent:
    """An event received from a subscription.

    `event` is the CloudEvent in JSON format, its payload under `data`. `ack` is the token that acknowledges
    it, `sequence` its number in the stream, `delivered` counts its deliveries, this one included.
    """

    ack: str = field(repr=False)
    sequence: int
    delivered: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedAck:
    """A token that acknowledged nothing, and why."""

    token: str = field(repr=False)
    detail: str


@dataclass(frozen=True, slots=True)
class AckResult:
    """Which tokens acknowledged their events, and which were refused."""

    acknowledged: tuple[str, ...]
    refused: tuple[RefusedAck, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next` is the cursor of the following page, none on the last."""

    items: tuple[Mapping[str, Any], ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class ExportPage:
    """One page of an export, read at a version of the catalog."""

    items: tuple[Mapping[str, Any], ...]
    next: str | None
    version: int
