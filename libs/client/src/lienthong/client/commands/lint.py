"""`lienthong lint`: what a service's document lacks for those who call by it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.answers import Notice
from lienthong.client.commands import options
from lienthong.client.errors import Text

if TYPE_CHECKING:
    from lienthong.client.terminal.screen import Screen


def lint(
    service_id: Annotated[
        str,
        typer.Argument(
            metavar="AGENCY/SYSTEM/SERVICE",
            help="Mã dịch vụ, kể cả bản nháp · The service's id, also of a draft",
            autocompletion=completion.services,
        ),
    ],
    least: Annotated[
        int,
        typer.Option(
            "--least",
            min=0,
            max=100,
            help="Mã thoát 1 nếu điểm thấp hơn · Exit code 1 where the score is lower",
        ),
    ] = 0,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Chấm tài liệu OpenAPI của dịch vụ, kèm lời khuyên · Measure a service's document, with advice."""
    from lienthong.client import operations

    with options.open_client(as_, gateway, default="operator") as client:
        report = client.perform(operations.quality(service_id))
    screen = options.screen(as_json=as_json)
    screen.result(report, lambda: _show(report, screen))
    if report["score"] < least:
        raise typer.Exit(1)


def _show(report: Mapping[str, Any], screen: "Screen") -> None:
    for found in report["findings"]:
        notice = Notice(found["pointer"], Text(found["detail_vi"], found["detail"]))
        screen.print(screen.warning(notice))
    more, score = report["more_findings"], report["score"]
    if more:
        screen.print(screen.said(Text(f"còn {more} chỗ khác", f"{more} more places")))
    screen.print(screen.said(Text(f"Điểm: {score}/100", f"Score: {score}/100")))
