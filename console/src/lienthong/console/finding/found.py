"""What the catalog found, as pages show it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from lienthong.console.errors import nothing_there, platform_away
from lienthong.console.systems.manifests import agency_code
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KINDS: Final = {
    "Service": BilingualText("Services", "Dịch vụ"),
    "EventType": BilingualText("Event types", "Loại sự kiện"),
    "System": BilingualText("Systems", "Hệ thống"),
    "Agency": BilingualText("Agencies", "Cơ quan"),
}
"""In the order in which they are shown."""
_PAGES: Final = {
    "Service": "/catalog/services/",
    "EventType": "/catalog/event-types/",
    "System": "/systems/",
    "Agency": "/agencies/",
}
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text; `found` where it is a word that was asked for."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with words in it."""

    id: Sequence[Part]
    summary: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found, and the page that shows it."""

    kind: BilingualText
    path: str
    id: Sequence[Part]
    name_vi: Sequence[Part]
    name_en: Sequence[Part]
    agency: BilingualText
    description: Sequence[Part]
    operations: Sequence[Operation]


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen: what it is called, how many it leaves, and where that is."""

    title: BilingualText
    count: int
    path: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for."""

    q: str = ""
    kind: str = ""
    agency: str = ""

    def path(self, **other: str) -> str:
        """The page for the same with something else in it."""
        given = {"q": self.q, "kind": self.kind, "agency": self.agency} | other
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/catalog?{query}" if query else "/catalog"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found."""

    hits: Sequence[Hit]
    total: int
    kinds: Sequence[Choice]
    agencies: Sequence[Choice]
    onward: str | None


def read(answer: Mapping[str, Any], asked: Asked) -> Found:
    """Read the catalog's answer.

    Raises:
        ProblemError: 503 `platform-unavailable`, it is none.
    """
    try:
        facets = answer["facets"]
        counts = {one["kind"]: int(one["count"]) for one in facets["kinds"]}
        kinds = [
            Choice(
                title,
                counts.get(kind, 0),
                asked.path(kind="" if asked.kind == kind else kind),
                asked.kind == kind,
            )
            for kind, title in KINDS.items()
            if counts.get(kind) or asked.kind == kind
        ]
        agencies = [_agency_choice(one, asked) for one in facets["agencies"]]
        cursor = answer["next"]
        return Found(
            [_hit(item) for item in answer["items"]],
            int(answer["total"]),
            kinds,
            agencies,
            None if cursor is None else asked.path(cursor=str(cursor)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise platform_away() from error


def _agency_choice(facet: Mapping[str, Any], asked: Asked) -> Choice:
    code = str(facet["agency"]["code"])
    chosen = asked.agency == code
    return Choice(
        _agency(facet["agency"]), int(facet["count"]), asked.path(agency="" if chosen else code), chosen
    )


def _hit(item: Mapping[str, Any]) -> Hit:
    ranges = {one["pointer"]: one["ranges"] for one in item["highlights"]}
    name = item["name"]
    vi = str(name["vi"])

    def parts(pointer: str, text: str) -> list[Part]:
        return list(_parts(text, ranges.get(pointer, ())))

    name_vi = parts("/name/vi", vi)
    return Hit(
        KINDS[item["kind"]],
        _PAGES[item["kind"]] + str(item["id"]),
        parts("/id", str(item["id"])),
        name_vi,
        parts("/name/en", str(name["en"])) if name.get("en") else name_vi,
        _agency(item["agency"]),
        parts("/description", str(item["description"])),
        [
            Operation(
                parts(f"/operations/{place}/id", str(operation["id"])),
                parts(f"/operations/{place}/summary", str(operation["summary"])),
            )
            for place, operation in enumerate(item["operations"])
        ],
    )


def _agency(agency: Mapping[str, Any]) -> BilingualText:
    code, name = str(agency["code"]), agency.get("name")
    if not name:
        return BilingualText(code, code)
    vi = str(name["vi"])
    return BilingualText(f"{name.get('en') or vi} ({code})", f"{vi} ({code})")


def _parts(text: str, ranges: Sequence[Sequence[int]]) -> Iterator[Part]:
    end = 0
    for start, after in ranges:
        if start > end:
            yield Part(text[end:start], found=False)
        yield Part(text[start:after], found=True)
        end = after
    if end < len(text):
        yield Part(text[end:], found=False)


def provided_path(kind: str, agency: str, system: str, code: str) -> str:
    """Where the catalog has a service or an event type.

    Raises:
        ProblemError: 404 `not-found`, there can be none.
    """
    if not _CODE.fullmatch(system) or not _CODE.fullmatch(code):
        raise nothing_there()
    return f"/catalog/v1/{kind}/{agency_code(agency)}/{system}/{code}"
