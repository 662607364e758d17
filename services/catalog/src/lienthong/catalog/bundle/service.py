"""Shows the services of an agency as one OpenAPI document."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.effect import EffectiveStatus, effective_status
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.bundle.domain.document import Bundled, document
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import not_allowed
from lienthong.catalog.services.service import document_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.catalog.service.unit_of_work import CatalogView, UnitsOfWork
    from lienthong.kit.actors import Actor

_MOST_BYTES: Final = 8 * 1024 * 1024
"""Of the documents that become one: the one that passes it is the last. A document has 20 MiB at most."""
_AT_ONCE: Final = 200
_PORTION: Final = 25


class BundleService:
    """Makes the documents. `public_url` is the gateway's for callers, without a `/` at its end."""

    def __init__(self, units: UnitsOfWork, public_url: str) -> None:
        self._units = units
        self._public_url = public_url
        self._turn = asyncio.Semaphore()

    async def openapi(
        self, agency: str, actor: Actor, *, agreed: bool, after: str, limit: int
    ) -> tuple[str, str | None]:
        """Return up to `limit` services of an agency that are offered, as the text of one document, and the
        id after which others follow.

        With `agreed` only what the calling system may call under agreements in force.

        Raises:
            ProblemError: `unknown-resource`, there is no such agency; `not-allowed`, `agreed` is asked for
                by somebody who has no agreements.
        """
        if agreed and not actor.is_system:
            raise not_allowed(
                "Only a system has agreements: call as one, or leave 'agreed' out.",
                "Chỉ hệ thống mới có thoả thuận: hãy gọi với tư cách hệ thống, hoặc bỏ 'agreed'.",
            )
        # Large documents take some seconds and some times their size: one at a time.
        async with self._turn:
            async with self._units.view() as view:
                found = await view.get((ResourceKind.AGENCY, agency))
                allowed = await _agreed(view, agency, actor.name) if agreed else None
                services, last = await _services(view, agency, allowed, after, limit)
            text = await asyncio.to_thread(
                lambda: json.dumps(
                    document(agency, found.spec["name"], services, self._public_url),
                    ensure_ascii=False,
                    separators=(",", ":"),
                )
            )
        return text, last


async def _services(
    view: CatalogView,
    agency: str,
    allowed: Mapping[str, set[str] | None] | None,
    after: str,
    limit: int,
) -> tuple[list[Bundled], str | None]:
    repository = view.resources(ResourceKind.SERVICE)
    services: list[Bundled] = []
    room, looked_at, last = _MOST_BYTES, 0, after
    while looked_at < limit and room > 0:
        wanted = min(_PORTION, limit - looked_at)
        page = await repository.page({"agency": [agency]}, last, wanted)
        for one in page:
            looked_at, last = looked_at + 1, one.id
            offered = one.lifecycle.stage_at(view.now).is_offered
            if not offered or (allowed is not None and one.id not in allowed):
                continue
            room -= await document_bytes(view, [one.id])
            services.append(Bundled(await view.get(one.key), None if allowed is None else allowed[one.id]))
            if room <= 0:
                break
        if len(page) < wanted and (not page or last == page[-1].id):
            return services, None
    return services, last


async def _agreed(view: CatalogView, agency: str, consumer: str) -> dict[str, set[str] | None]:
    """Return the services of an agency that a system may call, with the operations; None stands for all."""
    found: dict[str, set[str] | None] = {}
    repository, after = view.resources(ResourceKind.AGREEMENT), ""
    filters = {"consumer": [consumer], "provider": [agency], "status": [AgreementStatus.APPROVED.value]}
    while page := await repository.page(filters, after, _AT_ONCE):
        after = page[-1].id
        for one in page:
            assert isinstance(one, AgreementResource)  # noqa: S101 - of their repository
            status = effective_status(AgreementStatus(one.status), one.spec, view.now)
            if status is not EffectiveStatus.IN_FORCE or "service" not in one.spec:
                continue
            operations, known = one.spec.get("operations"), found.get(one.target, set())
            both = None if operations is None or known is None else known | set(operations)
            found[one.target] = both
    return found
