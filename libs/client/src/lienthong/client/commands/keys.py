"""`lienthong keys`: a system's keys."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.errors import InputError, RefusedError, Text, UnreachableError

if TYPE_CHECKING:
    from lienthong.client.terminal.screen import Screen

app = typer.Typer(no_args_is_help=True, help="Khoá của hệ thống · A system's keys")

_CLIENT_ID = re.compile(r"[A-Za-z0-9.\-]+/[a-z][a-z0-9-]{1,62}")


class KeyAlgorithm(StrEnum):
    """The algorithms of the bus."""

    ES256 = "ES256"
    EDDSA = "EdDSA"
    PS256 = "PS256"


@app.command("new")
def new(
    client_id: Annotated[
        str, typer.Option("--client-id", metavar="AGENCY/SYSTEM", help="Mã hệ thống · The system's id")
    ],
    folder: Annotated[Path, typer.Option("--dir", help="Thư mục ghi khoá · The folder to write to")],
    alg: Annotated[
        KeyAlgorithm, typer.Option("--alg", help="Thuật toán · The algorithm")
    ] = KeyAlgorithm.ES256,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tạo khoá mới: key.jwk (bí mật, 0600), public.jwks, client.json · Make keys; nothing is overwritten."""
    from lienthong.client import folders
    from lienthong.client.credentials import CLIENT_FILE, KEY_FILE, PUBLIC_FILE, Credentials, generate_key

    if not _CLIENT_ID.fullmatch(client_id):
        raise InputError(
            Text("Mã hệ thống không hợp lệ", "The system's id is not valid"),
            Text(
                f"«{client_id}» không có dạng CƠ_QUAN/HỆ_THỐNG.",
                f"'{client_id}' is not of the form AGENCY/SYSTEM.",
            ),
            Text("Ví dụ: --client-id H11.05/land", "For example: --client-id H11.05/land"),
        )
    screen = options.screen(as_json=as_json)
    issuer, token_endpoint = _authorization_server(gateway or folders.default_gateway(), screen)
    credentials = Credentials(client_id, issuer, token_endpoint, generate_key(alg.value))
    credentials.save(folder)
    files = {
        "key": folder / KEY_FILE,
        "public": folder / PUBLIC_FILE,
        "client": folder / CLIENT_FILE,
    }
    document = {
        "client_id": client_id,
        "alg": alg.value,
        "kid": credentials.key.kid,
        "issuer": credentials.issuer,
        "files": {name: str(path) for name, path in files.items()},
    }

    def show() -> None:
        screen.done(Text(f"Đã tạo khoá {alg.value} cho {client_id}", f"keys made for {client_id}"))
        screen.print(f"  {files['key']}  (bí mật, đừng gửi cho ai / secret, give it to nobody)")
        screen.print(f"  {files['public']}\n  {files['client']}")
        screen.note(
            Text(
                f"→ Tiếp: đăng ký hệ thống với «jwksFile: {files['public']}» rồi lienthong apply -f …",
                f"Next: register the system with 'jwksFile: {files['public']}', then lienthong apply -f …",
            )
        )

    screen.result(document, show)


def _authorization_server(gateway: str, screen: "Screen") -> tuple[str, str]:
    """The issuer and token endpoint as the gateway names them, else what its address suggests."""
    from lienthong.client import operations
    from lienthong.client.sync_client import Client

    with Client(gateway=gateway, timeout=3.0) as client:
        try:
            found = client.perform(operations.metadata())
        except (RefusedError, UnreachableError):
            screen.note(
                Text(
                    f"! chưa hỏi được cổng; client.json dùng {client.gateway}",
                    f"the gateway did not answer; client.json says {client.gateway}",
                )
            )
            found = {}
        issuer = str(found.get("issuer", client.gateway))
        return issuer, str(found.get("token_endpoint", f"{issuer}/oauth2/token"))
