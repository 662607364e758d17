"""Listening on a port, with an error that says what to do when that fails."""

from __future__ import annotations

import errno
import os
import socket
import time

from lienthong.kit.text import BilingualText

_LOOK_AGAIN_S = 0.05


class PortUnusableError(OSError):
    """The port cannot be listened on; `text` names it, the setting and what to do."""

    def __init__(self, host: str, port: int, code: int) -> None:
        self.text = _explain(f"{host}:{port}", code)
        super().__init__(code, f"{self.text.en} · {self.text.vi}")

    def __str__(self) -> str:
        return f"{self.text.en} · {self.text.vi}"


def listen(host: str, port: int, *, backlog: int = 1024) -> socket.socket:
    """A socket that listens on `host:port`, which no other may share.

    Raises:
        PortUnusableError: it cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        raise PortUnusableError(host, port, error.errno or errno.EINVAL) from error


def listen_soon(host: str, port: int, *, backlog: int = 1024, patience: float = 3.0) -> socket.socket:
    """As `listen`, but a port that is taken is waited for up to `patience` seconds.

    The workers of a process that was just killed may still be ending.

    Raises:
        PortUnusableError: it cannot be listened on.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return listen(host, port, backlog=backlog)
        except PortUnusableError:
            if time.monotonic() >= until:
                raise
        time.sleep(_LOOK_AGAIN_S)


def _explain(address: str, code: int) -> BilingualText:
    why = os.strerror(code)
    match code:
        case errno.EADDRINUSE:
            return BilingualText(
                f"cannot listen on {address}: {why}. Another process uses this port. End it, or choose other"
                " ports with LIENTHONG_PORT_OFFSET.",
                f"Cổng {address} đang được tiến trình khác sử dụng. Hãy dừng tiến trình đó, hoặc chọn cổng"
                " khác bằng LIENTHONG_PORT_OFFSET.",
            )
        case errno.EACCES:
            return BilingualText(
                f"cannot listen on {address}: {why}. Ports below 1024 need a privilege: choose others with"
                " LIENTHONG_PORT_OFFSET.",
                f"Không được phép dùng cổng {address}. Cổng nhỏ hơn 1024 cần quyền riêng: hãy chọn cổng khác"
                " bằng LIENTHONG_PORT_OFFSET.",
            )
        case _:
            return BilingualText(
                f"cannot listen on {address}: {why}. Set LIENTHONG_HOST to an address of this machine.",
                f"Không dùng được địa chỉ {address}. Hãy đặt LIENTHONG_HOST là một địa chỉ của máy này.",
            )
