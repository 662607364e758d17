"""The command line of a process: it takes next to nothing, and refuses what it does not know."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]  # noqa: SLF001 - it has no public name

SETTINGS_PAGE = "docs/reference/settings.md"
ACCEPT = "accept-rolled-back"
_ACCEPTS = BilingualText(
    "after restoring an older database: go on without the changes that it lacks; the ledger keeps the reason",
    "sau khi khôi phục cơ sở dữ liệu cũ: chạy tiếp dù thiếu các thay đổi sau đó; sổ nhật ký giữ lý do",
)
PUT_BACK = "put-copy-back"
_PUTS_BACK = BilingualText(
    "where the SQLite database is damaged: put the copy back that was made when it was last sound",
    "khi cơ sở dữ liệu SQLite bị hỏng: đặt lại bản sao được tạo khi nó còn lành",
)
_REASON = BilingualText("why, for the audit trail", "lý do, ghi vào nhật ký kiểm toán")


class ProcessArguments(argparse.ArgumentParser):
    """Help and refusals in Vietnamese and English, with the page that describes the settings.

    Parsing ends the process with status 0 for `--help` and with 2 for an argument that is not known.
    """

    def __init__(self, module: str, does: BilingualText, *, settings_page: str = SETTINGS_PAGE) -> None:
        super().__init__(
            prog=f"python -m {module}",
            description=f"{does.vi}\n{does.en}",
            epilog=f"Cấu hình bằng biến môi trường LIENTHONG_…, xem {settings_page}\n"
            f"Settings are environment variables LIENTHONG_…, see {settings_page}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.add_argument(
            "-h", "--help", action="help", help="hiện hướng dẫn này · show this help message and exit"
        )

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: tham số không hợp lệ · {message}\n{self.epilog}\n")

    def add_commands(self) -> Commands:
        """Commands that may be named instead of serving; the name is `command` of what was parsed."""
        return self.add_subparsers(
            dest="command", title="lệnh · commands", parser_class=argparse.ArgumentParser
        )


def add_accept_command(commands: Commands) -> None:
    """Add the command with which an operator accepts an older database (`kit.history`)."""
    text = f"{_ACCEPTS.vi} · {_ACCEPTS.en}"
    command = commands.add_parser(ACCEPT, help=text, description=text)
    command.add_argument("--reason", required=True, metavar="WHY", help=f"{_REASON.vi} · {_REASON.en}")


def add_put_back_command(commands: Commands) -> None:
    """Add the command that puts the copy of a damaged database back (`kit.soundness`)."""
    text = f"{_PUTS_BACK.vi} · {_PUTS_BACK.en}"
    commands.add_parser(PUT_BACK, help=text, description=text)
