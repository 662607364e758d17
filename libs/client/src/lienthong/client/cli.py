"""The `lienthong` command: `app`.

Exit codes: 0 done · 1 the answer is no, or a verification failed · 2 usage or input · 3 no gateway reached ·
4 refused by the bus.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lienthong.client.commands import (
    agreement,
    apply,
    audit,
    call,
    doctor,
    events,
    get,
    keys,
    options,
    system,
    token,
)
from lienthong.client.errors import InputError, LienthongError, Text
from lienthong.client.usage import bilingual_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = {"help_option_names": ["-h", "--help"]}
BUILD = "Kết nối · Connect"
LOOK = "Kiểm tra · Look into"


class Command(TyperGroup):
    """The whole command: turns errors into messages (or JSON) and exit codes."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the command and end the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return super().main(words, prog_name, complete_var, standalone_mode, windows_expand_args, **extra)
        as_json = "--json" in words
        try:
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except LienthongError as error:
            options.screen(as_json=as_json).failure(error)
            sys.exit(error.exit_code)
        except typer.TyperException as error:
            # A group without a command has shown its help already, and says nothing more.
            if error.format_message():
                options.screen(as_json=as_json).failure(_usage(error))
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(130)
        sys.exit(code if isinstance(code, int) else 0)


def _usage(error: typer.TyperException) -> InputError:
    context = getattr(error, "ctx", None)
    where = f"{context.command_path} --help" if context is not None else "lienthong --help"
    return InputError(
        Text("Dùng lệnh chưa đúng", "Wrong usage"),
        bilingual_usage(error.format_message()),
        Text(f"Xem: {where}", f"See: {where}"),
        code="usage",
    )


app = typer.Typer(
    name="lienthong",
    cls=Command,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
    epilog="Mã thoát · Exit codes: 0 xong/done, 1 không đạt/no, 2 sai đầu vào/input, "
    "3 không kết nối/unreachable, 4 bị từ chối/refused",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lienthong {version('lienthong-client')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="In phiên bản · Print the version"
    ),
]


@app.callback()
def lienthong(version: Version = False) -> None:
    """[bold]Liên thông[/bold]: đăng ký, gọi và kiểm chứng dịch vụ qua trục liên thông của tỉnh.

    Register, call and verify services over the province's interoperability bus.
    """


app.add_typer(keys.app, name="keys", rich_help_panel=BUILD)
app.command("apply", rich_help_panel=BUILD)(apply.apply)
app.command("get", rich_help_panel=BUILD)(get.get)
app.add_typer(agreement.app, name="agreement", rich_help_panel=BUILD)
app.add_typer(system.app, name="system", rich_help_panel=BUILD)
app.command("call", rich_help_panel=BUILD)(call.call)
app.command("token", rich_help_panel=BUILD)(token.token)
app.add_typer(events.app, name="events", rich_help_panel=BUILD)
app.add_typer(audit.app, name="audit", rich_help_panel=LOOK)
app.command("doctor", rich_help_panel=LOOK)(doctor.doctor)


if __name__ == "__main__":
    app()
