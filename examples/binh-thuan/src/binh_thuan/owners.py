"""The request that people decide on: the one-stop shop asks for births, which name people, so that two owners
of the Department of Justice's data approve.

The owners are played: they sign in and press the buttons of the console's pages. Their passwords are chosen
here and kept in a file of the demo.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from binh_thuan import catalog, story
from binh_thuan.browsing import Browser, PageError
from binh_thuan.people import DATA_OWNER, DOMAIN, Administration, DemoPerson
from lienthong.client import Client
from lienthong.client.operations import request_agreement
from lienthong.kit.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from binh_thuan.people import SignIn
    from lienthong.client import Credentials

AGREEMENT: Final = "H11.01.one-stop.births"
ASKED: Final[Mapping[str, Any]] = {
    "service": story.CIVIL_STATUS_SERVICE,
    "operations": ["getBirth"],
    "purposes": ["TTHC.DAT-DAI"],
    "fields": {"getBirth": ["birthId", "fullName", "dateOfBirth"]},
    "legalGround": "Ví dụ: Luật Đất đai số 31/2024/QH15; Luật Hộ tịch số 60/2014/QH13",
}
OWNERS: Final = (
    DemoPerson(f"bich.ngo@{DOMAIN}", "Ngô Thị Bích", "data-owner", "H11.04", DATA_OWNER),
    DemoPerson(f"khoa.vu@{DOMAIN}", "Vũ Đăng Khoa", "data-owner", "H11.04", DATA_OWNER),
)
_WAITING: Final = frozenset({"requested", "endorsed"})


@dataclass(frozen=True, slots=True)
class Decision:
    """How the request stands, and why nobody could decide on it, where that is so."""

    status: str
    complaint: str | None = None
    now: bool = False
    """It was decided in this run, so that gateways have yet to learn of it."""

    @property
    def approved(self) -> bool:
        """Whether the one-stop shop may call."""
        return self.status == "approved"


class Owners:
    """Who decides, and by which pages.

    `passwords` is the file that keeps what they have chosen; `people` and `console` are the addresses of the
    pages on which they sign in and decide.
    """

    def __init__(self, passwords: Path, *, people: str, console: str) -> None:
        self._file = passwords
        self._people = people
        self._console = console

    def decide(self, one_stop: Credentials, operator: Path, gateway: str) -> Decision:
        """Let the one-stop shop ask, unless it has, and the owners approve what waits for them.

        Raises:
            LienthongError: the catalog does not answer, or refuses.
            InstallationError: identity does not answer, or refuses.
        """
        status = catalog.status_of(AGREEMENT, operator, gateway)
        if status is None:
            with Client(one_stop, gateway=gateway) as client:
                client.perform(request_agreement(AGREEMENT, ASKED))
            status = "requested"
        if status not in _WAITING:
            return Decision(status)
        with Administration.of(operator, gateway) as administration:
            sign_ins = administration.sign_ins(OWNERS)
        try:
            for one in sign_ins:
                self._approve(one)
        except PageError as error:
            return Decision(status, str(error))
        decided = catalog.status_of(AGREEMENT, operator, gateway) or status
        return Decision(decided, now=decided != status)

    def _approve(self, one: SignIn) -> None:
        path = f"/agreements/{AGREEMENT}"
        with Browser() as browser:
            if one.link is not None:
                self._choose_password(browser, one.person.login, one.link)
            page = browser.open(f"{self._console}/sign-in")
            known = {"login": one.person.login, "password": self._passwords().get(one.person.login, "")}
            browser.send(page, "/sign-in", **known)
            page = browser.open(f"{self._console}{path}")
            # Whoever has approved already is not asked again.
            if f"{path}/approve" in page.forms:
                browser.send(page, f"{path}/approve", reason="Đúng mục đích, đúng căn cứ")

    def _choose_password(self, browser: Browser, login: str, link: str) -> None:
        password = secrets.token_urlsafe(16)
        replace_file(self._file, json.dumps(self._passwords() | {login: password}, indent=2) + "\n")
        page = browser.send(browser.open(f"{self._people}/invitation"), "/invitation/open", link=link)
        browser.send(page, "/invitation/accept", password=password)

    def _passwords(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found
