"""What could be read of one manifest or request, before it is checked against the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.errors import Violation
from lienthong.kit.json_pointer import JsonPath
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lienthong.catalog.domain.resources import ResourceKey, ResourceKind, ServiceOperation
    from lienthong.kit.json_text import JsonObject

Reference = tuple[JsonPath, "ResourceKey"]
"""Where a resource is referred to, and which one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be read of one resource.

    `spec` is in canonical form (defaults filled in, agency codes in their one spelling), or None where
    something is wrong. Where the id itself is wrong, `id` is a placeholder that no resource can have.
    `spec_path` and `id_path` tell where the spec and the id stand in the request. `operations` are those of a
    service, None where its document cannot be read, and of other kinds.
    """

    kind: ResourceKind
    id: str
    spec_path: JsonPath
    id_path: JsonPath
    spec: JsonObject | None
    references: tuple[Reference, ...] = ()
    operations: tuple[ServiceOperation, ...] | None = None
    stated_status: str | None = None
    """The status that the manifest was read with, where it says one."""
    stated_version: int | None = None
    """The version that was read, where it says which."""

    @property
    def key(self) -> ResourceKey:
        """What identifies the resource."""
        return self.kind, self.id


def missing_references(drafts: Sequence[Draft], existing: Collection[ResourceKey]) -> Iterator[Violation]:
    """Yield each reference to a resource that is neither among the drafts nor among the existing ones."""
    known = {draft.key for draft in drafts} | set(existing)
    for draft in drafts:
        for path, key in draft.references:
            if key not in known:
                kind, resource_id = key
                yield Violation(
                    path,
                    BilingualText(
                        f"there is no {kind.noun} '{resource_id}', neither in the catalog nor in this "
                        f"request; apply it first or together with this",
                        f"không có {kind.noun_vi} '{resource_id}' trong danh mục hay trong yêu cầu này; "
                        f"hãy áp dụng nó trước hoặc cùng lúc",
                    ),
                )
