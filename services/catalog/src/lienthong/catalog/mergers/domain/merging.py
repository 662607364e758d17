"""What a merger does with agencies, and why one is refused, without I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lienthong.catalog.agencies.domain.agency import AgencyResource, has_ended
from lienthong.catalog.agencies.domain.succession import follow
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import ResourceKey, ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from lienthong.kit.json_pointer import JsonPath

MOST_PREDECESSORS: Final = 100
"""So many codes an agency may stand for: tokens of its people and systems name them."""
_AGENCIES, _INTO, _ON = "agencies", "into", "on"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: these codes end `on`, an instant in UTC; `into` goes on."""

    agencies: tuple[str, ...]
    into: str
    on: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog has of the agencies of a merger.

    `agencies` has those that are named, those above them, and those that replace them. `predecessors` are the
    codes for which `into` stands already.
    """

    agencies: Mapping[str, AgencyResource]
    predecessors: frozenset[str]


def closed(wanted: Wanted, known: Known) -> list[AgencyResource]:
    """Return the agencies that end, as they are afterwards; without those that have been merged so before."""
    found = []
    for code in wanted.agencies:
        before = known.agencies[code]
        if before.merged_into is None:
            spec = before.spec | {"validTo": wanted.on, "replacedBy": wanted.into}
            found.append(replace(before, spec=spec, merged_into=wanted.into))
    return found


def moved(child: AgencyResource, wanted: Wanted) -> AgencyResource:
    """Return an agency below one that ends, as it is afterwards."""
    return replace(child, spec=child.spec | {"parent": wanted.into})


def violations(wanted: Wanted, known: Known, now: datetime) -> Iterator[Violation]:
    """Yield everything for which a merger is refused."""
    missing = False
    for path, code in (*_paths(wanted), ((_INTO,), wanted.into)):
        if code not in known.agencies:
            missing = True
            yield _wrong(path, f"there is no agency '{code}'", f"không có cơ quan '{code}'")
    on = validity.read(wanted.on)
    if on > now:
        yield _wrong(
            (_ON,),
            "lies ahead; announce the successor by 'validTo' and 'replacedBy' in the manifest, and merge "
            "when the day has come",
            "chưa đến; hãy báo trước bằng 'validTo' và 'replacedBy' trong tệp khai báo, đến ngày đó mới sáp "
            "nhập",
        )
    if not missing:
        yield from _successor(wanted, known, on, now)
        for path, code in _paths(wanted):
            yield from _ending(path, code, wanted, known, on)


def _successor(wanted: Wanted, known: Known, on: datetime, now: datetime) -> Iterator[Violation]:
    into = known.agencies[wanted.into]
    if has_ended(into.spec, now):
        last = ([into.id, *_follow(into.id, known, "replacedBy")])[-1]
        yield _conflict(
            (_INTO,),
            f"'{into.id}' ended on {into.spec['validTo']}" + (f"; use '{last}'" if last != into.id else ""),
            f"'{into.id}' hết hiệu lực từ {into.spec['validTo']}"
            + (f"; hãy dùng '{last}'" if last != into.id else ""),
        )
    begins = into.spec.get("validFrom")
    if begins is not None and validity.read(begins) > on:
        yield _conflict(
            (_INTO,),
            f"'{into.id}' begins on {begins}, after the merger; merge on that day, or apply it with an "
            "earlier 'validFrom'",
            f"'{into.id}' có hiệu lực từ {begins}, sau ngày sáp nhập; hãy sáp nhập từ ngày đó, hoặc áp dụng "
            "lại với 'validFrom' sớm hơn",
        )
    new = {one for one in wanted.agencies if known.agencies[one].merged_into is None}
    if len(known.predecessors | new) > MOST_PREDECESSORS:
        yield _conflict(
            (_INTO,),
            f"'{into.id}' would stand for more than {MOST_PREDECESSORS} codes",
            f"'{into.id}' sẽ kế thừa quá {MOST_PREDECESSORS} mã",
        )


def _ending(path: JsonPath, code: str, wanted: Wanted, known: Known, on: datetime) -> Iterator[Violation]:
    if code == wanted.into:
        yield _wrong(
            path, "an agency cannot be merged into itself", "cơ quan không thể sáp nhập vào chính mình"
        )
        return
    before, into = known.agencies[code], known.agencies[wanted.into]
    ends, successor = before.spec.get("validTo"), before.replaced_by
    if before.merged_into is not None and (before.merged_into, ends) != (wanted.into, wanted.on):
        yield _conflict(
            path,
            f"'{code}' was merged into '{before.merged_into}' on {ends} already",
            f"'{code}' đã sáp nhập vào '{before.merged_into}' từ {ends}",
        )
        return
    if successor is not None and successor != wanted.into:
        yield _conflict(
            path,
            f"'{code}' is replaced by '{successor}' by its manifest; merge it into that, or apply another "
            "'replacedBy' first",
            f"'{code}' được khai báo thay bằng '{successor}'; hãy sáp nhập vào đó, hoặc áp dụng 'replacedBy' "
            "khác trước",
        )
    if ends is not None and ends != wanted.on:
        yield _conflict(
            path,
            f"'{code}' ends on {ends} by its manifest; merge on that day, or apply another 'validTo' first",
            f"'{code}' được khai báo hết hiệu lực từ {ends}; hãy sáp nhập từ ngày đó, hoặc áp dụng 'validTo' "
            "khác trước",
        )
    begins = before.spec.get("validFrom")
    if begins is not None and validity.read(begins) >= on:
        yield _conflict(
            path,
            f"'{code}' begins on {begins} only, not before the merger",
            f"'{code}' có hiệu lực từ {begins}, không trước ngày sáp nhập",
        )
    if code in _follow(wanted.into, known, "replacedBy"):
        yield _conflict(
            path,
            f"'{wanted.into}' is itself replaced by '{code}' in the end",
            f"'{wanted.into}' cuối cùng lại được thay bằng '{code}'",
        )
    if code in _follow(wanted.into, known, "parent"):
        yield _conflict(
            path,
            f"'{wanted.into}' is below '{code}'; give it another 'parent' first",
            f"'{wanted.into}' trực thuộc '{code}'; hãy đổi 'parent' của nó trước",
        )
    if before.member_class != into.member_class:
        yield _conflict(
            path,
            f"'{code}' is of class {before.member_class} and '{into.id}' of {into.member_class}; addresses "
            "of X-Road contain it, so apply the same class first",
            f"'{code}' thuộc loại {before.member_class} còn '{into.id}' thuộc loại {into.member_class}; loại "
            "nằm trong địa chỉ X-Road, hãy áp dụng cùng loại trước",
        )


def _paths(wanted: Wanted) -> list[tuple[JsonPath, str]]:
    return [((_AGENCIES, index), code) for index, code in enumerate(wanted.agencies)]


def _follow(code: str, known: Known, member: str) -> list[str]:
    specs: dict[ResourceKey, dict[str, object]] = {
        (ResourceKind.AGENCY, one): dict(agency.spec) for one, agency in known.agencies.items()
    }
    return follow(code, specs, member)


def _wrong(path: JsonPath, en: str, vi: str) -> Violation:
    return Violation(path, BilingualText(en, vi))


def _conflict(path: JsonPath, en: str, vi: str) -> Violation:
    return Violation(path, BilingualText(en, vi), conflict=True)
