"""A fresh database for each test."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from lienthong.kit.engines import create_engine

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any


def skip_or_fail(reason: str) -> None:
    """Skip, saying why; on CI nothing may be left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true and {reason}")
    pytest.skip(reason)


def create_database(cluster_url: str, name: str) -> str:
    """Create the database `name` in the cluster; returns its address."""
    _run(_administer(cluster_url, f'CREATE DATABASE "{name}"'))
    return cluster_url.rpartition("/")[0] + f"/{name}"


def drop_database(cluster_url: str, name: str) -> None:
    """Drop the database `name`, whoever is connected to it."""
    _run(_administer(cluster_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def take_away(url: str) -> None:
    """Let nobody into this database any more, and end who is connected to it."""
    cluster_url, name = _other(url)
    _run(_administer(cluster_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
    _run(_administer(cluster_url, ending, name=name))


def give_back(url: str) -> None:
    """Let everybody into this database again."""
    cluster_url, name = _other(url)
    _run(_administer(cluster_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))


def _other(url: str) -> tuple[str, str]:
    """A database that is always there, and the name of this one."""
    cluster_url, _, name = url.rpartition("/")
    return f"{cluster_url}/postgres", name


async def _administer(cluster_url: str, statement: str, **parameters: str) -> None:
    engine = create_engine(cluster_url, schema="public").execution_options(isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement), parameters)
    finally:
        await engine.dispose()


def _run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner() as runner:
        runner.run(work)
