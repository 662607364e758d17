"""All text of a request that is not its body, checked at the door: UTF-8, and without NUL characters.

What one reader replaces, another refuses and a third stores is neither: bytes that are no UTF-8 become a
replacement character in most frameworks, half of a surrogate pair ends in an error when it is written, and
PostgreSQL takes no NUL. Bodies are checked by `json_text`, claims of tokens where tokens are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from lienthong.kit.json_text import is_portable_text
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from starlette.types import Scope

_PATH = BilingualText("The path", "Đường dẫn")
_QUERY = BilingualText("The query", "Phần truy vấn")


def check_text(scope: Scope) -> None:
    """Refuse a request (an ASGI HTTP scope) whose path, query or header values are not portable text.

    Raises:
        ProblemError: `malformed-request`, it says where.
    """
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    if not _is_portable_address(path):
        raise _not_text(_PATH)
    query: bytes = scope["query_string"]
    if query and not _is_portable_address(query):
        raise _not_text(_QUERY)
    for name, value in scope["headers"]:
        if not value.isascii() or b"\0" in value:
            if _is_portable(value):
                continue
            shown = name.decode("latin-1")[:60]
            raise _not_text(BilingualText(f"The header {shown}", f"Trường tiêu đề {shown}"))


def _is_portable_address(part: bytes) -> bool:
    if b"%" not in part and b"\0" not in part and part.isascii():
        return True
    return _is_portable(unquote_to_bytes(part))


def _is_portable(data: bytes) -> bool:
    try:
        # A surrogate has no encoding in UTF-8 (RFC 3629 §3), so only NUL is left to look for.
        return is_portable_text(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _not_text(where: BilingualText) -> ProblemError:
    detail = BilingualText(
        f"{where.en} is not UTF-8 text, or holds a NUL character.",
        f"{where.vi} không phải văn bản UTF-8, hoặc có ký tự NUL.",
    )
    return ProblemError(general.MALFORMED_REQUEST, detail)
