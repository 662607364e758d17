"""`python -m tests.integration.gateway.moving_names`: a gateway that reads names' addresses from a file.

`LIENTHONG_TEST_NAMES` is the file: JSON, an object of each name's addresses. Everything else is the gateway
itself, but that an answer about a name is good for 0.3 s and a connection for 0.6 s, instead of 10 and 60.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from lienthong.gateway.__main__ import main
from lienthong.gateway.http1 import names, pool

FILE = "LIENTHONG_TEST_NAMES"


def follow(file: Path) -> None:
    """Look up in the file what is named there, as if a name server had said so."""
    usual = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **named: Any) -> list[Any]:  # noqa: ANN401 - as socket's
        if host not in (known := json.loads(file.read_text())):
            return usual(host, port, *more, **named)
        if named.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in known[host]]

    socket.getaddrinfo = look_up
    names._GOOD_S = 0.3  # type: ignore[misc]
    pool.MAX_AGE_S = 0.6


if __name__ == "__main__":
    follow(Path(os.environ[FILE]))
    main()
