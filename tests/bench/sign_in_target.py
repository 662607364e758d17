"""Sign-ins a second, beside the argon2 that each of them is made of; and what they cost who asks for tokens.

Both are of identity on one core. A sign-in here is by password alone, on the page for it, for accounts whose
roles demand no second factor: a code of six digits adds little, the password takes the time.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from lienthong.identity.people.domain.passwords import HASHER
from tests.bench.answered import alone_on_its_core
from tests.bench.machine import MEASURED_CORE, OTHER_CORE, family, processor_s
from tests.bench.sender import request, send
from tests.bench.target import Target
from tests.bench.token_targets import token_request

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from tests.support.platform import Platform

PEOPLE = 40
"""Accounts that sign in, one after the other and all over again."""
BROWSERS = 8
MOST_PER_S = 100
"""Sign-ins; more than are to be expected."""
TOKENS_PER_S = 200.0
_PASSWORD = "a long password of the bench, for nobody else"
_CONNECTIONS = 16
_ROLE = {"role": "developer", "agency": "H11.05"}


def sign_ins(platform: Platform, sender: Executor, rounds: int, seconds: int) -> list[Target]:
    """Sign-ins a second beside the bare argon2 on the same core, and the latency of tokens beside them."""
    pages = platform.settings.people_url
    forms = _forms(pages, _accounts(platform))
    port = httpx.URL(pages).port
    if port is None:
        raise SystemExit(f"the pages for people have no port: {pages}")
    pid = platform.installation.supervisor.pid("identity")
    found = []
    with (
        alone_on_its_core(platform, "identity"),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as browsers,
    ):
        for _ in range(rounds):
            wanted = [forms[number % len(forms)] for number in range(MOST_PER_S * seconds)]

            def tokens_p99_ms() -> float:
                asked = [token_request(platform.consumer) for _ in range(round(TOKENS_PER_S * seconds))]
                issued = sender.submit(
                    send,
                    platform.settings.port("identity"),
                    asked,
                    connections=_CONNECTIONS,
                    per_s=TOKENS_PER_S,
                    core=OTHER_CORE,
                )
                return issued.result().percentile(99)

            used = processor_s(family(pid))
            signing_in = partial(
                send, port, wanted, connections=BROWSERS, seconds=seconds, status=303, core=OTHER_CORE
            )
            alone = browsers.submit(signing_in).result()
            one = {
                "sign_ins_per_s": alone.per_s,
                "ms_per_sign_in": (processor_s(family(pid)) - used) / alone.requests * 1000,
                "bare_per_s": sender.submit(bare_passwords, MEASURED_CORE, 1.0).result(),
                "tokens_alone_p99_ms": tokens_p99_ms(),
            }
            flood = browsers.submit(signing_in)
            one["tokens_beside_p99_ms"] = tokens_p99_ms()
            one["sign_ins_beside_per_s"] = flood.result().per_s
            found.append(one)
    median = {name: statistics.median(one[name] for one in found) for name in found[0]}
    ratio = statistics.median(one["sign_ins_per_s"] / one["bare_per_s"] for one in found)
    added = statistics.median(one["tokens_beside_p99_ms"] - one["tokens_alone_p99_ms"] for one in found)
    signing = (
        f"{median['sign_ins_per_s']:.1f} a second beside {median['bare_per_s']:.1f} of argon2 alone; "
        f"{median['ms_per_sign_in']:.1f} ms of identity's processor time each"
    )
    waiting = (
        f"{median['sign_ins_beside_per_s']:.1f} sign-ins a second beside {TOKENS_PER_S:g} tokens; "
        f"p99 {median['tokens_alone_p99_ms']:.1f} ms without them"
    )
    return [
        Target("sign-ins a second, beside bare argon2", "×", ratio, "at least", 0.5, signing, found),
        Target("latency that sign-ins add to tokens, p99", "ms", added, "at most", 50.0, waiting, found),
    ]


def bare_passwords(core: int, seconds: float) -> float:
    """How often a second a core verifies a password."""
    os.sched_setaffinity(0, {core})
    hashed = HASHER.hash(_PASSWORD)
    number, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        HASHER.verify(hashed, _PASSWORD)
        number += 1
    return number / (time.perf_counter() - began)


def _accounts(platform: Platform) -> list[str]:
    """The logins of people who were invited and have chosen the password."""
    logins = [f"official{number}@example.gov.vn" for number in range(PEOPLE)]
    with platform.operator() as operator, httpx.Client(base_url=platform.gateway) as http:
        headers = {"Authorization": f"Bearer {operator.token().value}"}
        for login in logins:
            invited = {"login": login, "name": "Nguyễn Văn An", "agency": "H11.05", "roles": [_ROLE]}
            made = http.post("/identity/v1/people", json=invited, headers=headers).raise_for_status()
            secret = made.json()["link"]["url"].partition("#")[2]
            chosen = {"token": secret, "password": _PASSWORD}
            http.post("/identity/v1/invitations/accept", json=chosen).raise_for_status()
    return logins


def _forms(pages: str, logins: list[str]) -> list[bytes]:
    """The form that each of them sends, of a page that was opened once."""
    with httpx.Client(base_url=pages) as http:
        page = http.get("/sign-in").raise_for_status()
        token = re.search(r'name="form_token"[^>]*value="([0-9a-f]+)"', page.text)
        if token is None:
            raise SystemExit("the page has no form")
        headers = {
            "Origin": pages,
            "Cookie": "; ".join(f"{name}={value}" for name, value in http.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        fields = {"form_token": token[1], "next": "/account", "password": _PASSWORD}
        return [
            request("POST", "/sign-in", headers, urlencode({**fields, "login": login}).encode())
            for login in logins
        ]
