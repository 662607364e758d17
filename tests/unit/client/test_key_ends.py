"""The keys of a system are shown with their ends, and those that end soon are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from lienthong.client.key_ends import ending_within, keys_of

if TYPE_CHECKING:
    from lienthong.client.errors import Text

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEY = ECKey.generate_key("P-256", auto_kid=True)


def english(text: Text) -> str:
    return text.en


@pytest.mark.parametrize(
    ("days", "told", "soon"),
    [(None, None, False), (31, None, False), (30, "30 days left", True), (-1, "has ended", True)],
)
def test_a_key_near_its_end_is_told(days: int | None, told: str | None, soon: bool) -> None:
    jwk: dict[str, Any] = dict(KEY.as_dict(private=False))
    if days is not None:
        jwk["exp"] = int((NOW + timedelta(days=days)).timestamp())
    [key] = keys_of({"metadata": {"id": "H11.05/land"}, "spec": {"jwks": {"keys": [jwk]}}})
    assert (key.thumbprint, key.kid) == (KEY.thumbprint(), KEY.kid)
    assert key.state(NOW, english) == told
    assert ending_within(key, NOW, 30) is soon
    assert (key.document()["not_after"] is None) is (days is None)


def test_a_system_without_keys_has_none() -> None:
    assert list(keys_of({"metadata": {"id": "H11.05/land"}, "spec": {}})) == []
