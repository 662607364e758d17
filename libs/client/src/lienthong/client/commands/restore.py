"""`lienthong restore`: what a catalog lacks of an export."""

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.commands.sending import mistaken, sent
from lienthong.client.errors import InputError, LienthongError, Text

if TYPE_CHECKING:
    from lienthong.client.answers import AppliedResource, ApplyResult
    from lienthong.client.manifests.load import Manifests
    from lienthong.client.sync_client import Client


def restore(
    files: options.Files,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ xem sẽ khôi phục gì · Only show what would be restored")
    ] = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Khôi phục phần danh mục còn thiếu từ bản xuất, kèm mọi quyết định đã có · Restore what the catalog
    lacks of an export, with all decisions.

    Chỉ operator; không sửa gì đang có · The operator alone; nothing that is there is changed.
    """
    from lienthong.client.answers import ApplyResult
    from lienthong.client.manifests.exported import in_order
    from lienthong.client.manifests.load import load
    from lienthong.client.terminal import changes

    manifests = load(files, as_written=True)
    if manifests.mistakes:
        raise mistaken(manifests.mistakes)
    parts = list(in_order(manifests))
    if dry_run and len(parts) > 1:
        raise InputError(_TOO_MUCH_TO_TRY, advice=_IN_PARTS, code="usage")
    results: list[AppliedResource] = []
    with options.open_client(as_, gateway, default="operator") as client:
        for part in parts:
            found = _send(client, part, dry_run=dry_run, done=len(results))
            results += found.results
    whole = ApplyResult(dry_run=dry_run, version=found.version, results=tuple(results))
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for line in changes.lines(whole, screen):
            screen.print(line)

    screen.result(whole.document(), show)


def _send(client: "Client", part: "Manifests", *, dry_run: bool, done: int) -> "ApplyResult":
    from lienthong.client import operations

    try:
        return sent(part, lambda: client.perform(operations.restore(part.values, dry_run=dry_run)))
    except LienthongError as error:
        if done:
            error.advice = Text(
                f"{done} mục trước đó đã có trong danh mục. Sửa xong thì chạy lại, lệnh sẽ làm tiếp.",
                f"{done} before it are in the catalog. Mend it and run it again: it goes on from there.",
            )
        raise


_TOO_MUCH_TO_TRY = Text(
    "Bản xuất cần nhiều lần gửi nên không chạy thử được",
    "The export takes several requests, which cannot be tried",
)
_IN_PARTS = Text(
    "Bỏ --dry-run: khôi phục không sửa gì đang có, và chạy lại được.",
    "Leave --dry-run out: a restore changes nothing that is there, and can be run again.",
)
