"""`lienthong diff`: in what the catalog differs from YAML files."""

import typer

from lienthong.client.commands import options
from lienthong.client.commands.sending import mistaken, sent


def diff(
    files: options.Files,
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

    manifests = load(files)
    if manifests.mistakes:
        raise mistaken(manifests.mistakes)
    with options.open_client(as_, gateway, default="operator") as client:
        # What would break callers is shown by apply's own warnings, and refused by apply.
        planned = sent(manifests, lambda: client.apply(manifests.values, dry_run=True, allow_breaking=True))
    different = planned.only_changes()
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for line in changes.lines(different, screen):
            screen.print(line)

    screen.result(different.document(), show)
    if different.results:
        raise typer.Exit(1)
