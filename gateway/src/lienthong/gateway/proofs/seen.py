"""The proofs that were used and may still be good, here and at the other processes of all gateways.

They are kept by the second in which their nonces were given: all of a second are forgotten together, once no
proof with such a nonce is taken any more. Where the memory may have a gap, because this process has just
started, could not hear the others, or has no more room, proofs with nonces from before are taken no more:
their callers get a new nonce, and nothing passes twice.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from lienthong.kit.dpop_nonces import CLOCKS_DIFFER_S, GOOD_FOR_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

MOST_SEEN: Final = 400_000
"""Proofs; each takes about 100 bytes."""
MOST_UNTOLD: Final = 50_000
"""Proofs that wait to be told while there is no bus; the oldest are left out."""
DIGEST_BYTES: Final = 16


class SeenProofs:
    """Remembers proofs by their digests, of `DIGEST_BYTES` each."""

    def __init__(self, now: Callable[[], datetime], most: int = MOST_SEEN) -> None:
        self._now = now
        self._most = most
        self._by_second: dict[int, set[bytes]] = {}
        self._count = 0
        self._since = int(now().timestamp())
        """Of nonces that were given earlier not all proofs are known."""
        self._untold: deque[tuple[int, bytes]] = deque(maxlen=MOST_UNTOLD)
        self.changed: Callable[[], None] | None = None
        """Is told that there is something to tell."""

    def __len__(self) -> int:
        return self._count

    def knows_all_since(self, nonce_from: int) -> bool:
        """Whether every use of a proof with a nonce of this second is known, as far as it was told."""
        now = int(self._now().timestamp())
        if self._since > now + CLOCKS_DIFFER_S:
            # The clock was ahead when that was noted, and has been set back.
            self._since = now
        return nonce_from >= self._since

    def use(self, nonce_from: int, digest: bytes) -> bool:
        """Note that a proof is used here; False if it was used before."""
        if not self._add(nonce_from, digest):
            return False
        self._untold.append((nonce_from, digest))
        if self.changed is not None:
            self.changed()
        return True

    def hear(self, nonce_from: int, digests: Iterable[bytes]) -> None:
        """Note what another process says was used there."""
        now = self._now().timestamp()
        if now - GOOD_FOR_S <= nonce_from <= now + CLOCKS_DIFFER_S:
            for digest in digests:
                self._add(nonce_from, digest)

    def untold(self, most: int) -> list[tuple[int, bytes]]:
        """Up to so many uses that the others were not told of yet; they count as told then."""
        return [self._untold.popleft() for _ in range(min(len(self._untold), most))]

    def begin_anew(self) -> None:
        """What the others have used until now may not all have been heard."""
        self._since = max(self._since, int(self._now().timestamp()))

    def _add(self, nonce_from: int, digest: bytes) -> bool:
        second = self._by_second.get(nonce_from)
        if second is None:
            self._forget()
            second = self._by_second[nonce_from] = set()
        elif digest in second:
            return False
        second.add(digest)
        self._count += 1
        while self._count > self._most:
            self._drop(min(self._by_second))
        return True

    def _forget(self) -> None:
        """Drop what is good no more. It is taken no more even if the clock is set back."""
        oldest = self._now().timestamp() - GOOD_FOR_S - CLOCKS_DIFFER_S
        for nonce_from in [found for found in self._by_second if found < oldest]:
            self._drop(nonce_from)

    def _drop(self, nonce_from: int) -> None:
        self._count -= len(self._by_second.pop(nonce_from))
        self._since = max(self._since, nonce_from + 1)
