"""`lienthong agreement`: ask for the right to use a service, and decide."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.commands.agreement_steps import AgreementId, app, show_agreement
from lienthong.client.errors import InputError, Text
from lienthong.client.terminal.help import command
from lienthong.client.terminal.table import Column

NewId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Mã thoả thuận; của hệ thống: AGENCY.SYSTEM.ID · "
        "The agreement's id; that of a system becomes AGENCY.SYSTEM.ID",
    ),
]
Operations = Annotated[
    list[str] | None,
    typer.Option(
        "--operation",
        help='operationId, hoặc "GET /đường/dẫn" nếu không có; lặp lại được, mặc định là mọi thao tác · '
        'operationId, or without one "GET /the/path", repeatable, by default every operation',
    ),
]
ValidFrom = Annotated[
    str | None,
    typer.Option("--valid-from", metavar="DATE", help="Ngày đầu có hiệu lực · First day of validity"),
]
ValidTo = Annotated[
    str | None,
    typer.Option("--valid-to", metavar="DATE", help="Ngày cuối có hiệu lực · Last day of validity"),
]
Requires = Annotated[
    list[str] | None,
    typer.Option(
        "--requires",
        metavar="purpose|case|user|bound-token",
        help="Thông tin mà mọi lời gọi phải nêu, lặp lại được · What every call has to state, repeatable",
    ),
]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=NUMBER",
        help="Hạn mức: perSecond, perMinute, perDay, bytesPerDay, concurrent; lặp lại được · "
        "A limit, e.g. perMinute=600, repeatable",
    ),
]
Hours = Annotated[
    list[str] | None,
    typer.Option(
        "--hours",
        metavar="DAYS FROM-TO",
        help='Giờ được gọi, vd. "mon-fri 07:00-17:30", giờ Việt Nam; lặp lại được · '
        "When calls may begin, in Vietnam's time, repeatable",
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--fields",
        metavar="OPERATION=PATH",
        help="Trường được trả về, vd. getParcel=owners[*].id; * là mọi thao tác; lặp lại được · "
        "A field that answers have, all others are left out; * for every operation, repeatable",
    ),
]
_USE = (
    Column(Text("HẠN MỨC", "LIMIT")),
    Column(Text("ĐÃ DÙNG", "USED")),
    Column(Text("CÒN LẠI", "LEFT")),
    Column(Text("CHO PHÉP", "ALLOWED")),
)
_HISTORY = (
    Column(Text("LÚC", "AT")),
    Column(Text("VIỆC", "STEP")),
    Column(Text("TRẠNG THÁI", "STATUS")),
    Column(Text("NGƯỜI LÀM", "BY")),
    Column(Text("NỘI DUNG", "WHAT"), prose=True),
)
_USE_MEMBERS = ("limit", "used", "left", "allowed")
_NO_LIMITS = Text("Thoả thuận này không có hạn mức.", "This agreement has no limits.")


@command(
    app,
    "request",
    "lienthong agreement request parcels --as one-stop \\",
    "  --service H11.05/land/parcels-v1 --purpose TTHC.DAT-DAI \\",
    '  --legal-ground "Luật Đất đai 2024"',
)
def request(
    agreement_id: NewId,
    purposes: Annotated[
        list[str], typer.Option("--purpose", help="Mục đích, lặp lại được · Purpose, repeatable")
    ],
    legal_ground: Annotated[str, typer.Option("--legal-ground", help="Căn cứ pháp lý · Legal ground")],
    service: Annotated[
        str | None,
        typer.Option(
            "--service",
            metavar="AGENCY/SYSTEM/SERVICE",
            help="Dịch vụ · The service",
            autocompletion=completion.services,
        ),
    ] = None,
    event_type: Annotated[
        str | None,
        typer.Option(
            "--event-type",
            metavar="AGENCY/SYSTEM/TYPE",
            help="Loại sự kiện · The event type",
            autocompletion=completion.event_types,
        ),
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(
            "--consumer",
            metavar="AGENCY/SYSTEM",
            help="Bên khai thác, mặc định là --as · The system that will call, by default that of --as",
            autocompletion=completion.systems,
        ),
    ] = None,
    operations_: Operations = None,
    valid_from: ValidFrom = None,
    valid_to: ValidTo = None,
    requires: Requires = None,
    limits: Limits = None,
    hours: Hours = None,
    fields: Fields = None,
    draft: Annotated[
        bool,
        typer.Option(
            "--draft", help="Chỉ soạn, gửi sau bằng submit · Only draft it; submit asks for it later"
        ),
    ] = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Gửi yêu cầu thoả thuận · Request an agreement."""
    from lienthong.client import operations
    from lienthong.client.commands import terms

    if (service is None) == (event_type is None):
        raise InputError(
            Text("Nêu --service hoặc --event-type", "Give either --service or --event-type"),
            code="usage",
        )
    with options.open_client(as_, gateway, default="operator") as client:
        own = client.credentials.client_id if client.credentials is not None else ""
        if consumer is None and "/" not in own:
            raise InputError(
                Text("Thiếu --consumer", "--consumer is missing"),
                Text(f"{own} không phải một hệ thống.", f"{own} is not a system."),
                Text(
                    "Thêm --consumer CƠ_QUAN/HỆ_THỐNG, hoặc chọn hệ thống đó bằng --as.",
                    "Add --consumer AGENCY/SYSTEM, or choose that system with --as.",
                ),
                code="usage",
            )
        spec = {
            "consumer": consumer or own,
            "service": service,
            "eventType": event_type,
            "operations": operations_ or None,
            "purposes": purposes,
            "legalGround": legal_ground,
            "validFrom": valid_from,
            "validTo": valid_to,
            "requires": requires or None,
            "limits": terms.limits(limits) if limits else None,
            "hours": terms.hours(hours) if hours else None,
            "fields": terms.fields(fields) if fields else None,
            "status": "draft" if draft else None,
        }
        known = {name: value for name, value in spec.items() if value is not None}
        agreement = client.perform(operations.request_agreement(agreement_id, known))
    # The catalog puts the name of a system's agreement into the system's name space.
    named = str(agreement["metadata"]["id"])
    done = Text("Đã soạn", "drafted") if draft else Text("Đã gửi yêu cầu", "requested")
    show_agreement(agreement, named, done, as_json=as_json)


@command(
    app,
    "amend",
    "lienthong agreement amend H11.01.one-stop.parcels --as one-stop \\",
    '  --limit perDay=5000 --reason "Thêm một cửa"',
)
def amend(
    agreement_id: AgreementId,
    reason: Annotated[str, typer.Option("--reason", help="Lý do · Reason")],
    purposes: Annotated[
        list[str] | None, typer.Option("--purpose", help="Mục đích, lặp lại được · Purpose, repeatable")
    ] = None,
    legal_ground: Annotated[
        str | None, typer.Option("--legal-ground", help="Căn cứ pháp lý · Legal ground")
    ] = None,
    operations_: Operations = None,
    valid_from: ValidFrom = None,
    valid_to: ValidTo = None,
    requires: Requires = None,
    limits: Limits = None,
    hours: Hours = None,
    fields: Fields = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="TERM",
            help="Bỏ một nội dung, vd. validTo, lặp lại được · Take a term out, e.g. validTo, repeatable",
        ),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Đề nghị sửa đổi thoả thuận đã duyệt · Ask for other terms of an approved agreement.

    Nội dung không nêu giữ nguyên; chủ dữ liệu quyết định · What is not named stays; the owner decides.
    """
    from lienthong.client import operations
    from lienthong.client.commands import terms

    given = {
        "purposes": purposes,
        "legalGround": legal_ground,
        "operations": operations_,
        "validFrom": valid_from,
        "validTo": valid_to,
        "requires": requires,
        "limits": terms.limits(limits) if limits else None,
        "hours": terms.hours(hours) if hours else None,
        "fields": terms.fields(fields) if fields else None,
    }
    changed: dict[str, Any] = {name: value for name, value in given.items() if value}
    changed |= dict.fromkeys(without or [])
    if not changed:
        raise InputError(
            Text("Chưa nêu nội dung cần sửa", "Nothing is named that should change"), code="usage"
        )
    with options.open_client(as_, gateway, default="operator") as client:
        agreement = client.perform(operations.amend_agreement(agreement_id, changed, reason))
    show_agreement(
        agreement, agreement_id, Text("Đã gửi đề nghị sửa đổi", "is to be amended"), as_json=as_json
    )


@command(app, "history", "lienthong agreement history H11.01.one-stop.parcels")
def history(
    agreement_id: AgreementId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xem mọi việc đã làm với thoả thuận: ai, khi nào, nội dung cũ và mới · See all that was done with it."""
    from lienthong.client import operations
    from lienthong.client.terminal import table

    with options.open_client(as_, gateway, default="operator") as client:
        steps: list[Mapping[str, Any]] = []
        cursor: str | None = None
        while True:
            page = client.perform(operations.agreement_history(agreement_id, cursor=cursor))
            steps += page.items
            cursor = page.next
            if cursor is None:
                break
    screen = options.screen(as_json=as_json)

    def show() -> None:
        rows = [[step["at"], step["action"], step["status"], step["by"], _said(step)] for step in steps]
        table.show(screen, _HISTORY, rows)

    screen.result({"items": steps}, show)


def _said(step: Mapping[str, Any]) -> list[str]:
    """What a step says: its reason and ground, and each term that became another."""
    lines = [step["reason"], step["legalGround"]]
    for change in step["changes"]:
        old, new = (json.dumps(change[name], ensure_ascii=False) for name in ("old", "new"))
        lines.append(f"{change['path']}: {old} → {new}")
    return [line for line in lines if line]


@command(app, "use", "lienthong agreement use H11.01.one-stop.parcels --as one-stop")
def use(
    agreement_id: AgreementId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xem đã dùng bao nhiêu trong hạn mức · See how much of its limits is used.

    Cho bên khai thác, cơ quan cung cấp và người vận hành; số đếm của mọi cổng
    · For the consumer, the providing agency and the operator; all gateways count together.
    """
    from lienthong.client import operations
    from lienthong.client.terminal import table

    with options.open_client(as_, gateway, default="operator") as client:
        found = client.perform(operations.agreement_use(agreement_id))
    screen = options.screen(as_json=as_json)

    def show() -> None:
        limits = found["limits"]
        if not limits:
            screen.print(screen.said(_NO_LIMITS, "dim"))
        table.show(screen, _USE, [[one[name] for name in _USE_MEMBERS] for one in limits])

    screen.result(found, show)
