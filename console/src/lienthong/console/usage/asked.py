"""What a page about use is asked for: whose calls, counted by what, in which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from lienthong.kit.clock import rfc3339
from lienthong.kit.policy import Action
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.console.web import Visit

USAGE: Final = "/audit/v1/usage"
DAYS: Final = {
    1: BilingualText("the last 24 hours", "24 giờ qua"),
    7: BilingualText("the last 7 days", "7 ngày qua"),
    30: BilingualText("the last 30 days", "30 ngày qua"),
    90: BilingualText("the last 90 days", "90 ngày qua"),
}
_DAYS: Final = 7
_LONGEST_CODE: Final = 35
_LONGEST_ID: Final = 255


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at use: what calls are counted by, and on which side of them the agency is."""

    name: str
    title: BilingualText
    by: Sequence[str]
    side: str


VIEWS: Final = (
    View(
        "to",
        BilingualText("Who uses our services", "Ai dùng dịch vụ của cơ quan"),
        ("consumer", "service", "operation", "purpose"),
        "provider",
    ),
    View(
        "from",
        BilingualText("What we use", "Cơ quan dùng những gì"),
        ("consumer", "service", "operation", "purpose"),
        "consumer_agency",
    ),
    View(
        "errors",
        BilingualText("Our calls that fail", "Lời gọi bị lỗi của cơ quan"),
        ("consumer", "service", "status", "error"),
        "consumer_agency",
    ),
)
"""The first is what is shown to those who come without a wish."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for. `places` are the agencies to choose from; none for who may see all."""

    view: View
    agency: str
    days: int
    consumer: str
    service: str
    places: Sequence[str]

    @classmethod
    def of(cls, given: Mapping[str, str], visit: Visit) -> Asked:
        """Read the query of a page; what is none of its values is as if it were not there."""
        places = agencies_of(visit)
        named = given.get("agency", "").strip().upper()[:_LONGEST_CODE]
        days = given.get("days", "")
        return cls(
            next((one for one in VIEWS if one.name == given.get("view")), VIEWS[0]),
            named or (places[0] if places else ""),
            int(days) if days in map(str, DAYS) else _DAYS,
            given.get("consumer", "").strip()[:_LONGEST_ID],
            given.get("service", "").strip()[:_LONGEST_ID],
            places,
        )

    def path(self, view: str) -> str:
        """The page for the same in another view."""
        given = {
            "view": view,
            "agency": self.agency,
            "days": str(self.days),
            "consumer": self.consumer,
            "service": self.service,
        }
        return f"/usage?{urlencode({name: value for name, value in given.items() if value})}"

    def query(self, now: datetime) -> dict[str, str]:
        """What the ledger is asked for."""
        return {
            "by": ",".join(self.view.by),
            # On either side too, so that an agency of others is refused instead of shown in part.
            "agency": self.agency,
            self.view.side: self.agency,
            "consumer": self.consumer,
            "service": self.service,
            **period(self.days, now),
        }


def period(days: int, now: datetime) -> dict[str, str]:
    """The last so many days, as the ledger is asked for them."""
    return {"from": rfc3339(now - timedelta(days=days)), "to": rfc3339(now)}


def agencies_of(visit: Visit) -> Sequence[str]:
    """The agencies whose calls a person may see; none for who may see those of all."""
    places = {*visit.places(Action.READ_HEALTH), *visit.places(Action.READ_RECORDS)}
    return () if "" in places else tuple(sorted(places))
