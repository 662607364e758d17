"""`lienthong apply`: the catalog as YAML files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.errors import (
    ConflictError,
    InvalidError,
    LienthongError,
    ManifestError,
    Mistake,
    Text,
)

if TYPE_CHECKING:
    from lienthong.client.answers import ApplyResult
    from lienthong.client.manifests.load import Manifests
    from lienthong.client.sync_client import Client


def apply(
    files: Annotated[
        list[Path],
        typer.Option(
            "--file",
            "-f",
            help="Tệp YAML, thư mục, hoặc -; lặp lại được · YAML file, folder or -; repeatable",
        ),
    ],
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
        raise _mistaken(manifests.mistakes + _also_wrong(manifests, as_, gateway))
    with options.open_client(as_, gateway, default="operator") as client:
        applied = _send(client, manifests, dry_run=dry_run, allow_breaking=allow_breaking)
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for line in changes.lines(applied, screen):
            screen.print(line)

    screen.result(applied.document(), show)


def _send(client: "Client", manifests: "Manifests", *, dry_run: bool, allow_breaking: bool) -> "ApplyResult":
    try:
        return client.apply(manifests.values, dry_run=dry_run, allow_breaking=allow_breaking)
    except InvalidError as error:
        raise _mistaken(manifests.locate(error.mistakes)) from error
    except ConflictError as error:
        error.mistakes = tuple(_in_order(manifests.locate(error.mistakes)))
        if error.mistakes:
            error.detail = None
        raise


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


def _mistaken(mistakes: list[Mistake]) -> LienthongError:
    count = len(mistakes)
    mistakes_en = "1 mistake" if count == 1 else f"{count} mistakes"
    return ManifestError(
        Text(f"{count} lỗi trong tệp YAML, chưa ghi gì", f"{mistakes_en} in the YAML, nothing was written"),
        advice=Text("Sửa các dòng trên rồi chạy lại lệnh.", "Correct these lines and run the command again."),
        mistakes=_in_order(mistakes),
    )


def _in_order(mistakes: list[Mistake]) -> list[Mistake]:
    return sorted(mistakes, key=lambda mistake: (mistake.file or "", mistake.line or 0, mistake.column or 0))
