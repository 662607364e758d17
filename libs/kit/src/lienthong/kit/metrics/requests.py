"""Durations of requests, under a bounded number of names whatever callers send."""

from __future__ import annotations

from copy import copy
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from lienthong.kit.metrics.durations import Durations
from lienthong.kit.metrics.instruments import ACTIVE_REQUESTS, REQUEST_DURATION
from lienthong.kit.problems import ERROR_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lienthong.kit.clock import Clock
    from lienthong.kit.metrics.durations import Series
    from lienthong.kit.metrics.figures import Figures

OTHER: Final = "_OTHER"
"""What has no name of its own, as the semantic conventions spell it."""
MOST_PLACES: Final = 300
"""Services or routes that are named."""
MOST_ENDINGS: Final = 24
"""Combinations of method, status and error that are told apart at one place, with an error and without."""
ABORTED: Final = "aborted"
"""The error of a request whose caller went away, or whose answer was broken off."""

METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}
)
_STATUSES: Final = {status: status for status in map(int, HTTPStatus)}
_FIRST_SERVER_ERROR: Final = 500
_ERROR_HEADER: Final = ERROR_HEADER.lower().encode()


class Ending(NamedTuple):
    """What tells requests apart: where, and how they ended."""

    place: str | None
    """A service, or a route; None where the request led to none."""
    method: str
    status: int | None
    error: str | None


class RequestDurations:
    """`http.server.request.duration`; `attribute` names the place: `lgsp.service` or `http.route`."""

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute
        self.durations = Durations(REQUEST_DURATION, self._attributes)
        self._places: set[str | None] = set()
        # Apart: whoever can only be refused must not use up what tells good answers apart.
        self._endings: dict[tuple[str | None, bool], int] = {}

    def series(self, place: str | None, method: str, status: int | None, error: str | None) -> Series:
        """Where to count such requests.

        `error` is the code of the problem, `status` None when there was no answer.
        """
        if method not in METHODS:
            method = OTHER
        if status is not None:
            status = _STATUSES.get(status) or _class_of(status)
            if error is None and status >= _FIRST_SERVER_ERROR:
                error = str(status)
        ending = Ending(place, method, status, error)
        return self.durations.series(ending if ending in self.durations else self._admitted(ending))

    def _admitted(self, ending: Ending) -> Ending:
        """The ending if there is room for another one, else the one that stands for all the rest."""
        place = ending.place
        if place not in self._places:
            if len(self._places) < MOST_PLACES:
                self._places.add(place)
            else:
                place = OTHER
                ending = ending._replace(place=place)
        if ending in self.durations:
            return ending
        kind = place, ending.error is not None
        told_apart = self._endings.get(kind, 0)
        if told_apart >= MOST_ENDINGS:
            return Ending(place, OTHER, None, OTHER if ending.error is not None else None)
        self._endings[kind] = told_apart + 1
        return ending

    def _attributes(self, ending: Ending) -> Mapping[str, str | int]:
        found: dict[str, str | int] = {"http.request.method": ending.method, "url.scheme": "http"}
        if ending.place is not None:
            found[self._attribute] = ending.place
        if ending.status is not None:
            found["http.response.status_code"] = ending.status
        if ending.error is not None:
            found["error.type"] = ending.error
        return found


def _class_of(status: int) -> int:
    """A status without a name counts as the first of its class (RFC 9110 section 15)."""
    return min(max(status // 100, 1), 5) * 100


class MeasuredApp:
    """Counts the requests of an ASGI application by route, as FastAPI leaves it in the scope."""

    def __init__(self, app: ASGIApp, figures: Figures, clock: Clock) -> None:
        self.app = app
        self._clock = clock
        self._requests = RequestDurations("http.route")
        self._active: set[object] = set()
        figures.add(self._requests.durations)
        figures.observe(ACTIVE_REQUESTS, lambda: len(self._active))

    def beside(self, app: ASGIApp) -> MeasuredApp:
        """Another application of the process, whose requests are counted together with these."""
        other = copy(self)
        other.app = app
        return other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status: int | None = None
        error: str | None = ABORTED

        async def noting(message: Message) -> None:
            nonlocal status, error
            if message["type"] == "http.response.start":
                status = message["status"]
                error = _error_of(message)
            await send(message)

        began = self._clock.monotonic()
        self._active.add(noting)
        try:
            await self.app(scope, receive, noting)
        except BaseException:
            error = ABORTED
            raise
        finally:
            self._active.discard(noting)
            took = self._clock.monotonic() - began
            self._requests.series(_route_of(scope), scope["method"], status, error).record(took)


def _error_of(message: Mapping[str, Any]) -> str | None:
    for name, value in message.get("headers", ()):
        if name == _ERROR_HEADER:
            return bytes(value).decode("latin-1")
    return None


def _route_of(scope: Scope) -> str | None:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else None
