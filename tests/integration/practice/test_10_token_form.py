"""The media type of a token request as HTTP libraries write it (RFC 2045 §5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.practice.raw import status
from tests.integration.practice.tokens import ask, assertion, document
from tests.support.platform import CONSUMER

if TYPE_CHECKING:
    from tests.support.platform import Platform


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        'application/x-www-form-urlencoded; charset="utf-8"',
        "APPLICATION/X-WWW-FORM-URLENCODED; CHARSET=Utf-8",
        "application/x-www-form-urlencoded;",
        "application/x-www-form-urlencoded ; charset=utf-8 ;",
        'application/x-www-form-urlencoded; note="a;b=c"; v=1',
        "application/x-www-form-urlencoded; charset=ISO-8859-1",
        "application/x-www-form-urlencoded; charset=us-ascii",
    ],
)
def test_a_form_is_taken_with_any_parameter(platform: Platform, content_type: str) -> None:
    answer = ask(platform, assertion(platform, CONSUMER, platform.consumer.key), content_type)
    assert status(answer) == 200
    assert document(answer)["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded;charset=utf-16"]
)
def test_what_is_no_form_is_told_what_to_send(platform: Platform, content_type: str) -> None:
    answer = ask(platform, assertion(platform, CONSUMER, platform.consumer.key), content_type)
    assert status(answer) == 400
    assert "application/x-www-form-urlencoded" in document(answer)["error_description"]
