"""Where people and systems may have the gateway send calls: not to what another agency has.

Providers may trust whatever comes from the gateway's network. Whoever named another agency's address as the
own upstream would call it through the gateway, without an agreement of that agency's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lienthong.catalog.apply.domain.who import may
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.catalog.services.domain.upstreams import address_violations, destination
from lienthong.kit.policy import Action
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lienthong.catalog.apply.domain.planning import ApplyPlan, PlannedChange
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.kit.actors import Actor
    from lienthong.kit.addresses import ProviderAddresses
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import JsonObject


def refused_addresses(drafts: Iterable[Draft], rules: ProviderAddresses) -> Iterator[Violation]:
    """Yield each address in a service at which no provider may be, whoever names it."""
    for draft in drafts:
        if draft.kind is not ResourceKind.SERVICE or draft.spec is None:
            continue
        spec, path = draft.spec, draft.spec_path
        yield from (one.under(*path, "upstreams") for one in address_violations(spec["upstreams"], rules))
        for index, credential in enumerate(spec.get("credentials", ())):
            if (url := credential.get("tokenUrl")) is not None:
                place = (*path, "credentials", index, "tokenUrl")
                yield from (replace(one, path=place) for one in address_violations([url], rules))


def new_destinations(actor: Actor, plan: ApplyPlan) -> Mapping[str, Sequence[JsonPath]]:
    """Where a person who does not act for the whole platform would newly have calls sent: `host:port`, and
    the places in the request that name it. What a service has already is not new."""
    found: dict[str, list[JsonPath]] = {}
    if may(actor, Action.MANAGE_SERVICES):
        return found
    for change in plan.changes:
        if change.kind is ResourceKind.SERVICE:
            for path, address in _new(change):
                found.setdefault(destination(address), []).append((*change.spec_path, *path))
    return found


def others_destinations(actor: Actor, agency: str, upstreams: Sequence[str]) -> Collection[str]:
    """Where the upstreams of a service lead, if it is of an agency for whose services a person may not
    speak."""
    return () if may(actor, Action.DRAFT_SERVICES, agency) else [destination(one) for one in upstreams]


def taken(new: Mapping[str, Sequence[JsonPath]], others: Collection[str]) -> Iterator[Violation]:
    """Yield each place that names where a service of another agency is."""
    for where, paths in new.items():
        if where in others:
            text = BilingualText(
                f"a service of another agency is at '{where}', and only the operator of the platform lets "
                "services of several agencies share it; ask the operator to apply this manifest, or name "
                "an address of your own system",
                f"tại '{where}' đã có dịch vụ của cơ quan khác, chỉ đơn vị vận hành nền tảng mới cho dịch vụ "
                "của nhiều cơ quan dùng chung; hãy đề nghị đơn vị vận hành áp dụng tệp khai báo này, hoặc "
                "ghi địa chỉ của hệ thống bạn",
            )
            yield from (Violation(path, text) for path in paths)


def x_road_clients(actor: Actor, plan: ApplyPlan) -> Iterator[tuple[JsonPath, Action, str]]:
    """Yield each place where a person has the gateway appear as a member of X-Road, or as another one than
    before; it needs a role for the whole platform, whose member that is."""
    if actor.is_operator:
        return
    for change in plan.changes:
        if change.kind is ResourceKind.SERVICE:
            x_road = change.spec.get("xRoad")
            if x_road is not None and x_road != _before(change).get("xRoad"):
                yield (*change.spec_path, "xRoad"), Action.MANAGE_SERVICES, ""


def _new(change: PlannedChange) -> Iterator[tuple[JsonPath, str]]:
    known = {address for _, address in _addresses(_before(change))}
    for path, address in _addresses(change.spec):
        if address not in known:
            yield path, address


def _addresses(spec: JsonObject) -> Iterator[tuple[JsonPath, str]]:
    """Yield the addresses that the gateway sends something to: calls, and what it asks tokens with."""
    for index, address in enumerate(spec.get("upstreams", ())):
        yield ("upstreams", index), address
    for index, credential in enumerate(spec.get("credentials", ())):
        if (url := credential.get("tokenUrl")) is not None:
            yield ("credentials", index, "tokenUrl"), url


def _before(change: PlannedChange) -> JsonObject:
    return {} if change.before is None else change.before.spec
