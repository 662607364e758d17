"""`lienthong system`: suspend and resume systems."""

from typing import Annotated

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import Text
from lienthong.client.terminal.help import command, group

app = group("Tạm ngừng hệ thống và cho hoạt động trở lại · Suspend and resume systems")

SystemId = Annotated[
    str,
    typer.Argument(
        metavar="AGENCY/SYSTEM",
        help="Mã hệ thống · The system's id",
        autocompletion=completion.systems,
    ),
]


@command(app, "suspend", "lienthong system suspend H11.01/one-stop")
def suspend(
    system_id: SystemId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tạm ngừng hệ thống, có hiệu lực trong một giây · Suspend a system, effective within a second."""
    _set(system_id, "suspend", Text("Đã tạm ngừng", "suspended"), as_, gateway, as_json=as_json)


@command(app, "resume", "lienthong system resume H11.01/one-stop")
def resume(
    system_id: SystemId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Cho hệ thống hoạt động trở lại · Resume a system."""
    _set(system_id, "resume", Text("Đã cho hoạt động trở lại", "resumed"), as_, gateway, as_json=as_json)


def _set(
    system_id: str,
    decision: str,
    done: Text,
    as_: str | None,
    gateway: str | None,
    *,
    as_json: bool,
) -> None:
    from lienthong.client import operations

    with options.open_client(as_, gateway, default="operator") as client:
        system = client.perform(operations.set_system_state(system_id, decision))
    screen = options.screen(as_json=as_json)
    screen.result(system, lambda: screen.done(Text(f"{done.vi}: {system_id}", f"{system_id} {done.en}")))
