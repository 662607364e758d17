"""`lienthong prune`: taking out of use what files lack."""

from typing import Annotated

import typer

from lienthong.client.commands import options, scope
from lienthong.client.commands.sending import mistaken


def prune(
    files: options.Files,
    agencies: scope.Agencies = None,
    kinds: scope.Kinds = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Làm thật; không có thì chỉ xem · Do it; without it, only show"),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Lý do ghi lại · The reason that is recorded"),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Ngừng những gì của cơ quan mà các tệp không có · Take out of use what agencies have and files lack.

    Dịch vụ ngừng, hệ thống tạm ngừng, đề nghị rút lại; còn thoả thuận thì giữ · Services are retired, systems
    suspended, requests withdrawn; what has agreements stays.
    """
    from lienthong.client.manifests.load import load

    manifests = load(files)
    if manifests.mistakes:
        raise mistaken(manifests.mistakes)
    with options.open_client(as_, gateway, default="operator") as client:
        _, found = scope.planned(client, manifests, agencies, kinds)
        leaving = [one for one in found if one.kept is None]
        if yes:
            for one in leaving:
                scope.take_out_of_use(client, one, reason or _REASON)
    screen = options.screen(as_json=as_json)

    def show() -> None:
        scope.show(screen, found)
        if not yes:
            screen.note(scope.DRY_RUN)

    screen.result({"dry_run": not yes, "results": [one.document() for one in found]}, show)
    if yes and len(leaving) < len(found):
        raise typer.Exit(1)


_REASON = "Không còn trong tệp khai báo · No longer in the manifests"
