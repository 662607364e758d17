"""Fetching a document from an address that the user has named, within bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from lienthong.client.errors import InputError, Text, UnreachableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of a document: as many as the catalog takes."""
_TIMEOUT_S: Final = 30.0
_WHOLE_S: Final = 120.0


def fetch(address: str, headers: Mapping[str, str], tls: ssl.SSLContext | None = None) -> bytes:
    """The body at an address; no redirect is followed. `tls` is how a server is trusted, if not as usual.

    Raises:
        InputError: it is no address, or the body is larger than `LARGEST`.
        UnreachableError: nothing answers in time, or with another status than 200.
    """
    if not _is_address(address):
        raise InputError(Text("Địa chỉ không hợp lệ", "This is no address"), Text(address, address))
    found = bytearray()
    ends = time.monotonic() + _WHOLE_S
    try:
        with (
            httpx.Client(verify=True if tls is None else tls, timeout=_TIMEOUT_S) as http,
            http.stream("GET", address, headers=dict(headers)) as answer,
        ):
            if answer.is_redirect:
                there = answer.headers.get("location", "")
                raise _refused(address, f"{answer.status_code} → {there}")
            if answer.status_code != httpx.codes.OK:
                raise _refused(address, str(answer.status_code))
            for part in answer.iter_bytes():
                found += part
                if len(found) > LARGEST:
                    raise InputError(
                        Text("Tài liệu quá lớn", "The document is too large"),
                        Text(f"{address}: hơn {LARGEST} byte", f"{address}: more than {LARGEST} bytes"),
                    )
                if time.monotonic() > ends:
                    raise _refused(address, f"> {_WHOLE_S:.0f} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _refused(address, str(error) or type(error).__name__) from error
    return bytes(found)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _refused(address: str, why: str) -> UnreachableError:
    return UnreachableError(
        Text("Không lấy được tài liệu", "The document cannot be fetched"),
        Text(f"{address}: {why}", f"{address}: {why}"),
        Text(
            "Hãy kiểm tra địa chỉ bằng trình duyệt hoặc curl, hoặc tải tài liệu về và nêu tên tệp.",
            "Try the address in a browser or with curl, or download the document and name its file.",
        ),
        code="not-fetched",
    )
