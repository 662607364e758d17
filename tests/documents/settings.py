"""`docs/reference/settings.md`: every variable of every process, from the settings classes."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from lienthong.catalog.settings import CatalogSettings
from lienthong.console.settings import ConsoleSettings
from lienthong.edge import EdgeSettings
from lienthong.exchange.settings import ExchangeSettings
from lienthong.gateway.settings import GatewaySettings
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.settings import Settings
from lienthong.ledger.settings import LedgerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

PAGE = Path("docs/reference/settings.md")
SECTIONS: tuple[tuple[str, str, type[Settings]], ...] = (
    ("All processes", "Mọi tiến trình", Settings),
    ("Gateway", "Cổng", GatewaySettings),
    ("Catalog", "Danh mục", CatalogSettings),
    ("Identity", "Định danh", IdentitySettings),
    ("Exchange", "Trao đổi dữ liệu", ExchangeSettings),
    ("Ledger", "Sổ nhật ký", LedgerSettings),
    ("Console", "Bảng điều khiển", ConsoleSettings),
    ("The edge of an embedded installation", "Cửa ngõ của bản chạy trên một máy", EdgeSettings),
)

_HEAD = """\
# Settings

*Tóm tắt.* Mỗi tiến trình đọc cấu hình từ các biến môi trường `LIENTHONG_…` khi khởi động; biến để trống coi
như không đặt, biến không biết được bỏ qua. Giá trị sai thì tiến trình không khởi động và nói rõ biến nào sai.
Bảng dưới đây được tạo từ mã nguồn và được kiểm tra khớp với mã nguồn.

Every process reads its settings from `LIENTHONG_…` environment variables when it starts. A variable that
is set but empty counts as not set; variables that nobody knows are ignored: one environment can serve all
processes. With a value that cannot be used a process does not start and names the variable. `{home}` stands
for `LIENTHONG_HOME`, `{instance}` for `LIENTHONG_INSTANCE`; ports in defaults are shifted by
`LIENTHONG_PORT_OFFSET`. The variables of the `lienthong` command are in [command.md](command.md).

This page is written from the settings classes: `make reference`.
"""
_MACHINE: Mapping[object, str] = {socket.gethostname: "the machine's host name"}
_KINDS: Mapping[object, str] = {
    int: "whole number",
    float: "number",
    Path: "path",
    timedelta: "seconds or ISO 8601",
    bool: "`true`, `false`",
}
_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
_LENGTHS = {"min_length": "not empty", "max_length": "at most {} characters"}


def page() -> str:
    """The page as it has to be.

    Raises:
        ValueError: a setting has no docstring.
    """
    parts = [_HEAD]
    for english, vietnamese, settings in SECTIONS:
        parts.append(f"\n## {english} · {vietnamese}\n")
        parts.append("| variable | values | default | meaning |\n|---|---|---|---|")
        parts += [
            _row(name, field)
            for name, field in settings.model_fields.items()
            if settings is Settings or name not in Settings.model_fields
        ]
    return "\n".join(parts) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"the setting {name} needs a docstring")
    cells = (
        f"`LIENTHONG_{name.upper()}`",
        _values(field),
        _default(field),
        " ".join(field.description.split()),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(option for option in get_args(annotation) if option is not NoneType)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{option}`" for option in get_args(annotation))
    words = [_KINDS.get(annotation, "text")]
    for constraint in field.metadata:
        words += [
            text.format(_shown(bound))
            for attribute, text in (_BOUNDS | _LENGTHS).items()
            if (bound := getattr(constraint, attribute, None)) is not None
        ]
        if pattern := getattr(constraint, "pattern", None):
            words.append(f"`{pattern}`")
    return ", ".join(words)


def _default(field: FieldInfo) -> str:
    factory = field.default_factory
    if factory is None:
        return "–" if field.default is None else f"`{_shown(field.default)}`"
    if factory in _MACHINE:
        return _MACHINE[factory]
    stand_ins: dict[str, Any] = {"home": Path("{home}"), "instance": "{instance}", "port_offset": 0}
    value = str(factory(stand_ins))  # type: ignore[call-arg]  # pydantic's type allows both forms
    return f"`{value.replace(f'{Path.cwd()}/', '')}`"


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return str(int(value.total_seconds()))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
