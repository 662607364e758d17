"""Timers: refresh the state, rotate signing keys, drop used assertions that have expired."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity.domain.rotation import RotationRules
from lienthong.identity.service.client_authentication import ClientAuthentication
from lienthong.identity.service.keyring import Keyring

REFRESH_EVERY: Final = 0.5
"""Seconds between two checks of the version: how soon a change by another replica is known here."""
FORGET_EVERY: Final = 60.0

_log = structlog.get_logger(__name__)


def rotate_every(rules: RotationRules) -> float:
    """Seconds between two checks of the schedule, at most a quarter of its shortest period."""
    shortest = min(rules.announced_for, rules.token_lifetime + rules.grace, timedelta(minutes=1))
    return max(shortest.total_seconds() / 4, 0.1)


class Timers:
    """The loops. While the database does not answer they go on trying; any other error ends the process."""

    def __init__(self, keyring: Keyring, clients: ClientAuthentication, rules: RotationRules) -> None:
        self._keyring = keyring
        self._clients = clients
        self._rules = rules

    async def follow_replicas(self) -> None:
        """Read what other replicas changed."""
        await every(REFRESH_EVERY, "state", self._keyring.refresh)

    async def rotate_keys(self) -> None:
        """Publish and remove signing keys when they are due."""
        await every(rotate_every(self._rules), "rotation", self._keyring.rotate)

    async def forget_assertions(self) -> None:
        """Drop used assertions that have expired."""
        await every(FORGET_EVERY, "used assertions", self._clients.forget)


async def every(seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do this work for ever, with so many seconds between; a database that does not answer is told once."""
    failing = False
    while True:
        try:
            await work()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            if not failing:
                _log.warning("database not usable", work=name, error=repr(error))
            failing = True
        else:
            if failing:
                _log.info("database usable again", work=name)
            failing = False
        await asyncio.sleep(seconds)
