"""`lienthong import`: manifests of what exists elsewhere."""

import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text
from lienthong.client.terminal.help import command, group

if TYPE_CHECKING:
    from lienthong.client.importing import Imported

app = group("Tạo tệp kê khai từ tài liệu, địa chỉ, X-Road · Manifests of documents, addresses, X-Road")

_SYSTEM = re.compile(r"[0-9A-Za-z.-]{1,40}/[a-z][a-z0-9-]{1,62}")
_SERVICE = re.compile(rf"{_SYSTEM.pattern}/[a-z][a-z0-9-]{{1,62}}")

Source = Annotated[
    str, typer.Argument(metavar="FILE|URL", help="Tệp, - hoặc địa chỉ · A file, - or an address")
]
Service = Annotated[
    str,
    typer.Option(
        "--service", metavar="AGENCY/SYSTEM/CODE", help="Mã của dịch vụ mới · The id of the new service"
    ),
]
Upstreams = Annotated[
    list[str] | None,
    typer.Option(
        "--upstream",
        metavar="URL",
        help="Nơi cổng gọi tới; lặp lại được (không nêu: theo tài liệu) · "
        "Where the gateway calls; repeatable (without it: what the document says)",
    ),
]
Folder = Annotated[
    Path, typer.Option("--dir", help="Thư mục để ghi (không nêu: tại đây) · The folder to write to")
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--authority",
        metavar="FILE",
        help="Chứng thư của nơi cấp cho máy chủ, dạng PEM · Whom to trust for the server, as PEM",
    ),
]


@command(
    app,
    "openapi",
    "lienthong import openapi openapi.yaml --service H11.05/land/maps-v1",
    "lienthong import openapi https://maps.land.example.vn/openapi.json \\",
    "  --service H11.05/land/maps-v1",
)
def openapi(
    source: Source,
    service: Service,
    upstream: Upstreams = None,
    folder: Folder = Path(),
    authority: Authority = None,
    as_json: options.Json = False,
) -> None:
    """Từ tài liệu OpenAPI hoặc Swagger · From an OpenAPI or Swagger document.

    Ghi bản nháp để bạn xem lại rồi áp dụng · Writes a draft for you to look at and apply.
    """
    from lienthong.client.importing import from_openapi

    _require(_SERVICE, service, "AGENCY/SYSTEM/CODE")
    content = _read(source, _tls(authority))
    _written([from_openapi(service, content, source, upstream or ())], [], folder, as_json=as_json)


@command(
    app,
    "wsdl",
    "lienthong import wsdl land.wsdl --service H11.05/land/registry-v1",
    "lienthong import wsdl 'http://10.0.0.5:8204/soap/land?wsdl' \\",
    "  --service H11.05/land/registry-v1",
)
def wsdl(
    source: Source,
    service: Service,
    upstream: Upstreams = None,
    folder: Folder = Path(),
    authority: Authority = None,
    as_json: options.Json = False,
) -> None:
    """Từ tài liệu WSDL · From a WSDL document.

    Ghi bản nháp để bạn xem lại rồi áp dụng · Writes a draft for you to look at and apply.
    """
    from lienthong.client.importing import from_wsdl

    _require(_SERVICE, service, "AGENCY/SYSTEM/CODE")
    content = _read(source, _tls(authority))
    _written([from_wsdl(service, content, upstream or ())], [], folder, as_json=as_json)


@command(
    app,
    "x-road",
    "lienthong import x-road https://ss1.example.vn --client VN/GOV/H11/lgsp \\",
    "  --provider VN/GOV/G01/population --system G01/population --dir population",
)
def x_road(
    server: Annotated[
        str, typer.Argument(metavar="URL", help="Máy chủ bảo mật · The security server's address")
    ],
    client_id: Annotated[
        str,
        typer.Option(
            "--client",
            metavar="INSTANCE/CLASS/MEMBER/SUBSYSTEM",
            help="Hệ thống con mà cổng đại diện · The subsystem as which the gateway calls",
        ),
    ],
    provider: Annotated[
        str,
        typer.Option(
            "--provider",
            metavar="INSTANCE/CLASS/MEMBER/SUBSYSTEM",
            help="Hệ thống con cung cấp dịch vụ · The subsystem that provides the services",
        ),
    ],
    system: Annotated[
        str,
        typer.Option(
            "--system",
            metavar="AGENCY/SYSTEM",
            help="Hệ thống tại đây nhận các dịch vụ đó · The system here that gets them",
            autocompletion=completion.systems,
        ),
    ],
    folder: Folder = Path(),
    authority: Authority = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            metavar="FILE",
            help="Chứng thư và khoá để vào máy chủ bảo mật, dạng PEM · "
            "Certificate and key with which the security server lets one in, as PEM",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Từ một hệ thống con của X-Road · From a subsystem of X-Road.

    Hỏi listMethods và getOpenAPI, ghi mỗi dịch vụ một bản nháp · Asks listMethods and getOpenAPI, and writes
    a draft of each service.
    """
    from lienthong.client.importing import MEMBER, SUBSYSTEM, XRoad

    _require(_SYSTEM, system, "AGENCY/SYSTEM")
    _require(MEMBER, client_id, "INSTANCE/CLASS/MEMBER/SUBSYSTEM")
    _require(SUBSYSTEM, provider, "INSTANCE/CLASS/MEMBER/SUBSYSTEM")
    there = XRoad(server, client_id, provider, _tls(authority, certificate))
    found, others = there.services(system)
    if not found:
        raise InputError(
            Text("Không có dịch vụ nào kèm tài liệu OpenAPI", "No service has an OpenAPI document"),
            Text(provider, provider),
        )
    _written(found, others, folder, as_json=as_json)


def _written(found: "list[Imported]", others: list[str], folder: Path, *, as_json: bool) -> None:
    from shlex import quote

    files = [path for one in found for path in one.write(folder)]
    screen = options.screen(as_json=as_json)
    document: dict[str, Any] = {
        "services": [one.id for one in found],
        "files": [str(path) for path in files],
        "left_out": others,
    }

    def show() -> None:
        for path in files:
            screen.done(Text(f"Đã ghi {path}", f"{path} is written"))
        for code in others:
            screen.note(
                Text(
                    f"Không có {code}: dịch vụ này không kèm tài liệu OpenAPI",
                    f"Without {code}: it has no OpenAPI document",
                )
            )
        names = " ".join(
            f"-f {quote(str(path))}" for path in files if path.suffix == ".yaml" and "." not in path.stem
        )
        screen.note(
            Text(
                f"Hãy xem lại tên và địa chỉ, rồi: lienthong apply {names} --dry-run",
                f"Look at names and addresses, then: lienthong apply {names} --dry-run",
            )
        )

    screen.result(document, show)


def _read(source: str, tls: ssl.SSLContext | None) -> bytes:
    from lienthong.client.fetching import LARGEST, fetch

    if source.startswith(("http://", "https://")):
        return fetch(source, {"Accept": "*/*"}, tls)
    content = options.read_bytes(source, LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(
            Text("Tài liệu quá lớn", "The document is too large"),
            Text(f"{source}: hơn {LARGEST} byte", f"{source}: more than {LARGEST} bytes"),
        )
    return content


def _tls(authority: Path | None, certificate: Path | None = None) -> ssl.SSLContext | None:
    if authority is None and certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
        if certificate is not None:
            context.load_cert_chain(str(certificate))
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            Text("Không đọc được chứng thư", "The certificate cannot be read"),
            Text(f"{authority or certificate}: {error}", f"{authority or certificate}: {error}"),
        ) from error
    return context


def _require(pattern: re.Pattern[str], given: str, form: str) -> None:
    if not pattern.fullmatch(given):
        raise InputError(
            Text("Mã không đúng dạng", "The id has another form"),
            Text(f"{given}: cần {form}", f"{given}: {form} is expected"),
            code="usage",
        )
