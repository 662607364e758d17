"""What waits for somebody who comes to the console: each thing with its number and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from lienthong.console.web import Visit

_MOST: Final = 100
"""Things that are counted; where there are more, it is said that there are."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many things that somebody has to do; None where the platform could not say how many."""

    number: int | None
    more: bool
    title: BilingualText
    path: str

    @property
    def shown(self) -> str:
        """The number as people read it."""
        return "?" if self.number is None else f"{self.number}{'+' if self.more else ''}"


async def what_waits(visit: Visit) -> list[Waiting]:
    """Everything that waits for a person, by the roles of this moment."""
    found = []
    if visit.places(Action.MANAGE_PEOPLE):
        title = BilingualText("accounts to review", "tài khoản cần rà soát")
        found.append(
            await _counted(visit, "/identity/v1/people", {"review": "due"}, title, "/people?review=due")
        )
    return found


async def _counted(
    visit: Visit, asked: str, query: dict[str, str], title: BilingualText, path: str
) -> Waiting:
    try:
        answer = await visit.desk.get(asked, **query, limit=_MOST)
    except ProblemError:
        # The first page is there also where a part of the platform is not.
        return Waiting(None, False, title, path)
    items = answer.get("items")
    return Waiting(len(items) if isinstance(items, list) else None, bool(answer.get("next")), title, path)
