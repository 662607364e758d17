"""A client that repeats its token request as it was, after an answer that was not its fault."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.integration.practice.raw import status
from tests.integration.practice.tokens import ask, assertion, document
from tests.support.platform import CONSUMER

if TYPE_CHECKING:
    from tests.support.platform import Platform


def test_the_same_assertion_is_good_again_after_a_503_and_used_once_it_gave_a_token(
    platform: Platform,
) -> None:
    signed = assertion(platform, CONSUMER, platform.consumer.key)
    with closing(sqlite3.connect(platform.home / "identity" / "identity.db")) as database:
        database.execute("BEGIN IMMEDIATE")
        failed = ask(platform, signed)
        database.rollback()
    assert status(failed) == 503
    assert "the same assertion will do" in document(failed)["error_description"]

    repeated = ask(platform, signed)
    assert status(repeated) == 200
    assert document(repeated)["access_token"]

    used = ask(platform, signed)
    assert status(used) == 401
    assert document(used)["error"] == "invalid_client"
    assert "Sign a new one" in document(used)["error_description"]
