"""Options that commands share, and the client and the screen that are made from them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from lienthong.client import completion
from lienthong.client.errors import InputError, Text
from lienthong.client.files import replace_file

if TYPE_CHECKING:
    from lienthong.client.sync_client import Client
    from lienthong.client.terminal.screen import Screen

COMMON = "Chung · Common"

Gateway: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        envvar="LIENTHONG_GATEWAY",
        metavar="URL",
        rich_help_panel=COMMON,
        help="Địa chỉ cổng (không nêu: theo client.json, hoặc http://127.0.0.1:8080) · "
        "The gateway's address (without it: that of client.json, else http://127.0.0.1:8080)",
    ),
]
As: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="LIENTHONG_CREDENTIALS",
        metavar="DIR|NAME",
        rich_help_panel=COMMON,
        autocompletion=completion.credentials,
        help="Thư mục hoặc tên thông tin xác thực · Folder or name of credentials",
    ),
]
Json: TypeAlias = Annotated[
    bool,
    typer.Option("--json", rich_help_panel=COMMON, help="Kết quả dạng JSON · Output as JSON"),
]
Files: TypeAlias = Annotated[
    list[Path],
    typer.Option(
        "--file",
        "-f",
        help="Tệp YAML, thư mục, hoặc -; lặp lại được · YAML file, folder or -; repeatable",
    ),
]
LedgerKey: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="VKEY|FILE",
        help="Khoá công khai của sổ (không nêu: $LIENTHONG_HOME/ledger/ledger.vkey) · "
        "The ledger's public key (without it: $LIENTHONG_HOME/ledger/ledger.vkey)",
    ),
]


def screen(*, as_json: bool) -> Screen:
    """The output of the command, in the language that the environment names."""
    from lienthong.client.terminal.language import language_of
    from lienthong.client.terminal.screen import Screen

    return Screen(as_json=as_json, language=language_of(os.environ))


def open_client(as_: str | None, gateway: str | None, *, default: str | None, dpop: bool = False) -> Client:
    """A client with the credentials that `--as` names, else the default ones; `dpop` as the client has it."""
    from lienthong.client import folders
    from lienthong.client.sync_client import Client

    return Client(folders.load(as_, default), gateway=gateway, dpop=dpop)


def open_public_client(gateway: str | None) -> Client:
    """A client without credentials, for what is public."""
    from lienthong.client import folders
    from lienthong.client.sync_client import Client

    return Client(gateway=gateway or folders.default_gateway())


def read_bytes(path: str, most: int = -1) -> bytes:
    """A file's bytes, or those of standard input where the path is `-`; at most `most` if that is given."""
    if path == "-":
        return sys.stdin.buffer.read(most)
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise InputError(
            Text("Không đọc được tệp", "The file cannot be read"),
            Text(f"{path}: {error.strerror}", f"{path}: {error.strerror}"),
            code="no-such-file",
        ) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named, replacing the one that is there."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise InputError(
            Text("Không ghi được tệp", "The file cannot be written"),
            Text(f"{path}: {error.strerror}", f"{path}: {error.strerror}"),
        ) from error


def read_data(given: str) -> bytes:
    """The value of `-d`: text, `@file`, or `@-` for standard input."""
    return read_bytes(given[1:]) if given.startswith("@") else given.encode()


def parse_json(data: bytes, what: str) -> Any:  # noqa: ANN401
    """Data that must be JSON; the error says where it is not."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise InputError(
            Text(f"{what} không phải JSON", f"{what} is not JSON"),
            Text(str(error), str(error)),
            code="not-json",
        ) from error
