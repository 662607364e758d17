"""Takes away what keeps NATS from making a consumer again: the file of where it was, cut off in the middle.

A loss of power can leave it so. nats-server (2.15) does not take the consumer up at its start, and refuses
to make it again for as long as the file lies there; each refusal is a line of its log. Nobody needs that
file: the ledger, identity and the exchange know in their own databases what they have had.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REFUSED: Final = re.compile(
    rb"'([\w$-]+) > ([\w-]+) > ([\w-]+)': error creating store for consumer: corrupt state file"
)
_MOST_BYTES: Final = 1024 * 1024


class DamagedStates:
    """Reads what NATS adds to its log, from the moment at which it is made on."""

    def __init__(self, log: Path, store: Path, tell: Callable[[str], None]) -> None:
        """`log` is the log of NATS, `store` the folder below which it keeps its streams."""
        self._log = log
        self._store = store
        self._tell = tell
        self._read = _size(log)

    def look(self) -> None:
        """Remove the state of each consumer that NATS has refused to make since the last look.

        Raises:
            OSError: the log cannot be read.
        """
        size = _size(self._log)
        if size < self._read:
            # Another file has its name now.
            self._read = 0
        if size == self._read:
            return
        with self._log.open("rb") as log:
            log.seek(max(self._read, size - _MOST_BYTES))
            added = log.read()
        # A line that is not whole yet is read at the next look.
        whole = added.rfind(b"\n") + 1
        self._read = size - len(added) + whole
        for account, stream, consumer in sorted(set(_REFUSED.findall(added[:whole]))):
            self._remove(account.decode(), stream.decode(), consumer.decode())

    def _remove(self, account: str, stream: str, consumer: str) -> None:
        for folder in self._store.glob(f"**/{account}/streams/{stream}/obs/{consumer}"):
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
                self._tell(
                    f"NATS cannot read where the consumer {consumer} of {stream} was: it was forgotten, and"
                    " everything that is not acknowledged is delivered again"
                )


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0
