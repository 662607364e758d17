"""What a person chose of how pages look: language, colours, time zone. Cookies hold it, nobody's account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from lienthong.kit.text import BilingualText

LANGUAGES: Final = ("vi", "en")
THEMES: Final = ("system", "light", "dark")
HOME_ZONE: Final = "Asia/Ho_Chi_Minh"
LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"
ZONE_COOKIE: Final = "zone"
"""Written by a script of the page, as only the browser knows where its clock stands."""
KEPT_S: Final = 365 * 86_400
_LONGEST_ZONE: Final = 40


@dataclass(frozen=True, slots=True)
class Preferences:
    """How one person wants to see pages."""

    language: str
    theme: str
    zone: str

    def text(self, vi: str, en: str) -> str:
        """The one of two texts that is in the person's language."""
        return vi if self.language == "vi" else en

    def of(self, text: BilingualText) -> str:
        """A text in the person's language."""
        return self.text(text.vi, text.en)

    def time(self, at: datetime) -> str:
        """A time in the person's zone, with UTC beside it: `30/11/2026 22:54 (15:54 UTC)`."""
        local = at.astimezone(_zone(self.zone) or _zone(HOME_ZONE))
        utc = at.astimezone(UTC)
        if not local.utcoffset():
            return f"{utc:%d/%m/%Y %H:%M} UTC"
        day = "" if utc.date() == local.date() else f"{utc:%d/%m} "
        return f"{local:%d/%m/%Y %H:%M} ({day}{utc:%H:%M} UTC)"


def preferences_of(request: Request) -> Preferences:
    """What the cookies of a request say; by default Vietnamese, the device's colours, Vietnam's time."""
    language = request.cookies.get(LANGUAGE_COOKIE, "")
    theme = request.cookies.get(THEME_COOKIE, "")
    zone = request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/")
    return Preferences(
        language if language in LANGUAGES else LANGUAGES[0],
        theme if theme in THEMES else THEMES[0],
        zone if len(zone) <= _LONGEST_ZONE and _zone(zone) is not None else HOME_ZONE,
    )


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    """A zone by its IANA name; a name that cannot be one leads to no file."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
