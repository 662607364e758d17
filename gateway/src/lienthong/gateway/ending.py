"""That a service comes to its end: what its answers say of it (RFC 9745, RFC 8594), and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from lienthong.contracts.catalog.v1 import routes_pb2

_DEPRECATION: Final = field_prefix(b"deprecation")
_SUNSET: Final = field_prefix(b"sunset")
_LINK: Final = field_prefix(b"link")
_STATED: Final = (_DEPRECATION, _SUNSET)
"""What has one value: of two that contradict each other a caller could believe neither."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_OVER: Final = datetime.min.replace(tzinfo=UTC)


class Ending:
    """That a service is deprecated or retired."""

    __slots__ = ("ends", "fields", "successor")

    def __init__(
        self,
        *,
        retired: bool,
        deprecated_at: datetime | None,
        sunset_at: datetime | None,
        successor: str,
        link: str,
    ) -> None:
        self.ends = _OVER if retired else sunset_at or _NEVER
        """The first moment at which its calls are refused."""
        self.successor = successor
        """The id of the service that takes its place; "" where none does."""
        self.fields: list[bytes] = []
        """What its answers say of it, as it is written."""
        links = []
        if deprecated_at is not None:
            # An Item of a structured field, a Date (RFC 9745 section 2.1; RFC 9651 section 3.3.7).
            self.fields += (_DEPRECATION, b"@%d" % int(deprecated_at.timestamp()))
        if link:
            links.append(f'<{link}>; rel="deprecation"')
        if sunset_at is not None:
            self.fields += (_SUNSET, format_datetime(sunset_at.astimezone(UTC), usegmt=True).encode())
            if link:
                links.append(f'<{link}>; rel="sunset"')
        if successor:
            links.append(f'</api/{successor}>; rel="successor-version"')
        if links:
            self.fields += (_LINK, ", ".join(links).encode())

    def is_over(self, now: datetime) -> bool:
        """Whether calls are refused at a time."""
        return self.ends <= now

    def told(self, fields: list[bytes]) -> list[bytes]:
        """The fields of an answer, as written, with what is told of the service in the place of what its
        provider says: the catalog is where a service's end is declared."""
        pairs = zip(fields[::2], fields[1::2], strict=True)
        return [part for pair in pairs if pair[0] not in _STATED for part in pair] + self.fields


def ending(message: routes_pb2.Ending) -> Ending:
    """Read that a service comes to its end.

    Raises:
        ValueError: one of its times cannot be represented.
    """
    return Ending(
        retired=message.retired,
        deprecated_at=message.deprecated_at.ToDatetime(UTC) if message.HasField("deprecated_at") else None,
        sunset_at=message.sunset_at.ToDatetime(UTC) if message.HasField("sunset_at") else None,
        successor=message.successor,
        link=message.link,
    )
