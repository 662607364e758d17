"""Completion of the command in a shell: `--install-completion` and `--show-completion`.

typer's own options of these names take no value and install for the shell that they believe they run in:
`--install-completion zsh`, typed in bash, installs bash's. Here the shell is a value; without one it is the
shell that runs the command.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from lienthong.client.errors import InputError, Text

INSTALL = "--install-completion"
SHOW = "--show-completion"
PROGRAM = "lienthong"
VARIABLE = "_LIENTHONG_COMPLETE"
"""Set by the shell's script when it asks what can follow."""


class Shell(StrEnum):
    """The shells that completion is made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"
    PWSH = "pwsh"


def with_shell(words: list[str]) -> list[str]:
    """The words of a command line; where the shell is left out, the one that runs the command is put in.

    Raises `InputError` where that cannot be found out.
    """
    for option in (INSTALL, SHOW):
        if words[-1:] == [option]:
            return [*words, _running_shell(option)]
    return words


def prepare_completion() -> None:
    """Register typer's completion for every shell, as its own options would."""
    from typer._completion_classes import completion_init

    completion_init()


def _running_shell(option: str) -> str:
    from shellingham import ShellDetectionFailure, detect_shell  # type: ignore[import-untyped]

    try:
        found = str(detect_shell()[0])
    except ShellDetectionFailure:
        found = ""
    if found in list(Shell):
        return found
    raise InputError(
        Text("Không biết đang dùng shell nào", "The shell is not known"),
        advice=Text(f"Nêu tên: lienthong {option} zsh", f"Name it: lienthong {option} zsh"),
        code="usage",
    )


def _install(shell: Shell | None) -> None:
    if shell is None:
        return
    from typer._completion_shared import install

    from lienthong.client.commands import options

    _, path = install(shell.value, PROGRAM, VARIABLE)
    options.screen(as_json=False).done(
        Text(
            f"Đã cài gợi ý lệnh cho {shell.value} vào {path}; có hiệu lực ở cửa sổ mới.",
            f"{shell.value} completion installed in {path}; it works in new terminals.",
        )
    )
    raise typer.Exit


def _show(shell: Shell | None) -> None:
    if shell is None:
        return
    from typer._completion_shared import get_completion_script

    sys.stdout.write(
        get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value) + "\n"
    )
    raise typer.Exit


InstallCompletion = Annotated[
    Shell | None,
    typer.Option(
        INSTALL,
        metavar="SHELL",
        callback=_install,
        is_eager=True,
        help="Cài gợi ý lệnh cho bash, zsh, fish, powershell hoặc pwsh, mặc định là shell đang dùng · "
        "Install completion for bash, zsh, fish, powershell or pwsh, by default the one in use",
    ),
]
ShowCompletion = Annotated[
    Shell | None,
    typer.Option(
        SHOW,
        metavar="SHELL",
        callback=_show,
        is_eager=True,
        help="In kịch bản gợi ý lệnh · Print the completion script",
    ),
]
