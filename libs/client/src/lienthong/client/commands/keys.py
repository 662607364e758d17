"""`lienthong keys`: a system's keys."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, RefusedError, Text, UnreachableError
from lienthong.client.terminal.help import command, group
from lienthong.client.terminal.table import Column
from lienthong.client.times import moment

if TYPE_CHECKING:
    from lienthong.client.terminal.screen import Screen

app = group("Khoá của hệ thống · A system's keys")

_CLIENT_ID = re.compile(r"[A-Za-z0-9.\-]+/[a-z][a-z0-9-]{1,62}")


_KEYS = (
    Column(Text("HỆ THỐNG", "SYSTEM")),
    Column(Text("DẤU VẾT", "THUMBPRINT")),
    Column(Text("TÊN KHOÁ", "KID")),
    Column(Text("HẾT HẠN", "ENDS")),
    Column(Text("GHI CHÚ", "NOTE")),
)


class KeyAlgorithm(StrEnum):
    """The signature algorithms that the bus accepts."""

    ES256 = "ES256"
    EDDSA = "EdDSA"
    PS256 = "PS256"


ClientId = Annotated[
    str, typer.Option("--client-id", metavar="AGENCY/SYSTEM", help="Mã hệ thống · The system's id")
]
Folder = Annotated[Path, typer.Option("--dir", help="Thư mục để ghi · The folder to write to")]


@command(
    app,
    "new",
    "lienthong keys new --client-id H11.77/hello --dir keys",
    "lienthong keys new --client-id H11.77/hello --dir keys --until 2027-12-31",
)
def new(
    client_id: ClientId,
    folder: Folder,
    alg: Annotated[
        KeyAlgorithm, typer.Option("--alg", help="Thuật toán chữ ký · The signature algorithm")
    ] = KeyAlgorithm.ES256,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="DATE",
            help="Ngày khoá hết hạn, giờ của máy này; không nêu thì không hết hạn · "
            "When the key ends, in this machine's zone; without it the key has no end",
        ),
    ] = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tạo khoá mới · Make a new key.

    Ghi key.jwk (bí mật, 0600), public.jwks và client.json, không ghi đè gì
    · Writes key.jwk (secret, mode 0600), public.jwks and client.json, and overwrites nothing.
    """
    from lienthong.client.credentials import CLIENT_FILE, KEY_FILE, PUBLIC_FILE, Credentials, generate_key

    _require_client_id(client_id)
    ends = None if until is None else _end(until)
    screen = options.screen(as_json=as_json)
    issuer, token_endpoint = _authorization_server(gateway, screen)
    credentials = Credentials(client_id, issuer, token_endpoint, generate_key(alg.value, ends))
    credentials.save(folder)
    files = {"key": folder / KEY_FILE, "public": folder / PUBLIC_FILE, "client": folder / CLIENT_FILE}
    document = _document(client_id, alg.value, credentials.key.kid, issuer, files)
    done = Text(f"Đã tạo khoá {alg.value} cho {client_id}", f"{alg.value} key made for {client_id}")
    screen.result(document, lambda: _show(screen, done, files))


@command(
    app,
    "import",
    "lienthong keys import key.pem --client-id H11.77/hello --dir keys",
    "lienthong keys import key.jwk --client-id H11.77/hello --dir keys",
    "lienthong keys import key.pem cert.pem --passphrase-file secret.txt \\",
    "  --client-id H11.77/hello --dir keys",
)
def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Tệp PEM: khoá bí mật, chứng thư X.509, khoá công khai; hoặc một JWK; hoặc - · "
            "PEM files: a private key, an X.509 certificate, a public key; or one JWK; or -",
        ),
    ],
    client_id: ClientId,
    folder: Folder,
    passphrase_file: Annotated[
        str | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help="Tệp chứa mật khẩu của khoá; không nêu thì hỏi · "
            "The file with the key's passphrase; without it you are asked",
        ),
    ] = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Dùng khoá hoặc chứng thư đang có · Use a key or a certificate that you have.

    Khoá EC P-256, Ed25519, hoặc RSA từ 2048 bit. Ghi thư mục như keys new; nếu chỉ có chứng thư hay khoá công
    khai thì không có key.jwk
    · An EC P-256, Ed25519 or RSA key (2,048 bits or more). Writes the same folder as keys new; a
    certificate or public key alone gives no key.jwk.
    """
    from lienthong.client.credentials import (
        CLIENT_FILE,
        KEY_FILE,
        PUBLIC_FILE,
        Credentials,
        PublicCredentials,
    )
    from lienthong.client.key_files import LARGEST_FILE, read_key_files

    _require_client_id(client_id)
    screen = options.screen(as_json=as_json)
    contents = [options.read_bytes(file, LARGEST_FILE + 1) for file in files]
    imported = read_key_files(contents, lambda: _passphrase(passphrase_file))
    issuer, token_endpoint = _authorization_server(gateway, screen)
    written = {"public": folder / PUBLIC_FILE, "client": folder / CLIENT_FILE}
    if imported.private:
        Credentials(client_id, issuer, token_endpoint, imported.key).save(folder)
        written = {"key": folder / KEY_FILE, **written}
        done = Text(
            f"Đã nhập khoá {imported.algorithm} cho {client_id}",
            f"{imported.algorithm} key imported for {client_id}",
        )
    else:
        PublicCredentials(client_id, issuer, token_endpoint, imported.public_keys()).save(folder)
        done = Text(
            f"Đã nhập khoá công khai {imported.algorithm} cho {client_id}; khoá bí mật vẫn ở nơi khác",
            f"{imported.algorithm} public key imported for {client_id}; the private key stays where it is",
        )
    if imported.expires is not None:
        date = imported.expires.date().isoformat()
        screen.note(
            Text(
                f"! chứng thư hết hạn ngày {date}, và khoá cũng vậy: trước đó hãy đăng ký khoá mới",
                f"! the certificate ends on {date}, and so does the key: register a new one before",
            )
        )
    document = _document(client_id, imported.algorithm, imported.key.kid, issuer, written)
    registered = folder if imported.private else None
    screen.result(document, lambda: _show(screen, done, written, registered))


@command(
    app,
    "list",
    "lienthong keys list H11.05/land",
    "lienthong keys list --agency H11.05 --ending 30",
)
def list_(
    system: Annotated[
        str | None,
        typer.Argument(
            metavar="AGENCY/SYSTEM",
            help="Hệ thống; không nêu thì mọi hệ thống · The system; without it those of all",
            autocompletion=completion.systems,
        ),
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option(
            "--agency",
            metavar="AGENCY",
            help="Chỉ hệ thống của cơ quan này · Only those of this agency",
            autocompletion=completion.agencies,
        ),
    ] = None,
    ending: Annotated[
        int | None,
        typer.Option(
            "--ending",
            metavar="DAYS",
            min=0,
            help="Chỉ khoá hết hạn trong số ngày này, hoặc đã hết hạn · "
            "Only keys that end within so many days, or have ended",
        ),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xem khoá của các hệ thống và ngày hết hạn · List the keys of systems, and when they end."""
    from lienthong.client import operations
    from lienthong.client.key_ends import ending_within, keys_of
    from lienthong.client.terminal import table

    if system is not None and agency is not None:
        raise InputError(
            Text("Nêu hệ thống hoặc --agency, không cả hai", "Give a system or --agency, not both"),
            code="usage",
        )
    with options.open_client(as_, gateway, default="operator") as client:
        if system is None:
            systems = list(client.manifests("systems", {} if agency is None else {"agency": agency}))
        else:
            systems = [client.perform(operations.manifest("systems", system))]
    now = datetime.now(UTC)
    found = [key for one in systems for key in keys_of(one)]
    if ending is not None:
        found = [key for key in found if ending_within(key, now, ending)]
    screen = options.screen(as_json=as_json)
    rows = [
        (key.system, key.thumbprint, key.kid, key.end_text, key.state(now, screen.label)) for key in found
    ]
    screen.result({"items": [key.document() for key in found]}, lambda: table.show(screen, _KEYS, rows))


def _end(text: str) -> datetime:
    now = datetime.now(UTC)
    ends = datetime.fromisoformat(moment(text, now=now))
    if ends <= now:
        raise InputError(
            Text("Ngày hết hạn đã qua", "The key would have ended already"),
            advice=Text("Nêu một ngày sau hôm nay.", "Give a day after today."),
            code="usage",
        )
    return ends


def _passphrase(file: str | None) -> bytes:
    if file is not None:
        return options.read_bytes(file).rstrip(b"\r\n")
    entered: str = typer.prompt("Mật khẩu của khoá / passphrase", hide_input=True, err=True)
    return entered.encode()


def _require_client_id(client_id: str) -> None:
    if not _CLIENT_ID.fullmatch(client_id):
        raise InputError(
            Text("Mã hệ thống không hợp lệ", "The system's id is not valid"),
            Text(
                f"«{client_id}» không có dạng CƠ_QUAN/HỆ_THỐNG.",
                f"'{client_id}' is not of the form AGENCY/SYSTEM.",
            ),
            Text("Ví dụ: --client-id H11.05/land", "For example: --client-id H11.05/land"),
        )


def _document(
    client_id: str, algorithm: str, key_id: str | None, issuer: str, files: dict[str, Path]
) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "alg": algorithm,
        "kid": key_id,
        "issuer": issuer,
        "files": {name: str(path) for name, path in files.items()},
    }


def _show(screen: "Screen", done: Text, files: dict[str, Path], registered: Path | None = None) -> None:
    """Say what was written and what comes next. The key in the folder `registered` may be so already."""
    screen.done(done)
    for name, path in files.items():
        secret = Text("bí mật, không gửi cho ai", "secret, send it to nobody")
        screen.print(f"  {path}" + (f"  ({screen.label(secret, ' / ')})" if name == "key" else ""))
    if registered is not None:
        screen.note(
            Text(
                f"→ Khoá đã đăng ký (ví dụ trên bảng điều khiển): lienthong token --as {registered}",
                f"→ If it is registered already, as in the console: lienthong token --as {registered}",
            )
        )
    screen.note(
        Text(
            f"→ {'Chưa đăng ký' if registered else 'Tiếp'}: đăng ký hệ thống với "
            f"«jwksFile: {files['public']}» rồi lienthong apply -f …",
            f"→ {'If not' if registered else 'Next'}: register the system with "
            f"'jwksFile: {files['public']}', then lienthong apply -f …",
        )
    )


def _authorization_server(gateway: str | None, screen: "Screen") -> tuple[str, str]:
    """The issuer and token endpoint as the gateway names them, else as its address suggests."""
    from lienthong.client import folders, operations
    from lienthong.client.sync_client import Client

    with Client(gateway=gateway or folders.default_gateway(), timeout=3.0) as client:
        try:
            found = client.perform(operations.metadata())
        except (RefusedError, UnreachableError):
            screen.note(
                Text(
                    f"! cổng không trả lời; client.json ghi địa chỉ {client.gateway}",
                    f"! the gateway did not answer; client.json says {client.gateway}",
                )
            )
            found = {}
        issuer = str(found.get("issuer", client.gateway))
        return issuer, str(found.get("token_endpoint", f"{issuer}/oauth2/token"))
