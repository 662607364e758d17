"""The console reads the end of a key from what the catalog answers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lienthong.console.systems.manifests import keys_of

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("not_after", "ends", "left"),
    [
        (None, None, None),
        ("2026-12-23T17:00:00Z", date(2026, 12, 23), 30),
        ("2026-11-23T00:00:00Z", date(2026, 11, 23), 0),
        ("2026-11-20T00:00:00Z", date(2026, 11, 20), -3),
    ],
)
def test_days_are_left_until_the_end_of_a_key(
    not_after: str | None, ends: date | None, left: int | None
) -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "kid": "2026-01-01"}
    [key] = keys_of({"keys": [{"thumbprint": "abc", "jwk": jwk, "not_after": not_after}]})
    assert (key.ends, key.days_left(NOW)) == (ends, left)
