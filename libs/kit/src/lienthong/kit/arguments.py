"""The command line of a process: it takes next to nothing, and refuses what it does not know."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from lienthong.kit.text import BilingualText

SETTINGS_PAGE = "docs/reference/settings.md"


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
