"""What answers say of a service that comes to its end: Deprecation (RFC 9745), Sunset (RFC 8594), links."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from lienthong.client.errors import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATE: Final = re.compile(r"@(-?[0-9]{1,11})")
_SUCCESSOR: Final = re.compile(r"<([^<>]{1,2000})>\s*;\s*rel=\"?successor-version\"?")
_MOST_REMEMBERED: Final = 1000
_OWN_PATH: Final = "/api/"

_log = logging.getLogger("lienthong.client")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That a service is deprecated: since when, until when it answers, and what takes its place.

    `since` may lie in the future. `sunset` is None where no end is announced. `successor` is the id of a
    service of the catalog, else an address; None where none is named.
    """

    since: datetime
    sunset: datetime | None = None
    successor: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Deprecation | None:
        """Read the fields of an answer; None where it says nothing of a deprecation that can be read."""
        stated = _DATE.fullmatch(headers.get("deprecation", "").strip())
        if stated is None:
            return None
        try:
            since = datetime.fromtimestamp(int(stated[1]), UTC)
        except (ValueError, OverflowError, OSError):
            return None
        named = _SUCCESSOR.search(headers.get("link", ""))
        successor = named[1].removeprefix(_OWN_PATH) if named is not None else None
        return cls(since, _http_date(headers.get("sunset")), successor)

    @property
    def text(self) -> Text:
        """What a person should know."""
        vi, en = "dịch vụ sắp ngừng", "the service is deprecated"
        if self.sunset is not None:
            day = self.sunset.isoformat().replace("+00:00", "Z")
            vi, en = f"{vi}, kết thúc vào {day}", f"{en}, and ends on {day}"
        if self.successor is not None:
            vi, en = f"{vi}; thay bằng {self.successor}", f"{en}; its successor is {self.successor}"
        return Text(vi, en)


class DeprecationWarnings:
    """Says once of each service that it is deprecated, in the log of the calling program."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def note(self, service: str, headers: Mapping[str, str]) -> None:
        """Take note of an answer of a service."""
        if "deprecation" not in headers or service in self._told or len(self._told) >= _MOST_REMEMBERED:
            return
        found = Deprecation.of(headers)
        if found is not None:
            self._told.add(service)
            _log.warning("%s: %s", service, found.text.en)


def _http_date(text: str | None) -> datetime | None:
    """Read an HTTP-date (RFC 9110 section 5.6.7)."""
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
