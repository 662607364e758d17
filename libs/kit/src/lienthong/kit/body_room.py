"""Room in memory for the bodies of requests: taken before a body is read, given back after the answer.

A limit on one body does not bound a process: thousands of connections may each send one, slowly. So the bytes
of all bodies under way are bounded, and those of each caller's, that none takes the room of the others.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lienthong.kit.problems.load import busy, too_much_at_once
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

MIB: Final = 1024 * 1024
ALL_BYTES: Final = 256 * MIB
"""Bytes of bodies that a process holds at most. A body lies in memory up to three times while it is handed
on, so that this is less than half of what the pods of exchange and catalog may use."""
CALLERS_BYTES: Final = 32 * MIB
"""Bytes of them that are one caller's; the largest body that any service takes has 25 MiB."""

_SHARE: Final = "lienthong.body_share"


class BodyRoom:
    """How many bytes of bodies are under way: of all callers, and of each of them."""

    def __init__(self, *, all_bytes: int = ALL_BYTES, callers_bytes: int = CALLERS_BYTES) -> None:
        self._all_bytes = all_bytes
        self._callers_bytes = callers_bytes
        self._all = 0
        self._of: Counter[str] = Counter()

    def take(self, caller: str, size: int) -> None:
        """Take room for `size` bytes. Those who have no name (`caller` is empty) share the room of all.

        Raises:
            ProblemError: 429 `rate-limited`, the caller has too much under way; 503 `busy`, all have.
        """
        if caller and self._of[caller] + size > self._callers_bytes:
            most = self._callers_bytes
            raise too_much_at_once(
                BilingualText(
                    f"The bodies of one caller's requests have at most {most} bytes at a time.",
                    f"Nội dung các yêu cầu cùng lúc của một hệ thống có tối đa {most} byte.",
                )
            )
        if self._all + size > self._all_bytes:
            raise busy()
        self._all += size
        self._of[caller] += size

    def give_back(self, caller: str, size: int) -> None:
        """Give room back that was taken."""
        self._all -= size
        self._of[caller] -= size
        if not self._of[caller]:
            del self._of[caller]


class BodyShare:
    """The room that one request has taken; it is given back when the request has been answered."""

    def __init__(self, room: BodyRoom, sender: str = "") -> None:
        """`sender` names who has sent it as long as no caller is known: by default nobody."""
        self._room = room
        self._sender = sender
        self._caller = ""
        self._size = 0

    def take(self, caller: str, size: int) -> None:
        """Take room for a body of `size` bytes, instead of what was taken before; of a `caller` without a
        name it is the sender's.

        Raises:
            ProblemError: as `BodyRoom.take`; nothing is taken then.
        """
        self.give_back()
        caller = caller or self._sender
        self._room.take(caller, size)
        self._caller, self._size = caller, size

    def keep(self, size: int) -> None:
        """Keep room for `size` bytes, which is no more than was taken: so many came."""
        self._room.give_back(self._caller, self._size - size)
        self._size = size

    def give_back(self) -> None:
        """Give all of it back."""
        self.keep(0)


class BoundedBodies:
    """ASGI middleware: each request has a share of one `BodyRoom`, which `share_of` finds.

    `sender_of` names who has sent a request, where callers have no tokens.
    """

    def __init__(
        self, app: ASGIApp, room: BodyRoom, sender_of: Callable[[Scope], str] = lambda _: ""
    ) -> None:
        self._app = app
        self._room = room
        self._sender_of = sender_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; when it has been answered its room is free."""
        share = share_for(scope, self._room, self._sender_of(scope) if scope["type"] == "http" else "")
        try:
            await self._app(scope, receive, send)
        finally:
            share.give_back()


def share_for(scope: Scope, room: BodyRoom, sender: str = "") -> BodyShare:
    """Give a request a share; whoever answers the request gives it back."""
    share = scope[_SHARE] = BodyShare(room, sender)
    return share


def share_of(scope: Scope) -> BodyShare:
    """The share of a request; its application has the middleware `BoundedBodies`, or gives one."""
    share: BodyShare = scope[_SHARE]
    return share
