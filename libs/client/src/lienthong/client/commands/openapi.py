"""`lienthong openapi`: the services of an agency as one document, for those who make clients of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import Text

if TYPE_CHECKING:
    from lienthong.client.sync_client import Client


def openapi(
    agency: Annotated[
        str,
        typer.Argument(
            metavar="AGENCY", help="Mã cơ quan · The agency's code", autocompletion=completion.agencies
        ),
    ],
    agreed: Annotated[
        bool,
        typer.Option(
            "--agreed",
            help="Chỉ những gì hệ thống này được gọi theo thoả thuận · "
            "Only what this system may call under agreements",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Ghi vào tệp · Write it to a file"),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Các dịch vụ của một cơ quan thành một tài liệu OpenAPI 3.1 · The services of an agency as one OpenAPI
    3.1 document.

    Đường dẫn qua cổng và cách xác thực đã điền sẵn · With the paths at the gateway and how to authenticate.
    """
    import json

    with options.open_client(as_, gateway, default="operator") as client:
        document = _whole(client, agency, agreed=agreed)
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    screen = options.screen(as_json=as_json)
    for one in document.get("x-lgsp-left-out", ()):
        screen.note(
            Text(f"Không có {one['service']}: {one['reason']}", f"Without {one['service']}: {one['reason']}")
        )
    if out is None:
        screen.result(document, lambda: screen.raw(text))
        return
    options.write_file(out, text.encode())
    screen.result({"file": str(out)}, lambda: screen.done(Text(f"Đã ghi {out}", f"{out} is written")))


def _whole(client: "Client", agency: str, *, agreed: bool) -> dict[str, Any]:
    """One document of all pages: no name stands in two of them."""
    from lienthong.client import operations

    page, cursor = client.perform(operations.agency_openapi(agency, agreed=agreed))
    whole: dict[str, Any] = dict(page)
    while cursor is not None:
        page, cursor = client.perform(operations.agency_openapi(agency, agreed=agreed, cursor=cursor))
        whole["tags"] = [*whole["tags"], *page["tags"]]
        whole["paths"] = {**whole["paths"], **page["paths"]}
        for kind, named in page["components"].items():
            whole["components"][kind] = {**whole["components"].get(kind, {}), **named}
        if left_out := page.get("x-lgsp-left-out"):
            whole["x-lgsp-left-out"] = [*whole.get("x-lgsp-left-out", ()), *left_out]
    return whole
