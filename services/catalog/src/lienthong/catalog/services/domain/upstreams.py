"""Upstreams: the base addresses of a provider, to which the gateway forwards calls."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lienthong.kit.addresses import ProviderAddresses

MAX_LENGTH = 500

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_ENDS_IN_A_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*/?")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def upstream(text: str) -> str:
    """Return the canonical form of a base address: scheme and host in lower case, no `/` at the end.

    Raises:
        InvalidValueError: it is not an http(s) address, or carries credentials, a query or a fragment.
    """
    if not _PRINTABLE.fullmatch(text) or "\\" in text or len(text) > MAX_LENGTH:
        raise InvalidValueError(
            f"an address has only visible ASCII characters, no '\\', and at most {MAX_LENGTH} of them",
            f"địa chỉ chỉ gồm ký tự ASCII nhìn thấy được, không có '\\', không quá {MAX_LENGTH} ký tự",
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    else:
        if parts.scheme.lower() not in {"http", "https"}:
            host = None
    if not host or port == 0 or not _is_host(host):
        raise InvalidValueError(
            "write an address like 'http://10.0.0.5:8201' or 'https://land.example.vn/api'",
            "hãy viết địa chỉ như 'http://10.0.0.5:8201' hoặc 'https://land.example.vn/api'",
        )
    if "@" in parts.netloc:
        raise InvalidValueError(
            "credentials do not belong in an address; remove the part before '@'",
            "không để thông tin đăng nhập trong địa chỉ; hãy bỏ phần trước '@'",
        )
    if "?" in text or "#" in text:
        raise InvalidValueError(
            "a base address has no query and no fragment; remove '?…' and '#…'",
            "địa chỉ gốc không có truy vấn hay phân mảnh; hãy bỏ '?…' và '#…'",
        )
    if not _PATH.fullmatch(parts.path) or any(segment in {".", ".."} for segment in parts.path.split("/")):
        raise InvalidValueError(
            "the path must be plain: no '//', '.', '..' or percent-encoding",
            "đường dẫn phải đơn giản: không có '//', '.', '..' hay mã hoá phần trăm",
        )
    shown = f"[{ipaddress.IPv6Address(host)}]" if ":" in host else host
    return f"{parts.scheme.lower()}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def destination(address: str) -> str:
    """Return where calls to a canonical base address go, as `host:port`, one text for each."""
    parts = urlsplit(address)
    host = (parts.hostname or "").removesuffix(".")
    if ":" in host:
        literal = ipaddress.IPv6Address(host)
        host = str(literal.ipv4_mapped or literal)
    return f"{host}:{parts.port or _PORTS[parts.scheme]}"


def address_violations(upstreams: Sequence[str], rules: ProviderAddresses) -> Iterator[Violation]:
    """Yield what the installation's rules refuse among canonical base addresses, by their position.

    What a name leads to is judged by the gateway, whenever it connects.
    """
    for index, text in enumerate(upstreams):
        parts = urlsplit(text)
        refusal = rules.host_refusal(parts.hostname or "", parts.port or _PORTS[parts.scheme])
        if refusal is not None:
            yield Violation(
                (index,),
                BilingualText(
                    f"leads to {refusal.value.en}, where no call goes; register an address of the system in "
                    "its network, or have the operator allow this one (LIENTHONG_PROVIDER_NETWORKS)",
                    f"dẫn đến {refusal.value.vi}, lời gọi không được gửi tới đó; hãy đăng ký địa chỉ của hệ "
                    "thống trong mạng của nó, hoặc đề nghị đơn vị vận hành cho phép "
                    "(LIENTHONG_PROVIDER_NETWORKS)",
                ),
            )


def repeated_paths(upstreams: Sequence[str], path: str) -> Iterator[Violation]:
    """Yield each canonical base address that ends with the path of a WSDL document, which comes after it."""
    if path == "/":
        return
    for index, text in enumerate(upstreams):
        if urlsplit(text).path.endswith(path.rstrip("/")):
            yield Violation(
                (index,),
                BilingualText(
                    f"'{path}' comes from the WSDL document and is put behind this address; write the "
                    "address "
                    "without it",
                    f"'{path}' lấy từ tài liệu WSDL và được nối sau địa chỉ này; hãy viết địa chỉ không có "
                    "phần "
                    "đó",
                ),
            )


def _is_host(host: str) -> bool:
    if ":" in host:
        return "%" not in host and _is_ip(host, ipaddress.IPv6Address)
    if _ENDS_IN_A_NUMBER.search(host):
        # Many programs read 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1 (WHATWG URL, section 3.5).
        return _is_ip(host, ipaddress.IPv4Address)
    return _HOST.fullmatch(host) is not None


def _is_ip(host: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        kind(host)
    except ValueError:
        return False
    return True
