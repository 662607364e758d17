"""What the runner shows: progress, the first round of calls, the addresses, what to type next."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from binh_thuan import story
from binh_thuan.catalog import WAITING_AGREEMENT
from binh_thuan.owners import AGREEMENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from binh_thuan.people import SignIn
    from binh_thuan.playing import Played

_PLAIN_WIDTH = 110
_WHAT_VI = (
    "Năm cơ sở dữ liệu của tỉnh, một bên giả lập lõi quốc gia, ba hệ thống khai thác. "
    "Mọi người và mọi hồ sơ đều được sinh ra, không có thật."
)
_WHAT_EN = (
    "Five shared databases, a stand-in for the national core, three consumers. "
    "Every person and every record is generated."
)

_LET_IN = "đã có mật khẩu, do người mở liên kết chọn · has the password that was chosen at the link"


def commands(played: Sequence[Played], receipts: Path, *, waits: bool) -> list[tuple[str, str]]:
    """Return commands that work once the province is up, each with what it shows; the last one decides, while
    the agreement `waits` for that."""
    first = next((one.transaction_id for one in played if one.sound and one.transaction_id), "…")
    found = [
        ("lienthong doctor --as one-stop", "khám mọi thứ · check everything"),
        ("lienthong status", "các tiến trình có ổn không · are the processes well"),
        ("lienthong get agreements", "các thoả thuận · the agreements"),
        (f"lienthong agreement history {AGREEMENT}", "ai đã duyệt, khi nào · who approved, and when"),
        ("lienthong usage --as civil-status", "bên chủ quản thấy gì · what the owner sees"),
        (
            f"lienthong call GET {story.PARCELS_SERVICE}/parcels/{story.PARCEL} --as one-stop",
            "xem một thửa đất · read a parcel",
        ),
        (
            f"lienthong call GET {story.CIVIL_STATUS_SERVICE}/births --as customer-app",
            "bị từ chối: không có thoả thuận · refused: no agreement",
        ),
        ("lienthong audit search --client H11.01/one-stop", "tìm trong nhật ký · search the audit trail"),
        (f"lienthong audit show {first}", "một giao dịch và bằng chứng · a transaction, proved"),
        (
            f"lienthong audit verify {shlex.quote(str(receipts / f'{first}.receipt'))}",
            "kiểm chứng không cần mạng · verify off line",
        ),
    ]
    if waits:
        found.append(
            (
                f"lienthong agreement approve {WAITING_AGREEMENT}",
                "duyệt yêu cầu đang chờ · approve what waits",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Accounts:
    """How people come in: the first administrator's link, None where it was used, and one person a role."""

    first: str | None
    sign_ins: Sequence[SignIn]


class DemoScreen:
    """The terminal, Vietnamese first and English beside it."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(encoding="utf-8", errors="replace")
        self._out = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH, highlight=False)
        self._err = Console(stderr=True, width=None if sys.stderr.isatty() else _PLAIN_WIDTH, highlight=False)

    def title(self) -> None:
        """Say what begins."""
        told = Text.assemble(
            ("Liên thông · tỉnh mẫu Bình Thuận\n", "bold"), f"{_WHAT_VI}\n", (_WHAT_EN, "dim")
        )
        self._out.print(Panel(told, border_style="cyan"))

    def step(self, vi: str, en: str, seconds: float) -> None:
        """Say what was done and how long it took."""
        self._out.print(Text.assemble(("✓ ", "green"), vi, (f" · {en}", "dim"), f"  {seconds:.1f} s"))

    def stopping(self) -> None:
        """Say that everything is being ended."""
        self._err.print("Đang dừng mọi tiến trình… · Stopping every process…")

    def failure(self, vi: str, en: str, detail: str) -> None:
        """Say what went wrong and what to do about it."""
        self._err.print(Text.assemble(("✗ ", "bold red"), (vi, "bold"), (f" · {en}", "dim")))
        self._err.print(Text(detail))

    def summary(
        self,
        played: Sequence[Played],
        addresses: Sequence[tuple[str, str]],
        env: Path,
        accounts: Accounts,
        *,
        waits: bool,
    ) -> None:
        """Show the round, the addresses and what to type next, and how people sign in. `waits` says whether
        an agreement waits for a decision."""
        self._out.print(_round(played))
        receipts = env.parent / "receipts"
        self._out.print(Group(_addresses(addresses), Text()))
        self._out.print(Text("Gõ tiếp ở cửa sổ khác · Type next, in another terminal:", style="bold"))
        self._out.print(Text(f"  . {shlex.quote(str(env))}", style="cyan"), soft_wrap=True)
        for command, shows in commands(played, receipts, waits=waits):
            self._out.print(Text.assemble((f"  {command}", "cyan"), (f"   # {shows}", "dim")), soft_wrap=True)
        if accounts.first is not None:
            self._first_administrator(accounts.first)
        self._people(accounts.sign_ins)
        self._console(dict(addresses)["console"])
        self._out.print(Text("Ctrl-C: dừng tất cả · ends everything", style="dim"))

    def _people(self, sign_ins: Sequence[SignIn]) -> None:
        self._out.print(
            Text(
                "Mỗi vai trò một người: mở liên kết, chọn mật khẩu, rồi mở bảng điều khiển"
                " · One person for each role: open the link, choose a password, then open the console",
                style="bold",
            ),
            soft_wrap=True,
        )
        for one in sign_ins:
            named, agency = one.person.role_name, f" ({one.person.agency})" if one.person.agency else ""
            told = Text.assemble(f"  {named.vi}{agency}", (f" · {named.en}", "dim"), f": {one.person.login}")
            self._out.print(told, soft_wrap=True)
            link = Text(f"    {one.link}", style="cyan") if one.link else Text(f"    {_LET_IN}", style="dim")
            self._out.print(link, soft_wrap=True)

    def _console(self, address: str) -> None:
        text = "Bảng điều khiển: đăng nhập bằng tài khoản đã lập · The console: sign in with an account"
        self._out.print(Text(text, style="bold"), soft_wrap=True)
        self._out.print(Text(f"  {address}/", style="cyan"), soft_wrap=True)

    def _first_administrator(self, link: str) -> None:
        self._out.print(
            Text(
                "Quản trị viên đầu tiên: mở liên kết này bằng trình duyệt, một lần, trong 24 giờ"
                " · The first administrator: open this link in a browser, once, within 24 hours",
                style="bold",
            ),
            soft_wrap=True,
        )
        self._out.print(Text(f"  {link}", style="cyan"), soft_wrap=True)


def _round(played: Sequence[Played]) -> Table:
    table = Table(
        title="Vòng gọi đầu tiên · The first round of calls",
        title_justify="left",
        header_style="bold",
        box=None,
    )
    table.add_column("Hệ thống\nSystem", no_wrap=True)
    table.add_column("Việc\nWhat", max_width=48)
    table.add_column("Trả lời, mã giao dịch\nAnswer, transaction id", no_wrap=True)
    table.add_column("Biên nhận\nReceipt", no_wrap=True, justify="right")
    for one in played:
        told = Text.assemble(
            (f"{one.status} ", _colour(one)),
            (one.words, "" if one.sound else "red"),
            (f"\n{one.transaction_id or ''}", "dim"),
        )
        proof = f"✓ #{one.index}" if one.sound else "✗" if one.index is None else f"✗ #{one.index}"
        table.add_row(
            one.step.system,
            Text.assemble(one.step.vi, (f"\n{one.step.en}", "dim")),
            told,
            Text(proof, style="green" if one.sound else "bold red"),
        )
    return table


def _colour(played: Played) -> str:
    if not played.as_expected:
        return "bold red"
    return "yellow" if played.error else "green"


def _addresses(addresses: Sequence[tuple[str, str]]) -> Table:
    table = Table(title="Địa chỉ · Addresses", title_justify="left", show_header=False, box=None)
    for name, address in addresses:
        table.add_row(name, Text(address, style="cyan"))
    return table
