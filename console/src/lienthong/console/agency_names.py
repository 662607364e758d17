"""What agencies are called, for pages that know their codes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lienthong.console.platform import Desk
    from lienthong.kit.clock import Clock

AGENCIES: Final = "/catalog/v1/agencies"
_KEPT_S: Final = 300.0
_KEPT: Final = 10_000
_ASKED_AT_ONCE: Final = 50
"""A page has no more people or agencies than that."""


class AgencyNames:
    """Names that the catalog has told, kept for five minutes: everybody with a role may read them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[BilingualText, float]] = OrderedDict()

    async def of(self, desk: Desk, codes: Iterable[str]) -> Callable[[str], BilingualText]:
        """Look some agencies up for a person; gives what shows an agency by its code.

        Where the catalog is away, does not know an agency, or does not tell that person, it is the code
        alone.

        Raises:
            SessionEndedError: the person's session has ended meanwhile.
        """
        now = self._clock.monotonic()
        wanted = sorted({code for code in codes if code})
        unknown = [code for code in wanted if self._known.get(code, (None, now))[1] <= now]
        await asyncio.gather(*(self._ask(desk, code, now) for code in unknown[:_ASKED_AT_ONCE]))
        told = {code: self._known[code][0] for code in wanted if code in self._known}

        def shown(code: str) -> BilingualText:
            return told.get(code) or BilingualText(code, code)

        return shown

    async def _ask(self, desk: Desk, code: str, now: float) -> None:
        self._known.pop(code, None)
        try:
            manifest = await desk.get(f"{AGENCIES}/{quote(code, safe='')}")
        except ProblemError:
            return
        match manifest:
            case {"spec": {"name": {"en": str(en), "vi": str(vi)}}}:
                self._known[code] = BilingualText(f"{en} ({code})", f"{vi} ({code})"), now + _KEPT_S
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
