"""Assertions as client libraries sign them: `aud` as a list, keys without `kid` while they are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey

from tests.integration.practice.raw import status
from tests.integration.practice.tokens import ask, assertion, document
from tests.support.platform import CONSUMER, named
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.platform import Platform

REPLACING = "H11.01/replacing"
OLD = ECKey.generate_key("P-256")
NEW = ECKey.generate_key("P-256")


@pytest.fixture(scope="module")
def replacing(platform: Platform) -> str:
    """A system that replaces its key: the old one has a `kid`, the new one has none."""
    keys = [{**OLD.as_dict(private=False), "kid": "2025"}, NEW.as_dict(private=False)]
    keys[1].pop("kid", None)
    with platform.operator() as operator:
        operator.apply([named("System", REPLACING, "Đổi khoá", "Replacing", {"jwks": {"keys": keys}})])
    wait_until(lambda: status(ask(platform, assertion(platform, REPLACING, OLD, kid="2025"))) == 200)
    return REPLACING


@pytest.mark.parametrize("as_list", [True, False])
def test_the_audience_may_be_a_list_of_one(platform: Platform, as_list: bool) -> None:
    audience = [platform.gateway] if as_list else platform.gateway
    answer = ask(platform, assertion(platform, CONSUMER, platform.consumer.key, aud=audience))
    assert status(answer) == 200


def test_a_list_with_another_audience_is_refused(platform: Platform) -> None:
    audience = [platform.gateway, "https://elsewhere.example"]
    answer = ask(platform, assertion(platform, CONSUMER, platform.consumer.key, aud=audience))
    assert status(answer) == 401
    assert "aud" in document(answer)["error_description"]


@pytest.mark.parametrize("kid", [None, "2026", NEW.thumbprint()], ids=["none", "another", "thumbprint"])
def test_a_key_without_a_kid_is_found_while_keys_are_replaced(
    platform: Platform, replacing: str, kid: str | None
) -> None:
    assert status(ask(platform, assertion(platform, replacing, NEW, kid=kid))) == 200


@pytest.mark.parametrize("kid", [None, "2025"])
def test_the_key_with_a_kid_is_found_as_well(platform: Platform, replacing: str, kid: str | None) -> None:
    assert status(ask(platform, assertion(platform, replacing, OLD, kid=kid))) == 200


def test_the_name_of_another_key_is_refused(platform: Platform, replacing: str) -> None:
    answer = ask(platform, assertion(platform, replacing, ECKey.generate_key("P-256"), kid="2026"))
    assert status(answer) == 401
