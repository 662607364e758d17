"""What this process tells the others of its use, and when it counts as known to them; without any I/O."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from lienthong.gateway.limits.messages import MOST_ANSWERS, MOST_HEARD, MOST_USED, Answer, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.limits.messages import Heard, Used
    from lienthong.gateway.limits.peers import Peers
    from lienthong.gateway.limits.use import Use

_BEAT_S: Final = 1.0
"""How often something is told in any case."""
_SETTLES_S: Final = 0.35
"""Longer than others take to tell what they used before they had heard of this."""
_MOST_MESSAGES: Final = 20
"""At a time; the rest follows at the next."""
_REPEATED: Final = 50
"""How many counts that did not change are told again with each beat: a message may have been lost."""


class _Told:
    """A message that went out, until what it says is known to all."""

    __slots__ = ("back_at", "number", "used")

    def __init__(self, number: int, used: list[Used]) -> None:
        self.number = number
        self.used = used
        self.back_at: float | None = None
        """When it came back from the bus."""


class Conversation:
    """Forms the messages of this process, and takes in those of others. Times do not jump; in seconds."""

    def __init__(self, limiter: Limiter, peers: Peers) -> None:
        self._limiter = limiter
        self._peers = peers
        self._number = 0
        self._next_beat = 0.0
        self._asked = False
        self._told: deque[_Told] = deque()
        self._answers: dict[str, int] = {}
        self._own: dict[tuple[int, str], None] = {}
        """What is to be told besides what has changed."""
        self._heard: dict[Heard, None] = {}
        """Likewise, of those that are gone."""
        self._again: Iterator[tuple[int, str]] = iter(())
        self._heard_again: Iterator[Heard] = iter(())

    def hear(self, message: Message, now: float) -> bool:
        """Take in a message; returns whether something should be told soon."""
        own = self._limiter.seat
        if message.seat == own:
            for told in self._told:
                if told.number == message.number:
                    told.back_at = now
            return False
        self._peers.hear(message, now)
        if any(answer.seat == own for answer in message.answers):
            self._settle(now)
        if message.asks:
            self._asked = True
        if message.hurries:
            self._answers[message.seat] = message.number
        return message.asks or message.hurries

    def cut_off(self) -> None:
        """There is no connection: what is used from now on is told with the next one."""
        self._changed(len(self._limiter.changed))
        self._told.clear()

    def round(self, now: float, *, connected_anew: bool = False, hurries: bool = False) -> list[Message]:
        """The messages to send now; `hurries` asks the others to answer at once."""
        beat = now >= self._next_beat or connected_anew
        if beat:
            self._next_beat = now + _BEAT_S
            if not connected_anew:
                self._peers.look()
            self._repeat()
        if self._asked or connected_anew:
            self._asked = False
            self._own.update(dict.fromkeys(self._peers.own_names()))
            if self._peers.is_eldest:
                self._heard.update(dict.fromkeys(self._peers.gone()))
        self._settle(now)
        return self._messages(now, beat=beat, asks=connected_anew, hurries=hurries)

    def last(self, now: float) -> list[Message]:
        """The messages to send before this process ends."""
        return self._messages(now, leaves=True)

    def _messages(
        self,
        now: float,
        *,
        beat: bool = False,
        asks: bool = False,
        hurries: bool = False,
        leaves: bool = False,
    ) -> list[Message]:
        found: list[Message] = []
        for _ in range(_MOST_MESSAGES):
            used = self._next_used(now)
            heard = [self._heard.popitem()[0] for _ in range(min(len(self._heard), MOST_HEARD))]
            answers = [Answer(*self._answers.popitem()) for _ in range(min(len(self._answers), MOST_ANSWERS))]
            rest = len(used) == MOST_USED or bool(self._heard) or bool(self._answers)
            hurries = hurries and bool(used or self._told)
            if not (used or heard or answers or asks or hurries or beat or leaves):
                break
            self._number += 1
            if used:
                self._told.append(_Told(self._number, used))
            found.append(
                Message(
                    1,
                    self._limiter.seat,
                    self._number,
                    asks,
                    hurries,
                    leaves and not rest,
                    used,
                    heard,
                    answers,
                )
            )
            asks = beat = False
            if not rest:
                break
        return found

    def _settle(self, now: float) -> None:
        """See what is known to all: each has answered, or had time to tell what it did before it knew."""
        answered = self._peers.answered(self._number)
        while self._told:
            told = self._told[0]
            known = told.number <= answered
            if not known and (told.back_at is None or now - told.back_at < _SETTLES_S):
                break
            for one in self._told.popleft().used:
                use = self._limiter.uses.get(one.agreement)
                if use is not None:
                    use.settle(one.day, one.calls, one.size, one.in_flight)

    def _next_used(self, now: float) -> list[Used]:
        found = [self._peers.own(use, now) for use in self._changed(MOST_USED)]
        while self._own and len(found) < MOST_USED:
            number, agreement = self._own.popitem()[0]
            one = self._peers.own_of_day(number, agreement, now)
            if one is not None:
                found.append(one)
        return found

    def _changed(self, most: int) -> list[Use]:
        """Up to so many of what has changed; from now on it counts as unchanged."""
        changed = self._limiter.changed
        found = changed[:most]
        del changed[:most]
        for use in found:
            use.changed = False
        return found

    def _repeat(self) -> None:
        """Tell a few counts again, each in its turn."""
        names = list(islice(self._again, _REPEATED))
        if not names:
            self._again = iter(list(self._peers.own_names()))
        self._own.update(dict.fromkeys(names))
        if self._peers.is_eldest:
            heard = list(islice(self._heard_again, _REPEATED))
            if not heard:
                self._heard_again = iter(list(self._peers.gone()))
            self._heard.update(dict.fromkeys(heard))
