"""What the identity process does by itself, again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity.keyring import Keyring
from lienthong.identity.rotation import RotationRules
from lienthong.identity.service import TokenService

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the version: how soon a change by another replica is known here."""
FORGET_EVERY: Final = 60.0

_log = structlog.get_logger(__name__)


def rotate_every(rules: RotationRules) -> float:
    """Seconds between two looks at the schedule: often enough that no part of it comes late by much."""
    shortest = min(rules.announced_for, rules.token_lifetime + rules.grace, timedelta(minutes=1))
    return max(shortest.total_seconds() / 4, 0.1)


class Housekeeping:
    """The loops. A database that is away is waited for; anything else ends the process."""

    def __init__(self, keyring: Keyring, tokens: TokenService, rules: RotationRules) -> None:
        self._keyring = keyring
        self._tokens = tokens
        self._rules = rules

    async def follow_replicas(self) -> None:
        """Learn what other replicas changed."""
        await _again_and_again("state", self._keyring.refresh, LOOK_EVERY)

    async def rotate_keys(self) -> None:
        """Move the signing keys through their lives."""
        await _again_and_again("rotation", self._keyring.rotate, rotate_every(self._rules))

    async def forget_assertions(self) -> None:
        """Drop what need not be remembered any more."""
        await _again_and_again("used assertions", self._tokens.forget, FORGET_EVERY)


async def _again_and_again(name: str, work: Callable[[], Awaitable[object]], pause: float) -> None:
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
        await asyncio.sleep(pause)
