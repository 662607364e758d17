"""Agency codes that end, are replaced by others, and stand one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.agencies.domain.agency import AgencyResource, has_ended
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.domain.resources import Resource, ResourceKey
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import JsonObject

    Specs = Mapping[ResourceKey, JsonObject]

_PROVIDED = (ResourceKind.SERVICE, ResourceKind.EVENT_TYPE)


def ended(path: JsonPath, code: str, agency: JsonObject, now: datetime) -> Iterator[Violation]:
    """Yield that an agency takes nothing new, where its code has ended; the text names the successor."""
    if not has_ended(agency, now):
        return
    successor = agency.get("replacedBy")
    yield Violation(
        path,
        BilingualText(
            f"the agency code '{code}' ended on {agency['validTo']}"
            + (f"; use '{successor}', which replaced it" if successor else ""),
            f"mã cơ quan '{code}' hết hiệu lực từ {agency['validTo']}"
            + (f"; hãy dùng mã thay thế '{successor}'" if successor else ""),
        ),
        conflict=True,
    )


def under_ended_codes(
    new_drafts: Iterable[Draft], resources: Mapping[ResourceKey, Resource], specs: Specs, now: datetime
) -> Iterator[Violation]:
    """Yield each new resource of an agency whose code has ended, at the reference that leads there.

    A system belongs to the agency of its id; services, event types and agreements to those that have the
    systems now. `specs` are those of the request and of the catalog, `resources` what the catalog has.
    """
    for draft in new_drafts:
        for path, (kind, resource_id) in draft.references:
            if draft.kind is ResourceKind.AGENCY:
                if path[-1] != "parent":
                    continue
                code = resource_id
            elif draft.kind is ResourceKind.SYSTEM:
                code = resource_id
            else:
                known = resources.get((kind, resource_id)) or resources.get(_system(kind, resource_id))
                code = known.agency if known is not None else resource_id.partition("/")[0]
            yield from ended(path, code, specs.get((ResourceKind.AGENCY, code), {}), now)


def _system(kind: ResourceKind, resource_id: str) -> ResourceKey:
    return ResourceKind.SYSTEM, resource_id.rpartition("/")[0] if kind in _PROVIDED else resource_id


def under_ended_parents(
    drafts: Iterable[Draft], resources: Mapping[ResourceKey, Resource], specs: Specs, now: datetime
) -> Iterator[Violation]:
    """Yield each agency of the catalog that would come below another one whose code has ended."""
    for draft in drafts:
        before = resources.get(draft.key)
        if draft.kind is not ResourceKind.AGENCY or draft.spec is None or before is None:
            continue
        parent = draft.spec.get("parent")
        if parent is not None and parent != before.spec.get("parent"):
            path = (*draft.spec_path, "parent")
            yield from ended(path, parent, specs.get((ResourceKind.AGENCY, parent), {}), now)


def reopened(drafts: Iterable[Draft], resources: Mapping[ResourceKey, Resource]) -> Iterator[Violation]:
    """Yield each agency that was merged into another one, and would begin again or go elsewhere."""
    for draft in drafts:
        before = resources.get(draft.key)
        if not isinstance(before, AgencyResource) or before.merged_into is None or draft.spec is None:
            continue
        for member in ("validTo", "replacedBy"):
            if draft.spec.get(member) != before.spec.get(member):
                yield Violation(
                    (*draft.spec_path, member),
                    BilingualText(
                        f"'{draft.id}' was merged into '{before.merged_into}' and stays so; write "
                        f"{member}: '{before.spec.get(member)}'",
                        f"'{draft.id}' đã sáp nhập vào '{before.merged_into}' và giữ nguyên như vậy; hãy ghi "
                        f"{member}: '{before.spec.get(member)}'",
                    ),
                    conflict=True,
                )


def replacement_cycles(drafts: Iterable[Draft], specs: Specs) -> Iterator[Violation]:
    """Yield each agency that, through its successors, would in the end be replaced by itself."""
    for draft in _going_round(drafts, specs, "replacedBy"):
        successor = (draft.spec or {})["replacedBy"]
        yield Violation(
            (*draft.spec_path, "replacedBy"),
            BilingualText(
                f"'{successor}' is itself replaced by '{draft.id}' in the end; remove one of the "
                f"replacements",
                f"'{successor}' cuối cùng lại được thay bằng '{draft.id}'; hãy bỏ một trong các khai báo "
                f"thay thế",
            ),
        )


def hierarchy_cycles(drafts: Iterable[Draft], specs: Specs) -> Iterator[Violation]:
    """Yield each agency that would stand below itself."""
    for draft in _going_round(drafts, specs, "parent"):
        parent = (draft.spec or {})["parent"]
        yield Violation(
            (*draft.spec_path, "parent"),
            BilingualText(
                f"'{parent}' is itself below '{draft.id}'; give one of the two another parent",
                f"'{parent}' lại trực thuộc '{draft.id}'; hãy đổi cấp trên của một trong hai",
            ),
        )


def follow(code: str, specs: Specs, member: str) -> list[str]:
    """Return the codes to which a member leads from one agency to the next, each once, without the first."""
    seen: dict[str, None] = {}
    found = specs.get((ResourceKind.AGENCY, code), {}).get(member)
    while found is not None and found not in seen:
        seen[found] = None
        found = specs.get((ResourceKind.AGENCY, found), {}).get(member)
    return list(seen)


def _going_round(drafts: Iterable[Draft], specs: Specs, member: str) -> Iterator[Draft]:
    """Yield each agency to which a member leads back over at least one other; an agency that names itself is
    told so by its own."""
    for draft in drafts:
        if draft.kind is not ResourceKind.AGENCY or draft.spec is None or draft.spec.get(member) == draft.id:
            continue
        if draft.id in follow(draft.id, specs, member):
            yield draft
