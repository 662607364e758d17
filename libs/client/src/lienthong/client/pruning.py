"""What the catalog has of agencies and their files lack, and how each of it is taken out of use.

Nothing is ever removed from the catalog: services are retired, systems suspended, requests withdrawn. What
others rely on stays, and it is said why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.client.errors import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    Manifest = Mapping[str, Any]

STEPS: Final = {"Agreement": "withdraw", "Service": "retire", "System": "suspend"}
"""How each kind is taken out of use, in the order in which that is done."""
_WAITING: Final = frozenset(("draft", "requested", "information-needed", "endorsed"))
_OVER: Final = frozenset(("rejected", "revoked", "lapsed", "withdrawn", "expired"))
_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Surplus:
    """A resource that the files lack. `kept` says why it stays in use, None where nothing keeps it."""

    kind: str
    id: str
    kept: Text | None = None

    @property
    def step(self) -> str:
        """What would be done with it."""
        return STEPS[self.kind]

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        found: dict[str, Any] = {"kind": self.kind, "id": self.id, "step": self.step}
        if self.kept is not None:
            found |= {"kept": self.kept.en, "kept_vi": self.kept.vi}
        return found


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the catalog has of the agencies in question, and the agreements that they are a party of."""

    systems: Sequence[Manifest]
    services: Sequence[Manifest]
    event_types: Sequence[Manifest]
    agreements: Sequence[Manifest]


def surplus(
    held: Holdings, written: Collection[tuple[str, str]], agencies: Collection[str], kinds: Collection[str]
) -> list[Surplus]:
    """What of these kinds the files lack: `written` are the kinds and ids that they have.

    Of agreements those of the agencies' own systems that wait for something; one that holds is nobody's to
    take away by leaving it out of a file.
    """
    found = [
        *_agreements(held, written, agencies),
        *(Surplus("Service", _id(one)) for one in held.services if _is_lacking(one, written)),
        *(_system(one, held, written) for one in held.systems if _is_lacking(one, written)),
    ]
    leaving = {one.id for one in found if one.kind == "Agreement" and "Agreement" in kinds and not one.kept}
    return [
        one if one.kind == "Agreement" or one.kept else _unless_in_use(one, held, leaving)
        for one in found
        if one.kind in kinds
    ]


def _agreements(
    held: Holdings, written: Collection[tuple[str, str]], agencies: Collection[str]
) -> Iterator[Surplus]:
    for one in held.agreements:
        own = str(one["spec"]["consumer"]).partition("/")[0] in agencies
        if not own or not _is_lacking(one, written) or one.get("effectiveStatus") in _OVER:
            continue
        kept = None if one["status"] in _WAITING else _IN_FORCE
        yield Surplus("Agreement", _id(one), kept)


def _system(one: Manifest, held: Holdings, written: Collection[tuple[str, str]]) -> Surplus:
    prefix = f"{_id(one)}/"
    staying = [
        _id(offered)
        for offered in (*held.services, *held.event_types)
        if _id(offered).startswith(prefix) and (offered["kind"], _id(offered)) in written
    ]
    if not staying:
        return Surplus("System", _id(one))
    return Surplus(
        "System",
        _id(one),
        Text(
            f"các tệp vẫn giữ thứ nó cung cấp: {_listed(staying)}",
            f"the files keep what it provides: {_listed(staying)}",
        ),
    )


def _unless_in_use(one: Surplus, held: Holdings, leaving: Collection[str]) -> Surplus:
    users = [
        _id(agreement)
        for agreement in held.agreements
        if _id(agreement) not in leaving
        and agreement.get("effectiveStatus") not in _OVER
        and _is_about(agreement, one)
    ]
    if not users:
        return one
    return Surplus(
        one.kind,
        one.id,
        Text(
            f"còn {len(users)} thoả thuận: {_listed(users)}; hãy thu hồi hoặc từ chối trước",
            f"{len(users)} agreements are open: {_listed(users)}; revoke or reject them first",
        ),
    )


def _is_about(agreement: Manifest, one: Surplus) -> bool:
    spec = agreement["spec"]
    target = str(spec.get("service") or spec.get("eventType"))
    if one.kind == "Service":
        return target == one.id
    return target.startswith(f"{one.id}/") or spec["consumer"] == one.id


def _is_lacking(one: Manifest, written: Collection[tuple[str, str]]) -> bool:
    """Whether a resource that is in use is not in the files."""
    out_of_use = one.get("status") == "suspended" if one["kind"] == "System" else _is_retired(one)
    return not out_of_use and (str(one["kind"]), _id(one)) not in written


def _is_retired(one: Manifest) -> bool:
    return bool(one["spec"].get("lifecycle", {}).get("stage") == "retired")


def _id(one: Manifest) -> str:
    return str(one["metadata"]["id"])


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_NAMED]) + (", …" if len(ids) > _MOST_NAMED else "")


_IN_FORCE: Final = Text(
    "đang có hiệu lực: chỉ chấm dứt bằng lienthong agreement revoke (chủ dữ liệu) hoặc withdraw",
    "it is in force: it ends by lienthong agreement revoke (the owner of the data) or withdraw",
)
