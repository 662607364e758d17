"""`lienthong apply`: the catalog as YAML files."""

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.commands.sending import mistaken, sent
from lienthong.client.errors import ConflictError, InvalidError, LienthongError, Mistake

if TYPE_CHECKING:
    from lienthong.client.manifests.load import Manifests


def apply(
    files: options.Files,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ xem sẽ đổi gì · Only show what would change")
    ] = False,
    allow_breaking: Annotated[
        bool,
        typer.Option(
            "--allow-breaking",
            help="Nhận cả thay đổi làm hỏng lời gọi của bên đang có thoả thuận · "
            "Take changes too that break who has an agreement",
        ),
    ] = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Áp dụng các tệp YAML vào danh mục: tất cả, hoặc không gì cả · Create or update resources, all or none.

    Không có --as thì dùng quyền operator · Without --as it acts as the operator.
    """
    from lienthong.client.manifests.load import load
    from lienthong.client.terminal import changes

    manifests = load(files)
    if manifests.mistakes:
        raise mistaken(manifests.mistakes + _also_wrong(manifests, as_, gateway))
    with options.open_client(as_, gateway, default="operator") as client:
        applied = sent(
            manifests,
            lambda: client.apply(manifests.values, dry_run=dry_run, allow_breaking=allow_breaking),
        )
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for line in changes.lines(applied, screen):
            screen.print(line)

    screen.result(applied.document(), show)


def _also_wrong(manifests: "Manifests", as_: str | None, gateway: str | None) -> list[Mistake]:
    # Mistakes were found here already; those that the catalog finds are shown together with them.
    if not manifests.readable or not manifests.documents:
        return []
    try:
        with options.open_client(as_, gateway, default="operator") as client:
            client.apply(manifests.values, dry_run=True)
    except (InvalidError, ConflictError) as error:
        return manifests.locate(error.mistakes)
    except LienthongError:
        return []
    return []
