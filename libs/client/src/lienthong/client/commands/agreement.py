"""`lienthong agreement`: ask for the right to use a service, and decide."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text
from lienthong.client.terminal.help import command, group
from lienthong.client.terminal.table import Column

app = group("Thoả thuận chia sẻ dữ liệu · Agreements on sharing data")

NewId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Mã thoả thuận; của hệ thống: AGENCY.SYSTEM.ID · "
        "The agreement's id; that of a system becomes AGENCY.SYSTEM.ID",
    ),
]
_USE = (
    Column(Text("HẠN MỨC", "LIMIT")),
    Column(Text("ĐÃ DÙNG", "USED")),
    Column(Text("CÒN LẠI", "LEFT")),
    Column(Text("CHO PHÉP", "ALLOWED")),
)
_USE_MEMBERS = ("limit", "used", "left", "allowed")
_NO_LIMITS = Text("Thoả thuận này không có hạn mức.", "This agreement has no limits.")
AgreementId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Mã thoả thuận · The agreement's id",
        autocompletion=completion.agreements,
    ),
]


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
    operations_: Annotated[
        list[str] | None,
        typer.Option(
            "--operation",
            help='operationId, hoặc "GET /đường/dẫn" nếu không có; lặp lại được, mặc định là mọi thao tác · '
            'operationId, or without one "GET /the/path", repeatable, by default every operation',
        ),
    ] = None,
    valid_from: Annotated[
        str | None,
        typer.Option("--valid-from", metavar="DATE", help="Ngày đầu có hiệu lực · First day of validity"),
    ] = None,
    valid_to: Annotated[
        str | None,
        typer.Option("--valid-to", metavar="DATE", help="Ngày cuối có hiệu lực · Last day of validity"),
    ] = None,
    requires: Annotated[
        list[str] | None,
        typer.Option(
            "--requires",
            metavar="purpose|case|user|bound-token",
            help="Thông tin mà mọi lời gọi phải nêu, lặp lại được · What every call has to state, repeatable",
        ),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="NAME=NUMBER",
            help="Hạn mức: perSecond, perMinute, perDay, bytesPerDay, concurrent; lặp lại được · "
            "A limit, e.g. perMinute=600, repeatable",
        ),
    ] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option(
            "--hours",
            metavar="DAYS FROM-TO",
            help='Giờ được gọi, vd. "mon-fri 07:00-17:30", giờ Việt Nam; lặp lại được · '
            "When calls may begin, in Vietnam's time, repeatable",
        ),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--fields",
            metavar="OPERATION=PATH",
            help="Trường được trả về, vd. getParcel=owners[*].id; * là mọi thao tác; lặp lại được · "
            "A field that answers have, all others are left out; * for every operation, repeatable",
        ),
    ] = None,
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
        }
        known = {name: value for name, value in spec.items() if value is not None}
        agreement = client.perform(operations.request_agreement(agreement_id, known))
    # The catalog puts the name of a system's agreement into the system's name space.
    named = str(agreement["metadata"]["id"])
    _show(agreement, named, Text("Đã gửi yêu cầu", "requested"), as_json=as_json)


@command(app, "approve", "lienthong agreement approve H11.01.one-stop.parcels --as land")
def approve(
    agreement_id: AgreementId,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Duyệt thoả thuận · Approve an agreement."""
    _decide(agreement_id, "approve", Text("Đã duyệt", "approved"), as_, gateway, as_json=as_json)


@command(
    app,
    "reject",
    "lienthong agreement reject one-stop-parcels \\",
    '  --legal-ground "Nghị định 47/2020/NĐ-CP"',
)
def reject(
    agreement_id: AgreementId,
    legal_ground: Annotated[
        str,
        typer.Option(
            "--legal-ground", help="Căn cứ pháp lý của việc từ chối · Legal ground for rejecting it"
        ),
    ],
    reason: Annotated[str | None, typer.Option("--reason", help="Lý do · Reason")] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Từ chối thoả thuận, nêu căn cứ pháp lý · Reject an agreement, naming the legal ground."""
    done = Text("Đã từ chối", "rejected")
    _decide(
        agreement_id, "reject", done, as_, gateway, as_json=as_json, legal_ground=legal_ground, reason=reason
    )


@command(app, "revoke", 'lienthong agreement revoke one-stop-parcels --reason "Hết thời hạn"')
def revoke(
    agreement_id: AgreementId,
    reason: Annotated[str, typer.Option("--reason", help="Lý do · Reason")],
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Thu hồi thoả thuận, có hiệu lực trong một giây · Revoke an agreement, effective within a second."""
    done = Text("Đã thu hồi", "revoked")
    _decide(agreement_id, "revoke", done, as_, gateway, as_json=as_json, reason=reason)


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


def _decide(
    agreement_id: str,
    decision: str,
    done: Text,
    as_: str | None,
    gateway: str | None,
    *,
    as_json: bool,
    legal_ground: str | None = None,
    reason: str | None = None,
) -> None:
    from lienthong.client import operations

    with options.open_client(as_, gateway, default="operator") as client:
        agreement = client.perform(
            operations.decide_agreement(agreement_id, decision, legal_ground=legal_ground, reason=reason)
        )
    _show(agreement, agreement_id, done, as_json=as_json)


def _show(agreement: Mapping[str, Any], agreement_id: str, done: Text, *, as_json: bool) -> None:
    from lienthong.client.operations import notices

    screen = options.screen(as_json=as_json)

    def show() -> None:
        screen.done(Text(f"{done.vi}: {agreement_id}", f"{agreement_id} {done.en}"))
        for warning in notices(agreement):
            screen.print(screen.warning(warning, indent="  "))

    screen.result(agreement, show)
