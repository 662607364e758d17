"""Access tokens a second, beside the two signatures that each of them is made of."""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from lienthong.client.assertions import token_form
from tests.bench.answered import alone_on_its_core
from tests.bench.machine import MEASURED_CORE, OTHER_CORE, family, processor_s
from tests.bench.sender import request, send
from tests.bench.target import Target

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from lienthong.client import Credentials
    from tests.support.platform import Platform

CONNECTIONS = 32
MOST_PER_S = 3000
"""More than are to be expected: so many assertions are signed before."""
SIGNED_BYTES = 400
"""About what header and claims of an assertion, or of a token, have."""


def tokens(platform: Platform, sender: Executor, rounds: int, seconds: int) -> list[Target]:
    """Tokens a second of identity on one core, beside the bare signatures on the same core.

    Each request has an assertion of its own, which identity accepts once and has on disk before it answers.
    """
    supervisor = platform.installation.supervisor
    pid = supervisor.pid("identity")
    found = []
    with alone_on_its_core(platform, "identity"):
        for _ in range(rounds):
            requests = [token_request(platform.consumer) for _ in range(MOST_PER_S * seconds)]
            used = processor_s(family(pid))
            sent = sender.submit(
                send,
                platform.settings.port("identity"),
                requests,
                connections=CONNECTIONS,
                seconds=seconds,
                core=OTHER_CORE,
            ).result()
            found.append(
                {
                    "tokens_per_s": sent.per_s,
                    "us_per_token": (processor_s(family(pid)) - used) / sent.requests * 1e6,
                    "bare_per_s": sender.submit(bare_signatures, MEASURED_CORE, 1.0).result(),
                    "p50_ms": sent.percentile(50),
                }
            )
    ratio = statistics.median(one["tokens_per_s"] / one["bare_per_s"] for one in found)
    issued, bare = (statistics.median(one[name] for one in found) for name in ("tokens_per_s", "bare_per_s"))
    note = f"{issued:,.0f} tokens/s beside {bare:,.0f} pairs of signatures (ES256: verify, sign)"
    return [Target("tokens a second, beside the bare signatures", "×", ratio, "at least", 0.5, note, found)]


def bare_signatures(core: int, seconds: float) -> float:
    """How often a second a core verifies one signature and makes one, with ES256 and `cryptography`."""
    os.sched_setaffinity(0, {core})
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    public, content = key.public_key(), b"x" * SIGNED_BYTES
    signature = key.sign(content, algorithm)
    number, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        public.verify(signature, content, algorithm)
        key.sign(content, algorithm)
        number += 1
    return number / (time.perf_counter() - began)


def token_request(credentials: Credentials) -> bytes:
    """A request for a token with an assertion of its own."""
    form = urlencode(token_form(credentials, now=time.time(), jti=uuid4().hex)).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return request("POST", "/oauth2/token", headers, form)
