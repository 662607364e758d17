"""Which authorities HTTP clients of tests trust: one, where httpx would read more than a hundred.

That takes 30 ms of processor time for each client, thousands of times in a run, and no test asks a server of
the Internet.
"""

from __future__ import annotations

import atexit
import os
import ssl
import tempfile
from functools import cache
from pathlib import Path

import certifi

_END = "-----END CERTIFICATE-----\n"


def trust_one_authority() -> None:
    """Have certifi name a file that holds the first of its authorities, until this process ends.

    What the environment names instead is left out, for what tests start too.
    """
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)
    first, end, _ = certifi.contents().partition(_END)
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
        file.write(first + end)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    certifi.where = lambda: file.name


@cache
def trust_of_this_machine() -> ssl.SSLContext:
    """Trust as a process has it by default, read once; for tests that change nothing about it."""
    return ssl.create_default_context()
