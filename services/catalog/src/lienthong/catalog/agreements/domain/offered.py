"""Agreements are asked for on services that are offered: published, or deprecated and not retired yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.services.domain.lifecycle import Lifecycle
    from lienthong.kit.json_text import JsonObject


def not_offered(
    drafts: Iterable[Draft], services: Mapping[str, Lifecycle], now: datetime
) -> Iterator[Violation]:
    """Yield each request for an agreement on a service that is not offered.

    An agreement that comes as approved was decided on already, by those who know the service: a catalog that
    is put back has such agreements. `drafts` are of new agreements; of a service that is not in `services`
    nothing is known.
    """
    for draft in drafts:
        if draft.kind is not ResourceKind.AGREEMENT or draft.spec is None:
            continue
        service = draft.spec.get("service", "")
        lifecycle = services.get(service)
        if lifecycle is None or draft.spec["status"] != AgreementStatus.REQUESTED:
            continue
        if (text := lifecycle.why_no_agreement(service, now)) is not None:
            yield Violation((*draft.spec_path, "service"), text)


def service_notices(spec: JsonObject, lifecycle: Lifecycle | None, now: datetime) -> Iterator[Violation]:
    """Yield what someone should know of the service who asks for an agreement on it or approves one.

    The path is relative to the manifest.
    """
    if lifecycle is None or "service" not in spec:
        return
    service = spec["service"]
    text = lifecycle.why_no_agreement(service, now) or lifecycle.deprecation(service)
    if text is not None:
        yield Violation(("spec", "service"), text)
