"""The state of the platform names the console itself, for those who may see every process."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.console.health import state_of_the_platform
from lienthong.kit.health import RunningProcess
from lienthong.kit.openapi import VERSION
from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import a_console
from tests.integration.identity.people.harness import LAND

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.console.web import Visit

CARD = r"<h2[^>]*>{title}</h2>\s*<p>{version} " + re.escape(VERSION) + r"{up}</p>"


async def test_the_console_tells_its_own_version_and_for_how_long_it_is_up(tmp_path: Path) -> None:
    async with a_console(tmp_path) as place:
        operator = await place.office.person("operator", Grant(Role.PLATFORM_OPERATOR), agency="")
        owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
        async with place.signed_in(operator) as seeing, place.signed_in(owner) as told:
            page = (await seeing.open("/health")).text
            assert re.search(CARD.format(title="Bảng điều khiển", version="phiên bản", up=""), page)

            # As `run_process` says it; a day and two hours, and whatever of a minute the test takes.
            place.app.state.process = RunningProcess("console", {}, time.monotonic() - 93_630)
            page = (await seeing.open("/health")).text
            up = " · đã chạy 1 ngày 2 giờ"
            assert re.search(CARD.format(title="Bảng điều khiển", version="phiên bản", up=up), page)
            seeing.http.cookies.set("language", "en")
            page = (await seeing.open("/health")).text
            assert re.search(CARD.format(title="Console", version="version", up=" · up for 1 d 2 h"), page)

            # What everyone is told has no version of anything.
            open_to_all = await told.open("/health")
            assert open_to_all.status_code == 200
            assert VERSION not in open_to_all.text


class AskedDesk:
    """Answers as a gateway that is well, and keeps what it was asked."""

    def __init__(self) -> None:
        self.desk, self.asked = self, set[str]()

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.add(path)
        known = {"version": "9.8.7", "up_s": 61.0} if path.endswith("/status") else {}
        return {"status": "ready", **known}


@pytest.mark.parametrize(("everything", "version", "up"), [(True, "9.8.7", "1 phút 1 giây"), (False, "", "")])
async def test_the_gateway_is_asked_for_its_version_by_who_may_know_it(
    everything: bool,
    version: str,
    up: str,
) -> None:
    visit = AskedDesk()
    gateway = (await state_of_the_platform(cast("Visit", visit), everything=everything))[0]
    assert (gateway.title.vi, gateway.state, gateway.version, gateway.up.vi) == (
        *("Cổng liên thông", "ready"),
        *(version, up),
    )
    assert ("/gateway/v1/status" in visit.asked, "/health.json" in visit.asked) == (
        everything,
        not everything,
    )
