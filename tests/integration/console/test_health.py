"""The state of the platform names the console itself, for those who may see every process."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from lienthong.kit.health import RunningProcess
from lienthong.kit.openapi import VERSION
from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import a_console
from tests.integration.identity.people.harness import LAND

if TYPE_CHECKING:
    from pathlib import Path

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
