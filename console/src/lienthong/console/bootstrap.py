"""The only place where the objects of the console are wired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from lienthong.console.app import create_console
from lienthong.console.openid import OpenId, read_key
from lienthong.console.platform import Platform
from lienthong.console.sessions import Sessions
from lienthong.kit.clock import SystemClock
from lienthong.kit.process import run_process
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.telemetry import configure_telemetry

if TYPE_CHECKING:
    from lienthong.console.settings import ConsoleSettings
    from lienthong.kit.clock import Clock

PROCESS: Final = "console"
_TIMEOUT_S: Final = 10.0


def starts_of(settings: ConsoleSettings, clock: Clock) -> TokenBuckets:
    """How often one network may begin to sign in."""
    limit = RateLimit(
        "sign-ins", settings.console_sign_in_starts_per_s, settings.console_sign_in_starts_burst
    )
    return TokenBuckets(limit, now=clock.monotonic)


async def serve(settings: ConsoleSettings) -> None:
    """Run the process until it is told to stop.

    Raises:
        CredentialsUnusableError: the key of the client `console` is missing or damaged.
    """
    key = read_key(settings.console_credentials_dir)
    telemetry = configure_telemetry(PROCESS, settings)
    http = httpx.AsyncClient(timeout=_TIMEOUT_S)
    clock = SystemClock()
    openid = OpenId(settings, key, http, clock)
    await run_process(
        PROCESS,
        settings,
        telemetry=telemetry,
        app=create_console(
            settings,
            openid,
            Sessions(openid),
            Platform(settings.console_gateway, http),
            starts_of(settings, clock),
            clock,
        ),
        close=[http.aclose],
    )
