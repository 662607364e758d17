"""Help in the chosen language, with examples.

Help texts are written `Vietnamese · English`; what the library adds of its own (headings, the help option)
exists in English alone and is replaced here.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lienthong.client.terminal.language import Language, half, language_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

_USAGE = "Cách dùng · Usage"
_HELP_OPTION = "Xem trợ giúp này · Show this help"
_EXAMPLES = "Ví dụ · Examples"


class CommandWithHelp(TyperCommand):
    """A command."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Print the help."""
        _translate(self, ctx)
        super().format_help(ctx, formatter)

    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the line that shows how the command is used."""
        _write_usage(self, ctx, formatter)


class GroupWithHelp(TyperGroup):
    """A group of commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Print the help."""
        _translate(self, ctx)
        for command in self.commands.values():
            command.help = _said(command.help)
            _translate_panel(command)
        super().format_help(ctx, formatter)

    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the line that shows how the group is used."""
        _write_usage(self, ctx, formatter)


def group(help_: str) -> typer.Typer:
    """A group of commands that shows its help when no command is given."""
    return typer.Typer(cls=GroupWithHelp, no_args_is_help=True, help=help_, add_completion=False)


def command(
    app: typer.Typer, name: str, *examples: str, panel: str | None = None
) -> Callable[[Function], Function]:
    """Make a function a command of `app`; the examples, lines for a shell, end its help."""
    lines = "\n".join(f"  {example}" for example in examples)
    return app.command(name, cls=CommandWithHelp, epilog=f"{_EXAMPLES}\n\n{lines}", rich_help_panel=panel)


def _language() -> Language:
    return language_of(os.environ)


def _said(text: str | None) -> str | None:
    return None if text is None else half(text, _language())


def _translate(command: TyperCommand | TyperGroup, ctx: Any) -> None:  # noqa: ANN401
    from rich.markup import escape

    rich_utils = _typers_help()
    language = _language()
    rich_utils.ARGUMENTS_PANEL_TITLE = half("Tham số · Arguments", language)
    rich_utils.OPTIONS_PANEL_TITLE = half("Tuỳ chọn · Options", language)
    rich_utils.COMMANDS_PANEL_TITLE = half("Lệnh · Commands", language)
    rich_utils.DEFAULT_STRING = f"[{half('mặc định · default', language)}: {{}}]"
    rich_utils.ENVVAR_STRING = f"[{half('biến · variable', language)}: {{}}]"
    rich_utils.REQUIRED_LONG_STRING = f"[{half('bắt buộc · required', language)}]"
    command.help = _said(command.help)
    if command.epilog:
        text, *examples = command.epilog.split("\n\n")
        command.epilog = "\n\n".join([half(text, language), *map(escape, examples)])
    for parameter in command.get_params(ctx):
        parameter.help = _said(_HELP_OPTION if "--help" in parameter.opts else parameter.help)  # type: ignore[attr-defined]
        _translate_panel(parameter)


@cache
def _typers_help() -> Any:  # noqa: ANN401
    """typer's module that prints help, without rich's Markdown and tracebacks.

    Our help is in neither form, and to import both takes a third of the time that it takes to appear.
    Whoever imports them afterwards gets rich's own.
    """
    unused = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
    absent = [module for module in unused if module not in sys.modules]
    for module in absent:
        stand_in = ModuleType(module)
        setattr(stand_in, unused[module], type(unused[module], (), {}))
        sys.modules[module] = stand_in
    try:
        from typer import rich_utils
    finally:
        for module in absent:
            del sys.modules[module]
    return rich_utils


def _translate_panel(owner: Any) -> None:  # noqa: ANN401
    if getattr(owner, "rich_help_panel", None):
        owner.rich_help_panel = _said(owner.rich_help_panel)


def _write_usage(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
    words = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, words, prefix=f"{half(_USAGE, _language())}: ")
