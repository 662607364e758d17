"""Free ports of this machine."""

from __future__ import annotations

import socket

_given: set[int] = set()


def take_free_port() -> int:
    """A port that nobody listens on and that this session has not given away before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port
