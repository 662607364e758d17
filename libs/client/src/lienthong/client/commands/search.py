"""`lienthong search`: find in the catalog by words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.commands.get import FILTERS, kind_named
from lienthong.client.errors import Text
from lienthong.client.terminal.language import Language
from lienthong.client.terminal.table import Column

if TYPE_CHECKING:
    from lienthong.client.answers import Found
    from lienthong.client.terminal.screen import Screen

_COLUMNS = (
    Column(Text("LOẠI", "KIND")),
    Column(Text("MÃ", "ID")),
    Column(Text("TÊN", "NAME"), prose=True),
    Column(Text("CƠ QUAN", "AGENCY"), prose=True),
)
_NOTHING = Text("Không tìm thấy gì.", "Nothing was found.")


def search(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORDS",
            help="Các từ, có dấu hay không dấu; từ cuối có thể chưa gõ hết · "
            "Words, with or without marks; the last may be a beginning",
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            rich_help_panel=FILTERS,
            help="Chỉ agencies, systems, services hoặc event-types · "
            "Only agencies, systems, services or event-types",
            autocompletion=completion.kinds,
        ),
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option(
            "--agency",
            metavar="AGENCY",
            rich_help_panel=FILTERS,
            help="Chỉ của cơ quan này · Only of this agency",
            autocompletion=completion.agencies,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100, help="Tối đa bao nhiêu kết quả · At most so many")
    ] = 20,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tìm trong danh mục, có dấu hay không dấu · Find in the catalog by words, with or without marks."""
    from lienthong.client.operations import KINDS

    of_kind = None if kind is None else KINDS[kind_named(kind)]
    with options.open_client(as_, gateway, default="operator") as client:
        found = client.search(" ".join(words), kind=of_kind, agency=agency, limit=limit)
    screen = options.screen(as_json=as_json)
    screen.result(found.document(), lambda: _show(screen, found))


def _show(screen: "Screen", found: "Found") -> None:
    from lienthong.client.terminal import table

    if not found.items:
        screen.note(_NOTHING)
        return
    table.show(screen, _COLUMNS, [_row(item, screen) for item in found.items])
    if (more := found.total - len(found.items)) > 0:
        screen.note(
            Text(
                f"Còn {more} kết quả nữa; hãy thêm từ hoặc bộ lọc.",
                f"{more} more; add words or filters.",
            )
        )


def _row(item: Mapping[str, Any], screen: "Screen") -> tuple[str, str, str, str]:
    agency = item["agency"]
    code = str(agency["code"])
    name = _name(agency["name"], screen) if agency["name"] and item["kind"] != "Agency" else ""
    return str(item["kind"]), str(item["id"]), _name(item["name"], screen), name or code


def _name(name: Mapping[str, str | None], screen: "Screen") -> str:
    languages = ("en", "vi") if screen.language is Language.EN else ("vi", "en")
    return next((text for language in languages if (text := name.get(language))), "")
