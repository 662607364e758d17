"""`lienthong system`: suspend and resume systems."""

from typing import Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.errors import Text

app = typer.Typer(no_args_is_help=True, help="Đình chỉ và mở lại hệ thống · Suspend and resume systems")

SystemId = Annotated[str, typer.Argument(metavar="AGENCY/SYSTEM", help="Mã hệ thống · The system's id")]


@app.command("suspend")
def suspend(
    system_id: SystemId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Đình chỉ: mọi cuộc gọi của hệ thống bị từ chối trong vòng một giây · Suspend: its calls are refused."""
    _set(system_id, "suspend", Text("Đã đình chỉ", "suspended"), as_, gateway, as_json=as_json)


@app.command("resume")
def resume(
    system_id: SystemId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Mở lại · Resume."""
    _set(system_id, "resume", Text("Đã mở lại", "resumed"), as_, gateway, as_json=as_json)


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
