"""Starting the province, its first calls, and stopping it."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

from binh_thuan import catalog, credentials, people
from binh_thuan.core_accounts import ensure_accounts
from binh_thuan.departments.ports import NATIONAL_CORE
from binh_thuan.owners import AGREEMENT, OWNERS, Owners
from binh_thuan.playing import Players, document
from binh_thuan.province import programs, shell_variables, upstreams
from binh_thuan.screen import Accounts, DemoScreen
from lienthong.client import LienthongError
from lienthong.client.terminal.screen import Screen
from lienthong.edge import SOCKET, EdgeSettings, local_edge
from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.files import replace_file
from lienthong.kit.text import BilingualText
from lienthong.local import Installation, InstallationError, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import FrameType

    from binh_thuan.owners import Decision
    from binh_thuan.playing import Played
    from lienthong.client import Credentials

_PROCESSES = ("gateway", "ledger", "catalog", "identity", "exchange")


class Run:
    """One run of the province."""

    def __init__(self, settings: EdgeSettings, screen: DemoScreen) -> None:
        self._settings = settings
        self._screen = screen
        self._home = settings.home.resolve()
        self._demo = self._home / "demo"
        self._gateway = settings.issuer
        self._since = time.monotonic()
        self.edge = local_edge(settings)

    def prepare(self) -> dict[str, Credentials]:
        """Make keys and the file that a shell reads; set what manifests and departments look for."""
        # Everything in it, also the list of first calls, is for its owner only.
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = credentials.ensure(self._demo, self._gateway)
        ensure_accounts(self._demo / NATIONAL_CORE, self._home / "gateway" / "secrets")
        replace_file(self.env_file, shell_variables(self._settings))
        os.environ["LIENTHONG_HOME"] = str(self._home)
        os.environ[SOCKET] = str(self.edge.socket)
        os.environ["LIENTHONG_EDGE_URL"] = self.edge.url
        # The portal's old software has no token: its calls come from this machine, as its manifest says.
        os.environ.setdefault("LIENTHONG_GATEWAY_XROAD_NETWORKS", "127.0.0.1")
        os.environ.update(upstreams(self._settings))
        return made

    def first_round(self, known: dict[str, Credentials]) -> list[Played]:
        """Register the province, play the story, prove every call, write `calls.json`."""
        applied = catalog.apply(self._home / "operator", self._gateway)
        changed = [one for one in applied.results if one.action != "unchanged"]
        self._done(
            f"Danh mục: {len(applied.results)} mục, {len(changed)} thay đổi",
            f"Catalog: {len(applied.results)} resources, {len(changed)} changed",
        )
        decision = self._decide(known)
        receipts = self._demo / "receipts"
        settling = bool(changed) or decision.now
        with Players(known, instance=self._settings.instance, edge=self.edge, settling=settling) as players:
            played = players.round(births=decision.approved)
            key = (self._home / "ledger" / "ledger.vkey").read_text(encoding="utf-8")
            proved = [players.prove(one, key, receipts) for one in played]
        written = [document(one, self._gateway, self.edge, receipts) for one in proved]
        replace_file(self._demo / "calls.json", json.dumps(written, ensure_ascii=False, indent=2) + "\n")
        self._done(
            f"{len(proved)} lời gọi, {sum(one.sound for one in proved)} biên nhận đã kiểm chứng",
            f"{len(proved)} calls, {sum(one.sound for one in proved)} receipts verified",
        )
        return proved

    def show(self, played: Sequence[Played]) -> None:
        """Print the round, the addresses and what to type next."""
        addresses = [(name, address) for name, address in self.addresses.items()]
        operator = self._home / "operator"
        with people.Administration.of(operator, self._gateway) as administration:
            link = administration.first_administrator_link()
            sign_ins = administration.sign_ins()
        replace_file(self._demo / "people", people.written(sign_ins))
        waits = catalog.status_of(catalog.WAITING_AGREEMENT, operator, self._gateway) == "requested"
        self._screen.summary(played, addresses, self.env_file, Accounts(link, sign_ins), waits=waits)

    def _decide(self, known: dict[str, Credentials]) -> Decision:
        """Let people decide on the one-stop shop's request."""
        passwords = self._demo / "owners.json"
        owners = Owners(passwords, people=self._settings.people_url, console=self._settings.console_url)
        decision = owners.decide(known["one-stop"], self._home / "operator", self._gateway)
        names = ", ".join(one.name for one in OWNERS)
        if decision.approved:
            self._done(f"{AGREEMENT}: {names} đã duyệt", "two people have approved it")
        else:
            why = decision.complaint or decision.status
            self._done(f"{AGREEMENT} không được duyệt", f"is not approved: {why}")
        return decision

    def started(self) -> None:
        """Say that every process is ready."""
        self._done("Mọi tiến trình đã sẵn sàng", "Every process is ready")

    @property
    def env_file(self) -> Path:
        """The file that a shell reads to use this province."""
        return self._demo / "env"

    @property
    def addresses(self) -> dict[str, str]:
        """The base address of each process; callers use the gateway's."""
        local = {name: f"http://127.0.0.1:{self._settings.port(name)}" for name in _PROCESSES}
        others = {"gateway": self._gateway, "people": self._settings.people_url}
        others |= {"console": self._settings.console_url, "edge": self.edge.url}
        return local | others

    def _done(self, vi: str, en: str) -> None:
        now = time.monotonic()
        self._screen.step(vi, en, now - self._since)
        self._since = now


DOES = BilingualText(
    "The demo province Bình Thuận: the platform, five shared databases and their consumers, until Ctrl-C.",
    "Tỉnh mẫu Bình Thuận: nền tảng, năm cơ sở dữ liệu dùng chung và các bên khai thác, đến khi nhấn Ctrl-C.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the province until Ctrl-C; return the exit status."""
    parser = ProcessArguments("binh_thuan", DOES)
    parser.add_argument(
        "--once",
        action="store_true",
        help="dừng sau vòng gọi đầu tiên, trạng thái 1 khi có lời gọi sai"
        " · stop after the first round; status 1 when a call did not go as told",
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    screen = DemoScreen()
    screen.title()
    try:
        settings = read_settings(EdgeSettings)
        run = Run(settings, screen)
        installation = Installation(settings, [*programs(settings), run.edge.program])
        known = run.prepare()
        try:
            installation.start()
            run.started()
            played = run.first_round(known)
            run.show(played)
            if options.once:
                return 0 if all(one.sound for one in played) else 1
            print("READY " + " ".join(f"{name}={url}" for name, url in run.addresses.items()), flush=True)
            return _stay(installation, screen)
        finally:
            if installation.running():
                screen.stopping()
            installation.stop()
    except KeyboardInterrupt:
        return 0
    except InstallationError as error:
        screen.failure("Không khởi động được", "It cannot start", str(error))
    except LienthongError as error:
        Screen(as_json=False).failure(error)
    return 1


def _stay(installation: Installation, screen: DemoScreen) -> int:
    while installation.running():
        time.sleep(0.5)
    screen.failure("Bộ giám sát đã dừng", "The supervisor has ended", f"→ {installation.logs}")
    return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End the run; from here on signals are ignored, so that every process is stopped in order."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
