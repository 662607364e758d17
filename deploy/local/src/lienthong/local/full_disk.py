"""A supervisord that goes on when nothing can be written.

supervisord 4.3 writes the output of its programs to their logs. Where that fails it writes the error to its
own standard error, and where that fails too, on the same full disk, it ends; so it does when it cannot close
a log that it rotates. Programs that are well must not end because nobody can read what they say.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor.loggers import Handler, RotatingFileHandler


def lose_what_cannot_be_written() -> None:
    """Have supervisord lose lines of logs that cannot be written, and go on; for the whole process."""
    Handler.handleError = _tell
    RotatingFileHandler.doRollover = _roll_over


def _tell(_: Any) -> None:  # noqa: ANN401 - supervisord has no types
    with suppress(OSError, ValueError):
        traceback.print_exception(sys.exception(), file=sys.stderr)


_do_rollover = RotatingFileHandler.doRollover


def _roll_over(handler: Any) -> None:  # noqa: ANN401
    try:
        _do_rollover(handler)
    except (OSError, ValueError):
        _tell(handler)
        with suppress(OSError):
            handler.stream = Path(handler.baseFilename).open("ab")  # noqa: SIM115 - it stays open
