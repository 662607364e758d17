"""A new document of a service that others call: what breaks them is named, and refused unless it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog.errors import Violation
from lienthong.catalog.services.domain.breaking import breaking_changes, removed_operations
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lienthong.catalog.agreements.domain.operations import ServiceUse
    from lienthong.catalog.apply.domain.planning import ApplyPlan
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.services.domain.narrowing import Break
    from lienthong.catalog.services.domain.service import ServiceResource
    from lienthong.kit.json_text import JsonObject

_MOST_NOTICES: Final = 50


def breaks(before: ServiceResource, draft: Draft, spec: JsonObject) -> list[Break]:
    """Return what breaks callers of a service that is offered; nothing of one that is not.

    A service that changes from OpenAPI to SOAP or back is compared by its operations alone.
    """
    if not before.lifecycle.stage.is_offered or draft.operations is None:
        return []
    new = spec.get("openapi")
    if before.openapi is None or new is None:
        return [*removed_operations(before.operations, draft.operations)]
    return breaking_changes(before.openapi, new, before.operations, draft.operations)


def refused_breaks(
    drafts: Sequence[Draft], plan: ApplyPlan, uses: Mapping[str, ServiceUse | None]
) -> Iterator[Violation]:
    """Yield each change of a plan that breaks who has an open agreement; `uses` says of services what those
    allow."""
    by_key = {draft.key: draft for draft in drafts}
    for change in plan.changes:
        yield from refused(by_key[change.key], change.breaking, uses.get(change.id))


def refused(draft: Draft, found: Sequence[Break], use: ServiceUse | None) -> Iterator[Violation]:
    """Yield each change that breaks who has an open agreement on its operation.

    That an operation is gone which an agreement names is refused in any case, elsewhere.
    """
    if use is None:
        return
    for one in found:
        named = use.operations is not None and one.operation in use.operations
        if (one.removed and named) or not (one.operation == "" or use.reaches(one.operation)):
            continue
        of = f"{one.operation}: " if one.operation and not one.removed else ""
        yield Violation(
            (*draft.spec_path, *_document(one, draft)),
            BilingualText(
                f"breaks callers: {of}{one.text.en}; {use.agreements} open agreements use it, such as"
                f" '{use.first}'. Offer it as a new service with the next version, or apply it with"
                " allow_breaking (--allow-breaking) once the consumers have agreed",
                f"làm hỏng lời gọi: {of}{one.text.vi}; có {use.agreements} thoả thuận đang mở, ví dụ"
                f" '{use.first}'. Hãy công bố thành dịch vụ mới với phiên bản tiếp theo, hoặc áp dụng với"
                " allow_breaking (--allow-breaking) khi các bên khai thác đã đồng ý",
            ),
            conflict=True,
        )


def notices(draft: Draft, found: Sequence[Break]) -> Iterator[Violation]:
    """Yield what the changes break, for whoever makes them all the same; paths are those of the manifest."""
    for one in found[:_MOST_NOTICES]:
        of = f"{one.operation}: " if one.operation and not one.removed else ""
        yield Violation(
            ("spec", *_document(one, draft)),
            BilingualText(
                f"breaks callers: {of}{one.text.en}", f"có thể làm hỏng lời gọi: {of}{one.text.vi}"
            ),
        )
    if len(found) > _MOST_NOTICES:
        more = len(found) - _MOST_NOTICES
        yield Violation(
            ("spec",),
            BilingualText(f"{more} more changes break callers", f"còn {more} thay đổi khác làm hỏng lời gọi"),
        )


def _document(one: Break, draft: Draft) -> tuple[str | int, ...]:
    soap = any(operation.soap is not None for operation in draft.operations or ())
    return ("wsdl",) if soap else ("openapi", *one.path)
