"""Agency codes that end and are replaced by others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.domain.resources import ResourceKey
    from lienthong.kit.json_text import JsonObject

    Specs = Mapping[ResourceKey, JsonObject]


def expired_codes(new_drafts: Iterable[Draft], specs: Specs, now: datetime) -> Iterator[Violation]:
    """Yield each new system that would be registered under an agency code that has ended.

    `specs` are those of the request and of the catalog.
    """
    for draft in new_drafts:
        if draft.kind is not ResourceKind.SYSTEM:
            continue
        for path, key in draft.references:
            agency = specs.get(key, {})
            if "validTo" in agency and validity.read(agency["validTo"]) <= now:
                successor = agency.get("replacedBy")
                yield Violation(
                    path,
                    BilingualText(
                        f"the agency code '{key[1]}' ended on {agency['validTo']}"
                        + (f"; use '{successor}', which replaced it" if successor else ""),
                        f"mã cơ quan '{key[1]}' hết hiệu lực từ {agency['validTo']}"
                        + (f"; hãy dùng mã thay thế '{successor}'" if successor else ""),
                    ),
                )


def replacement_cycles(drafts: Iterable[Draft], specs: Specs) -> Iterator[Violation]:
    """Yield each agency that, through its successors, would in the end be replaced by itself."""
    for draft in drafts:
        if draft.kind is not ResourceKind.AGENCY or draft.spec is None:
            continue
        seen = {draft.id}
        successor = draft.spec.get("replacedBy")
        while successor is not None and successor not in seen:
            seen.add(successor)
            successor = specs.get((ResourceKind.AGENCY, successor), {}).get("replacedBy")
        if successor == draft.id and len(seen) > 1:
            yield Violation(
                (*draft.spec_path, "replacedBy"),
                BilingualText(
                    f"'{draft.spec['replacedBy']}' is itself replaced by '{draft.id}' in the end; remove one "
                    f"of the replacements",
                    f"'{draft.spec['replacedBy']}' cuối cùng lại được thay bằng '{draft.id}'; hãy bỏ một "
                    f"trong các khai báo thay thế",
                ),
            )
