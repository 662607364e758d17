"""Commands that are loaded when they are used.

Most of the time that a command takes to start is for importing: the help of the whole command, and each
single command, need not wait for all the others.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from lienthong.client.terminal.help import GroupWithHelp, command

_COMMANDS = "lienthong.client.commands"


class Later(TyperCommand):
    """A command as it stands in a list, with its help; `loaded` is the command itself.

    Its module is `module` in `lienthong.client.commands`, by default the one of its name. That has a group as
    `app`, a single command as the function of its name; of a single command the examples are given here.
    """

    def __init__(self, name: str, help_: str, *examples: str, panel: str, module: str = "") -> None:
        super().__init__(name, help=help_, rich_help_panel=panel)
        self._examples = examples
        self._module = module or name

    @cached_property
    def loaded(self) -> Any:  # noqa: ANN401  a command or a group of typer's
        """The command itself; its module is imported now."""
        name = str(self.name)
        module = import_module(f"{_COMMANDS}.{self._module}")
        if self._examples:
            app = typer.Typer(add_completion=False)
            command(app, name, *self._examples)(getattr(module, name))
        else:
            app = module.app
        found = typer.main.get_command(app)
        found.name = name
        return found


class GroupOfLater(GroupWithHelp):
    """A group whose commands are loaded when they are used."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Find the command that the words begin with, and load it."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found.loaded if isinstance(found, Later) else found, rest
