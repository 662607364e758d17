"""`lienthong export`: the whole catalog, or agencies of it, as files."""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from lienthong.client.sync_client import Client


def export(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Thư mục mới hoặc trống · A folder that is new or empty"),
    ],
    agencies: Annotated[
        list[str] | None,
        typer.Option(
            "--agency",
            metavar="AGENCY",
            help="Chỉ của cơ quan này và thoả thuận của cơ quan; lặp lại được · "
            "Only of this agency, with its agreements; repeatable",
            autocompletion=completion.agencies,
        ),
    ] = None,
    without_versions: Annotated[
        bool,
        typer.Option(
            "--without-versions",
            help="Không ghi phiên bản: để giữ lâu dài, hoặc cho danh mục khác · "
            "Leave versions out: to keep the files, or for another catalog",
        ),
    ] = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xuất toàn bộ danh mục, kèm tài liệu và lịch sử thoả thuận · Export the whole catalog, with documents
    and what was done with agreements.

    Dùng lại bằng apply hoặc restore · Used again by apply or restore.
    """
    from lienthong.client.manifests.exported import write

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            Text("Thư mục đã có tệp", "The folder holds files"),
            Text(str(folder), str(folder)),
            Text("Nêu thư mục mới hoặc trống.", "Name one that is new or empty."),
        )
    counts: dict[str, int] = {}
    with options.open_client(as_, gateway, default="operator") as client, _draft(folder) as draft:
        exported = _Export(client)
        for item in exported.items(agencies or [None]):
            write(item, draft, with_version=not without_versions)
            counts[item["kind"]] = counts.get(item["kind"], 0) + 1
        files = len(list(draft.iterdir()))
    screen = options.screen(as_json=as_json)
    if exported.changed:
        screen.note(_CHANGED)
    result = {"folder": str(folder), "files": files, "resources": counts, "version": exported.version}
    listed = ", ".join(f"{kind} {number}" for kind, number in counts.items()) or "0"
    said = Text(f"Đã xuất {listed} vào {folder}", f"Exported {listed} to {folder}")
    screen.result(result, lambda: screen.done(said))


class _Export:
    """Reads an export page by page; `changed` says whether the catalog did meanwhile."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self.version: int | None = None
        self.changed = False

    def items(self, agencies: "Sequence[str | None]") -> "Iterator[Mapping[str, Any]]":
        """Everything once, also what several agencies have a part in."""
        from lienthong.client import operations

        seen = set[tuple[str, str]]()
        for agency in agencies:
            cursor: str | None = None
            while True:
                page = self._client.perform(operations.export(agency=agency, cursor=cursor, limit=200))
                self.changed = self.changed or self.version not in {None, page.version}
                self.version = page.version
                for item in page.items:
                    key = item["kind"], item["metadata"]["id"]
                    if key not in seen:
                        seen.add(key)
                        yield item
                if (cursor := page.next) is None:
                    break


@contextmanager
def _draft(folder: Path) -> "Iterator[Path]":
    """A folder beside this one, which takes its place once it is complete."""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    try:
        yield draft
        draft.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


_CHANGED = Text(
    "Danh mục đã thay đổi trong lúc xuất: từng mục đúng, nhưng không cùng một thời điểm; hãy chạy lại.",
    "The catalog changed meanwhile: each resource is right, but not all as of one moment; run it again.",
)
