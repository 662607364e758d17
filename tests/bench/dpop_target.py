"""What a DPoP proof on every call costs: one signature to check, one proof to remember and to tell of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx

from lienthong.client.proofs import ProofMaker
from lienthong.client.tokens import TokenCache
from tests.bench.beside_plain import PreparedCalls, prepared_beside_plain
from tests.bench.call_targets import CALL, headers_of
from tests.bench.sender import request
from tests.support.platform import PURPOSE

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform

MOST_PER_S: Final = 5000
"""More than are to be expected: so many proofs are signed before, as each is good once."""


class Holder:
    """A client whose token is bound to a key, and its calls of one path."""

    def __init__(self, platform: Platform, path: str, purpose: str) -> None:
        proofs = ProofMaker(platform.gateway, platform.gateway, now=time.time)
        self._tokens = TokenCache(
            platform.consumer,
            platform.consumer.token_endpoint,
            now=time.time,
            monotonic=time.monotonic,
            proofs=proofs,
        )
        self._url, self._path, self._purpose = f"{platform.gateway}{path}", path, purpose

    def calls(self, number: int) -> list[bytes]:
        """Calls with a fresh token and nonce, each with a proof of its own."""
        with httpx.Client(trust_env=False) as http:
            answer = http.send(self._tokens.request())
            if self._tokens.wants_another_proof(answer):
                answer = http.send(self._tokens.request())
            token = self._tokens.keep(answer)
        found = []
        for _ in range(number):
            call = httpx.Request("GET", self._url)
            self._tokens.authorize(call, token)
            names = ("Authorization", "DPoP")
            headers = {name: call.headers[name] for name in names} | {"LGSP-Purpose": self._purpose}
            found.append(request("GET", self._path, headers))
        return found


def dpop(platform: Platform, client: Client, sender: Executor, rounds: int, seconds: int) -> list[Target]:
    """Calls with a proof each beside plain ones, sent in the same way; the ledger must hold all of both."""
    port = platform.settings.port("gateway")
    return prepared_beside_plain(
        platform,
        sender,
        "with DPoP",
        plain=PreparedCalls(port, lambda number: [request("GET", CALL, headers_of(client))] * number),
        other=PreparedCalls(port, Holder(platform, CALL, PURPOSE).calls),
        most_per_s=MOST_PER_S,
        goal=0.65,
        rounds=rounds,
        seconds=seconds,
        note="ES256",
    )
