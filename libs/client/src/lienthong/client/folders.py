"""Where credentials lie on this machine, and which gateway is meant when none is named."""

from __future__ import annotations

import json
import os
from pathlib import Path

from lienthong.client.credentials import CLIENT_FILE, Credentials
from lienthong.client.errors import CredentialsError, InputError, Text

GATEWAY_PORT = 8080


def home() -> Path:
    """The state of the local installation: LIENTHONG_HOME, else `.lienthong`."""
    return Path(os.environ.get("LIENTHONG_HOME") or ".lienthong")


def port_offset() -> int:
    """What LIENTHONG_PORT_OFFSET adds to the ports of a local installation.

    Raises:
        InputError: it is not a number.
    """
    offset = os.environ.get("LIENTHONG_PORT_OFFSET") or "0"
    if not offset.isascii() or not offset.isdigit():
        raise InputError(
            Text("LIENTHONG_PORT_OFFSET không phải số", "LIENTHONG_PORT_OFFSET is not a number"),
            Text(f"Đang là «{offset}».", f"It is '{offset}'."),
        )
    return int(offset)


def default_gateway() -> str:
    """The gateway of a local installation, with LIENTHONG_PORT_OFFSET."""
    return f"http://127.0.0.1:{GATEWAY_PORT + port_offset()}"


def find(name: str) -> Path:
    """The folder of credentials that a path or a name means.

    A name is looked for under `$LIENTHONG_HOME/demo`, then `$LIENTHONG_HOME`; `H11.05/land` finds `land` when
    that folder is this client's. Raises `CredentialsError` that lists the names there are.
    """
    if (Path(name).expanduser() / CLIENT_FILE).is_file():
        return Path(name).expanduser()
    for room in _rooms():
        if (room / name / CLIENT_FILE).is_file():
            return room / name
        inner = room / name.rpartition("/")[2]
        if "/" in name and _client_id(inner) == name:
            return inner
    raise _none_found(
        Text(f"Không tìm thấy «{name}»", f"'{name}' is not found"),
    )


def choose(name: str | None, default: str | None) -> Path:
    """The folder that `--as` names, else the default under LIENTHONG_HOME."""
    if name:
        return find(name)
    if default is None:
        raise _none_found(Text("Chưa chọn hệ thống", "No system is chosen"))
    if not (home() / default / CLIENT_FILE).is_file():
        raise _none_found(
            Text(
                f"Không có thông tin xác thực «{default}» ở {home() / default}",
                f"No credentials '{default}' at {home() / default}",
            )
        )
    return home() / default


def names() -> list[str]:
    """The names that `--as` knows on this machine."""
    found = {path.parent.name for room in _rooms() for path in room.glob(f"*/{CLIENT_FILE}")}
    return sorted(found)


def load(name: str | None, default: str | None) -> Credentials:
    """The credentials that `--as` names, else the default ones."""
    return Credentials.load(choose(name, default))


def _rooms() -> tuple[Path, Path]:
    return home() / "demo", home()


def _client_id(folder: Path) -> str | None:
    try:
        document = json.loads((folder / CLIENT_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return document.get("client_id") if isinstance(document, dict) else None


def _none_found(title: Text) -> CredentialsError:
    known = ", ".join(names())
    if known:
        detail = Text(f"Có sẵn: {known}.", f"There are: {known}.")
    else:
        where = home().absolute()
        detail = Text(f"{where} không có thông tin xác thực nào.", f"{where} holds no credentials.")
    return CredentialsError(
        title,
        detail,
        Text(
            "Chọn bằng --as TÊN hoặc --as THƯ_MỤC (hay LIENTHONG_CREDENTIALS); LIENTHONG_HOME chỉ nơi lưu.",
            "Choose with --as NAME or --as FOLDER (or LIENTHONG_CREDENTIALS), kept under LIENTHONG_HOME.",
        ),
    )
