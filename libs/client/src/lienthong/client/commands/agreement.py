"""`lienthong agreement`: ask for the right to use a service, and decide."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text
from lienthong.client.terminal.help import command, group

app = group("Thoả thuận chia sẻ dữ liệu · Agreements on sharing data")

NewId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Mã thoả thuận; của hệ thống: AGENCY.SYSTEM.ID · "
        "The agreement's id; that of a system becomes AGENCY.SYSTEM.ID",
    ),
]
_MOST_DIGITS = 18
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
            help="operationId, lặp lại được, mặc định là mọi thao tác · "
            "operationId, repeatable, by default every operation",
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
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Gửi yêu cầu thoả thuận · Request an agreement."""
    from lienthong.client import operations

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
            "limits": dict(map(_limit, limits)) if limits else None,
        }
        known = {name: value for name, value in spec.items() if value is not None}
        agreement = client.perform(operations.request_agreement(agreement_id, known))
    # The catalog puts the name of a system's agreement into the system's name space.
    named = str(agreement["metadata"]["id"])
    _show(agreement, named, Text("Đã gửi yêu cầu", "requested"), as_json=as_json)


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise InputError(
            Text(f"Không đọc được --limit {text}", f"--limit {text} cannot be read"),
            Text("Cần tên và một số nguyên.", "A name and a whole number are needed."),
            Text("Ví dụ: --limit perMinute=600", "Such as: --limit perMinute=600"),
            code="usage",
        )
    return name, int(number)


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
