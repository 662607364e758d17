"""The reference says what the exchange does."""

from __future__ import annotations

import re
from pathlib import Path

from lienthong.exchange.domain.json_format import MAX_BATCH
from lienthong.exchange.domain.messages import MAX_EVENT_BYTES
from lienthong.exchange.endpoints import routes
from lienthong.exchange.service.subscriptions import MAX_SUBSCRIPTIONS
from lienthong.exchange.settings import ExchangeSettings
from lienthong.kit.rest import create_rest_app
from lienthong.kit.settings import Settings
from tests.support.problems import kinds_raised_in

_FOLDER = Path(__file__).parents[3] / "docs" / "reference"
_REFERENCE = (_FOLDER / "exchange.md").read_text(encoding="utf-8")
_SETTINGS = (_FOLDER / "settings.md").read_text(encoding="utf-8")
# Told by the kit on behalf of every service.
_COMMON = {
    "busy",
    "insufficient-scope",
    "invalid-request",
    "malformed-request",
    "no-token",
    "request-timeout",
    "request-too-large",
    "token-refused",
}


def section(title: str) -> str:
    return _REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_problem_is_described_with_its_status() -> None:
    described = {
        code: int(status)
        for status, codes in re.findall(r"^\| (\d{3}) \| (.*?) \|", section("Problems"), re.MULTILINE)
        for code in re.findall(r"`([a-z-]+)`", codes)
    }
    made = {kind.code: kind.status for kind in kinds_raised_in("services/exchange")}
    assert made
    assert {code: status for code, status in described.items() if code not in _COMMON} == made


def test_every_problem_is_in_the_openapi_document() -> None:
    publishing = subscriptions = delivery = None
    app = create_rest_app("exchange", summary="", openapi_path="/openapi.json")
    app.include_router(routes(publishing, subscriptions, delivery))  # type: ignore[arg-type]
    responses = [
        response
        for operations in app.openapi()["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
    ]
    stated = {code for response in responses for code in response.get("x-problems", ())}
    assert stated >= {kind.code for kind in kinds_raised_in("services/exchange")}


def test_every_setting_is_described_and_no_other() -> None:
    exchange = _SETTINGS.split("\n## Exchange")[1].split("\n## ")[0]
    described = set(re.findall(r"^\| `(LIENTHONG_\w+)`", exchange, re.MULTILINE))
    own = ExchangeSettings.model_fields.keys() - Settings.model_fields.keys()
    assert described == {f"LIENTHONG_{name.upper()}" for name in own}


def test_every_path_is_described() -> None:
    publishing = subscriptions = delivery = None
    router = routes(publishing, subscriptions, delivery)  # type: ignore[arg-type]
    described = _REFERENCE.replace("{event-type}", "{event_type}")
    paths = {str(getattr(route, "path", "")) for route in router.routes}
    assert len(paths) == 7
    assert [path for path in sorted(paths) if path not in described] == []


def test_limits_are_the_ones_that_hold() -> None:
    assert f"1 to {MAX_BATCH} events" in _REFERENCE
    assert f"at most {MAX_EVENT_BYTES // 1024} KiB" in _REFERENCE
    assert f"at most {MAX_SUBSCRIPTIONS}" in section("Problems")
