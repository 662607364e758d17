"""What waits for somebody who comes to the console: each thing with its number and the way to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.console.web import Visit

_MOST: Final = 100
"""Things of a list that are counted; where there are more, it is said that there are."""
_MOST_PLACES: Final = 20
"""Agencies that are asked about; few people decide for more than one."""


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
        asked = [("/identity/v1/people", {"review": "due"})]
        found.append(_counted(visit, asked, title, "/people?review=due"))
    if places := visit.places(Action.DECIDE_AGREEMENTS)[:_MOST_PLACES]:
        title = BilingualText("requests to decide", "đề nghị chờ duyệt")
        asked = [("/catalog/v1/agreements", {"waiting_for": "owner", "provider": one}) for one in places]
        found.append(_counted(visit, asked, title, "/decisions"))
    if places := visit.places(Action.REQUEST_AGREEMENTS)[:_MOST_PLACES]:
        title = BilingualText("requests to complete", "đề nghị cần bổ sung")
        asked = [
            ("/catalog/v1/agreements", {"waiting_for": "consumer", "consumer_agency": one})
            for one in places
            if one
        ]
        if asked:
            found.append(_counted(visit, asked, title, "/requests"))
    return list(await asyncio.gather(*found))


async def _counted(
    visit: Visit, asked: Sequence[tuple[str, dict[str, str]]], title: BilingualText, path: str
) -> Waiting:
    """How many there are in these lists together."""
    try:
        answers = await asyncio.gather(
            *(visit.desk.get(where, **query, limit=_MOST) for where, query in asked)
        )
    except ProblemError:
        # The first page is there also where a part of the platform is not.
        return Waiting(None, False, title, path)
    lists = [answer.get("items") for answer in answers]
    number = sum(len(one) for one in lists if isinstance(one, list))
    return Waiting(number, any(answer.get("next") for answer in answers), title, path)
