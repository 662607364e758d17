"""`lienthong diff`: in what the catalog differs from YAML files."""

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options, scope
from lienthong.client.commands.sending import mistaken, sent
from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from lienthong.client.pruning import Surplus


def diff(
    files: options.Files,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Cả những gì prune sẽ ngừng, trong phạm vi --agency · "
            "Also what prune would take out of use, within --agency",
        ),
    ] = False,
    agencies: scope.Agencies = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """So sánh các tệp YAML với danh mục, không ghi gì · Compare YAML files with the catalog, and write
    nothing.

    Mã thoát 1 nếu khác · Exit code 1 where they differ.
    """
    from lienthong.client.manifests.load import load
    from lienthong.client.terminal import changes

    if agencies and not prune:
        raise InputError(
            Text("--agency đi cùng --prune", "--agency goes with --prune"),
            advice=Text("Thêm --prune, hoặc bỏ --agency.", "Add --prune, or leave --agency out."),
            code="usage",
        )
    manifests = load(files)
    if manifests.mistakes:
        raise mistaken(manifests.mistakes)
    with options.open_client(as_, gateway, default="operator") as client:
        surplus: list[Surplus] = []
        if prune:
            planned, surplus = scope.planned(client, manifests, agencies, None)
        else:
            # What would break callers is shown by apply's own warnings, and refused by apply.
            planned = sent(
                manifests, lambda: client.apply(manifests.values, dry_run=True, allow_breaking=True)
            )
    different = planned.only_changes()
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for line in changes.lines(different, screen):
            screen.print(line)
        scope.show(screen, surplus)

    pruned = {"prune": [one.document() for one in surplus]} if prune else {}
    screen.result({**different.document(), **pruned}, show)
    if different.results or any(one.kept is None for one in surplus):
        raise typer.Exit(1)
