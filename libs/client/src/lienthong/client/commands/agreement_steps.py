"""`lienthong agreement`: what is done with an agreement once it was asked for, by either side."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import Text
from lienthong.client.terminal.help import command, group

app = group("Thoả thuận chia sẻ dữ liệu · Agreements on sharing data")

AgreementId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Mã thoả thuận · The agreement's id",
        autocompletion=completion.agreements,
    ),
]


Reason = Annotated[str, typer.Option("--reason", help="Lý do · Reason")]
OfAmendment = Annotated[
    bool,
    typer.Option(
        "--amendment", help="Với đề nghị sửa đổi đang chờ · With the amendment that waits, not the agreement"
    ),
]
MaybeReason = Annotated[str | None, typer.Option("--reason", help="Lý do · Reason")]


@command(app, "submit", "lienthong agreement submit H11.01.one-stop.parcels --as one-stop")
def submit(
    agreement_id: AgreementId,
    reason: MaybeReason = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Gửi thoả thuận đang soạn cho bên cung cấp · Ask the provider for what was a draft."""
    done = Text("Đã gửi yêu cầu", "requested")
    _take(agreement_id, "submit", done, as_, gateway, as_json=as_json, reason=reason)


@command(
    app,
    "answer",
    "lienthong agreement answer H11.01.one-stop.parcels \\",
    '  "Chỉ tra cứu theo hồ sơ" --as one-stop',
)
def answer(
    agreement_id: AgreementId,
    reason: Annotated[str, typer.Argument(metavar="TEXT", help="Câu trả lời · The answer")],
    amendment: OfAmendment = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Trả lời câu hỏi của bên cung cấp · Answer what the provider asked."""
    done = Text("Đã trả lời", "answered")
    _take(agreement_id, "answer", done, as_, gateway, as_json=as_json, reason=reason, amendment=amendment)


@command(app, "withdraw", "lienthong agreement withdraw H11.01.one-stop.parcels --as one-stop")
def withdraw(
    agreement_id: AgreementId,
    reason: MaybeReason = None,
    amendment: OfAmendment = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Rút đề nghị hoặc thôi khai thác · Take a request back, or give an agreement up."""
    done = Text("Đã rút", "withdrawn")
    _take(agreement_id, "withdraw", done, as_, gateway, as_json=as_json, reason=reason, amendment=amendment)


@command(
    app,
    "ask",
    "lienthong agreement ask H11.01.one-stop.parcels \\",
    '  "Vì sao cần mọi thao tác?" --as land',
)
def ask(
    agreement_id: AgreementId,
    reason: Annotated[str, typer.Argument(metavar="TEXT", help="Câu hỏi · The question")],
    amendment: OfAmendment = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Hỏi thêm bên đề nghị · Ask who requests it for more information."""
    done = Text("Đã hỏi", "asked about")
    _take(agreement_id, "ask", done, as_, gateway, as_json=as_json, reason=reason, amendment=amendment)


@command(app, "approve", "lienthong agreement approve H11.01.one-stop.parcels --as land")
def approve(
    agreement_id: AgreementId,
    amendment: OfAmendment = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Duyệt thoả thuận · Approve an agreement."""
    done = Text("Đã duyệt", "approved")
    _take(agreement_id, "approve", done, as_, gateway, as_json=as_json, amendment=amendment)


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
    reason: MaybeReason = None,
    amendment: OfAmendment = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Từ chối thoả thuận, nêu căn cứ pháp lý · Reject an agreement, naming the legal ground."""
    done = Text("Đã từ chối", "rejected")
    _take(
        agreement_id,
        "reject",
        done,
        as_,
        gateway,
        as_json=as_json,
        legal_ground=legal_ground,
        reason=reason,
        amendment=amendment,
    )


@command(app, "suspend", 'lienthong agreement suspend one-stop-parcels --reason "Kiểm tra sự cố"')
def suspend(
    agreement_id: AgreementId,
    reason: Reason,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tạm ngừng thoả thuận, có hiệu lực trong một giây · Stop an agreement for a time, within a second."""
    done = Text("Đã tạm ngừng", "suspended")
    _take(agreement_id, "suspend", done, as_, gateway, as_json=as_json, reason=reason)


@command(app, "resume", "lienthong agreement resume one-stop-parcels")
def resume(
    agreement_id: AgreementId,
    reason: MaybeReason = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Cho thoả thuận tiếp tục · Let a suspended agreement go on."""
    done = Text("Tiếp tục", "goes on")
    _take(agreement_id, "resume", done, as_, gateway, as_json=as_json, reason=reason)


@command(app, "revoke", 'lienthong agreement revoke one-stop-parcels --reason "Hết thời hạn"')
def revoke(
    agreement_id: AgreementId,
    reason: Reason,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Thu hồi thoả thuận, có hiệu lực trong một giây · Revoke an agreement, effective within a second."""
    done = Text("Đã thu hồi", "revoked")
    _take(agreement_id, "revoke", done, as_, gateway, as_json=as_json, reason=reason)


def _take(
    agreement_id: str,
    step: str,
    done: Text,
    as_: str | None,
    gateway: str | None,
    *,
    as_json: bool,
    legal_ground: str | None = None,
    reason: str | None = None,
    amendment: bool = False,
) -> None:
    from lienthong.client import operations

    with options.open_client(as_, gateway, default="operator") as client:
        agreement = client.perform(
            operations.decide_agreement(
                agreement_id, step, legal_ground=legal_ground, reason=reason, amendment=amendment
            )
        )
    show_agreement(agreement, agreement_id, done, as_json=as_json)


def show_agreement(agreement: Mapping[str, Any], agreement_id: str, done: Text, *, as_json: bool) -> None:
    """Say what was done with an agreement, and what its two sides should know."""
    from lienthong.client.operations import notices

    screen = options.screen(as_json=as_json)

    def show() -> None:
        screen.done(Text(f"{done.vi}: {agreement_id}", f"{agreement_id} {done.en}"))
        if "endorsed" in (agreement.get("status"), agreement.get("amendment", {}).get("status")):
            screen.print(screen.said(_SECOND, "dim"))
        for warning in notices(agreement):
            screen.print(screen.warning(warning, indent="  "))

    screen.result(agreement, show)


_SECOND = Text(
    "Dữ liệu cá nhân: cần người thứ hai cùng duyệt.", "Personal data: a second person has to approve too."
)
