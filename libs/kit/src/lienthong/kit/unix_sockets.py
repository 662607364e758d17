"""Listening on a Unix socket, with an error that says what to do when that fails."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES: Final = 107
"""Of a path that a Unix socket can have (unix(7))."""
_MODE: Final = 0o660
_PATIENCE_S: Final = 3.0
_LOOK_AGAIN_S: Final = 0.05


class SocketUnusableError(OSError):
    """The socket cannot be listened on; `text` names it and what to do."""

    def __init__(self, path: Path, code: int, text: BilingualText) -> None:
        self.text = text
        super().__init__(code, f"{text.en} · {text.vi}", str(path))

    def __str__(self) -> str:
        return f"{self.text.en} · {self.text.vi}"


@contextmanager
def unix_socket(path: Path, *, backlog: int = 1024) -> Iterator[socket.socket]:
    """A socket that listens at `path`, for its owner and group; at the end of the block it is gone.

    One that was left by a process which has ended is replaced. One that somebody listens on is waited for a
    few seconds: the workers of a process that was just killed may still be ending.

    Raises:
        SocketUnusableError: it cannot be listened on.
    """
    if len(os.fsencode(path)) > MOST_BYTES:
        raise _unusable(path, errno.ENAMETOOLONG)
    try:
        _make_room(path)
        listening = socket.socket(socket.AF_UNIX)
        try:
            # Closed to others before it can be connected to: with listen() only.
            listening.bind(os.fspath(path))
            path.chmod(_MODE)
            listening.listen(backlog)
        except OSError:
            listening.close()
            raise
    except SocketUnusableError:
        raise
    except OSError as error:
        raise _unusable(path, error.errno or errno.EINVAL) from error
    own = path.stat().st_ino
    try:
        yield listening
    finally:
        listening.close()
        if path.exists() and path.stat().st_ino == own:
            path.unlink(missing_ok=True)


def _make_room(path: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise _unusable(path, errno.EEXIST)
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(os.fspath(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
                return
        if time.monotonic() >= until:
            raise _unusable(path, errno.EADDRINUSE)
        time.sleep(_LOOK_AGAIN_S)


def _unusable(path: Path, code: int) -> SocketUnusableError:
    match code:
        case errno.EADDRINUSE:
            text = BilingualText(
                f"another process listens on {path}: end it, or choose another path.",
                f"Tiến trình khác đang dùng {path}: hãy dừng tiến trình đó, hoặc chọn đường dẫn khác.",
            )
        case errno.ENAMETOOLONG:
            text = BilingualText(
                f"{path} is too long for a Unix socket: it may have {MOST_BYTES} bytes.",
                f"{path} quá dài đối với một Unix socket: tối đa {MOST_BYTES} byte.",
            )
        case errno.EEXIST:
            text = BilingualText(
                f"{path} is there already, and is no socket: choose another path.",
                f"{path} đã tồn tại và không phải là socket: hãy chọn đường dẫn khác.",
            )
        case _:
            text = BilingualText(
                f"cannot listen on {path}: {os.strerror(code)}. Its folder has to be there, and this process"
                " be allowed to write into it.",
                f"Không dùng được {path}: thư mục chứa nó phải có sẵn, và tiến trình này phải được ghi vào"
                " đó.",
            )
    return SocketUnusableError(path, code, text)
