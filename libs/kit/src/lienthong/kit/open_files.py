"""How many files and connections this process may have open, and how many connections that makes."""

from __future__ import annotations

import resource
from typing import Final

import structlog

_ENOUGH: Final = 1_048_576
_FOR_OTHERS: Final = 128
"""Files beside connections: databases, logs, listeners, what a library opens."""

_log = structlog.get_logger(__name__)


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one; returns what the limit is now.

    The usual soft limit of 1,024 is for programs that use select(2). At the limit a server can accept nothing
    more, and the loop that tries to takes the processor from the connections that stand.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return min(soft, _ENOUGH) if soft != resource.RLIM_INFINITY else _ENOUGH
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        _log.warning("limit of open files not raised", limit=soft, wanted=wanted, error=str(error))
        return soft
    return wanted


def connections_within(limit: int, wanted: int, *, files_each: int = 1) -> int:
    """How many connections fit into `limit` open files, at most `wanted`; at least one.

    `files_each` is how many files a connection takes, that to a provider included.
    """
    fit = max((limit - _FOR_OTHERS) // files_each, 1)
    if fit < wanted:
        _log.warning(
            "fewer connections than wanted, for want of open files: raise the hard limit (ulimit -Hn)",
            limit=limit,
            wanted=wanted,
            connections=fit,
        )
    return min(fit, wanted)
