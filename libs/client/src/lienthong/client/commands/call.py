"""`lienthong call`: a service, through the gateway."""

import base64
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from lienthong.client.answers import Answer
    from lienthong.client.terminal.screen import Screen


def call(
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="GET, POST, …", autocompletion=completion.methods)
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE_ID/PATH|URL",
            help="Dịch vụ và đường dẫn, đường dẫn của cổng, hoặc URL của cổng · "
            "A service and a path, a path of the gateway, or a URL of the gateway",
            autocompletion=completion.targets,
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="Nội dung gửi đi, @tệp hoặc @- · The body to send, @file or @-"),
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="Mục đích sử dụng dữ liệu · The purpose of the call")
    ] = None,
    case: Annotated[str | None, typer.Option("--case", help="Mã hồ sơ · The case number")] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            help="Cán bộ thực hiện; chỉ lưu mã băm có khoá · "
            "The official who asks; only a keyed hash is stored",
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="NAME: VALUE",
            help="Tiêu đề HTTP, lặp lại được · HTTP header, repeatable",
        ),
    ] = None,
    include: Annotated[
        bool,
        typer.Option("--include", "-i", help="In cả trạng thái và tiêu đề · Show status and headers too"),
    ] = False,
    dpop: Annotated[
        bool,
        typer.Option(
            "--dpop",
            help="Mã truy cập gắn với khoá của lần gọi này (RFC 9449) · "
            "An access token that is bound to a key of this call (RFC 9449)",
        ),
    ] = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Gọi một dịch vụ qua cổng · Call a service through the gateway.

    Nội dung ra stdout, mã giao dịch ra stderr · The body goes to stdout, the transaction id to stderr.
    """
    from lienthong.client import operations

    headers = parse_headers(header or [])
    content = None if data is None else options.read_data(data)
    if content is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = guess_type(content)
    said = {"LGSP-Purpose": purpose, "LGSP-Case-Id": case, "LGSP-User": user}
    headers |= {name: value for name, value in said.items() if value is not None}
    with options.open_client(as_, gateway, default=None, dpop=dpop) as client:
        path = path_of(target, client.gateway)
        answer = client.perform(operations.request(method, path, content=content, headers=headers))
    screen = options.screen(as_json=as_json)
    screen.result(_document(answer), lambda: _show(answer, screen, include=include))
    if answer.transaction_id is not None:
        screen.note(Text(f"giao dịch {answer.transaction_id}", f"transaction {answer.transaction_id}"))
    if (deprecation := answer.deprecation) is not None:
        screen.note(deprecation.text)
    if not answer.ok:
        screen.note(
            Text(
                f"bên cung cấp trả lời {answer.status}; cổng chuyển nguyên văn câu trả lời",
                f"the provider answered {answer.status}; the gateway passed the answer on unchanged",
            )
        )
        raise typer.Exit(1)


def path_of(target: str, gateway: str) -> str:
    """The path at the gateway that a target means; another host is refused, for it would get the token."""
    if "://" in target:
        parts, own = urlsplit(target), urlsplit(gateway)
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise InputError(
                Text("URL này không thuộc cổng", "This URL is not the gateway's"),
                Text(f"Cổng đang dùng: {gateway}.", f"The gateway in use: {gateway}."),
                Text(
                    f"Nếu đúng là cổng của bạn: --gateway {parts.scheme}://{parts.netloc}",
                    f"If it is your gateway: --gateway {parts.scheme}://{parts.netloc}",
                ),
                code="not-the-gateway",
            )
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if target.startswith("/"):
        return target
    if len([part for part in target.partition("?")[0].split("/") if part]) < 3:
        raise InputError(
            Text("Địa chỉ dịch vụ chưa đủ", "The service's address is not complete"),
            Text(
                f"«{target}» cần có dạng CƠ_QUAN/HỆ_THỐNG/DỊCH_VỤ/đường-dẫn.",
                f"'{target}' should be AGENCY/SYSTEM/SERVICE/path.",
            ),
            Text("Xem: lienthong get services", "See: lienthong get services"),
        )
    return f"/api/{target}"


def parse_headers(given: list[str]) -> dict[str, str]:
    """`Name: value` as curl takes it."""
    headers = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise InputError(
                Text(f"Tiêu đề «{line}» không hợp lệ", f"The header '{line}' is not valid"),
                advice=Text('Viết: -H "Tên: giá trị"', 'Write: -H "Name: value"'),
            )
        headers[name.strip()] = value.strip()
    return headers


def guess_type(content: bytes) -> str:
    """JSON where the body is JSON, else bytes."""
    try:
        json.loads(content)
    except ValueError:
        return "application/octet-stream"
    return "application/json"


def body_value(answer: "Answer") -> dict[str, Any]:
    """The body for JSON output: parsed JSON under `body`, text too, other bytes under `body_base64`."""
    try:
        return {"body": answer.json()}
    except ValueError:
        pass
    try:
        return {"body": answer.content.decode()}
    except ValueError:
        return {"body_base64": base64.b64encode(answer.content).decode()}


def _document(answer: "Answer") -> dict[str, Any]:
    return {
        "status": answer.status,
        "transaction_id": answer.transaction_id,
        "headers": {name.lower(): value for name, value in answer.headers.items()},
        **body_value(answer),
    }


def _show(answer: "Answer", screen: "Screen", *, include: bool) -> None:
    if include:
        screen.print(f"HTTP {answer.status}")
        for name, value in answer.headers.items():
            screen.print(f"{name}: {value}")
        screen.print("")
    if screen.out.is_terminal and "json" in answer.headers.get("content-type", ""):
        try:
            screen.out.print_json(answer.text, ensure_ascii=False)
        except ValueError:
            screen.print(answer.text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.content)
    if screen.out.is_terminal and answer.content and not answer.content.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
