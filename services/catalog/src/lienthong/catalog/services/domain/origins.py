"""Origins: whose pages browsers let read the answers of a service (RFC 6454, the Fetch standard)."""

from __future__ import annotations

import re
from typing import Final

from lienthong.catalog.errors import InvalidValueError

ANY: Final = "*"
_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:(?P<port>[1-9][0-9]{0,4}))?"
)
_MAX_LENGTH: Final = 300
_MAX_PORT: Final = 65_535
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def origin(text: str) -> str:
    """Return an origin as browsers write it: scheme and host in lower case, no default port; or `*`.

    Raises:
        InvalidValueError: it is neither `*` nor an http(s) origin.
    """
    if text == ANY:
        return text
    if "*" in text:
        raise InvalidValueError(
            "an origin is named whole: list each page's own, such as 'https://portal.example.vn'",
            "nguồn gốc phải viết đầy đủ: hãy nêu từng trang, như 'https://portal.example.vn'",
        )
    found = _ORIGIN.fullmatch(text.lower()) if len(text) <= _MAX_LENGTH and text.isascii() else None
    if found is None or int(found["port"] or 1) > _MAX_PORT:
        raise InvalidValueError(
            "write an origin as browsers send it, like 'https://portal.example.vn:8443': http or https, a"
            " name, perhaps a port; nothing before, between or after them",
            "hãy viết nguồn gốc như trình duyệt gửi, ví dụ 'https://portal.example.vn:8443': http hoặc https,"
            " tên máy chủ, có thể có cổng; không thêm gì trước, giữa hay sau",
        )
    port = found["port"]
    shown = f":{port}" if port is not None and port != _DEFAULT_PORTS[found["scheme"]] else ""
    return f"{found['scheme']}://{found['host']}{shown}"


def check_origins(origins: list[str]) -> list[str]:
    """Return the origins; refuse `*` beside others.

    Raises:
        InvalidValueError: `*` does not stand alone.
    """
    if ANY in origins and len(origins) > 1:
        raise InvalidValueError(
            "'*' allows every page; leave the other origins out, or '*'",
            "'*' cho phép mọi trang; hãy bỏ các nguồn gốc khác, hoặc bỏ '*'",
        )
    return origins
