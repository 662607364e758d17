"""Path templates of an OpenAPI document, such as `/parcels/{id}`: which the gateway matches without doubt.

A template that is accepted here is one whose calls the gateway takes. What it would refuse on every call is
refused at registration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.catalog.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.catalog.services.domain.references import References
    from lienthong.kit.json_text import Json, JsonObject

MAX_PATH: Final = 500
MAX_SEGMENT: Final = 200
"""Characters of one segment of a path template."""
MAX_PARAMETERS: Final = 8
"""Parameters in one segment, such as the four of a bounding box `{west},{south},{east},{north}`."""

# pchar of RFC 3986 §3.3 without percent-encoding, and without ';': what follows one is read by some servers
# as a parameter of the segment, so that the gateway refuses paths in which it would decide on the operation.
_LITERAL = r"[A-Za-z0-9._~!$&'()*+,=:@-]"
# The name of a parameter is for people and stands in no call; a '/' would end the segment before it does.
_PARAMETER = re.compile(r"\{[^{}/\x00-\x1f\x7f]{1,100}\}")
_SEGMENT = re.compile(rf"({_PARAMETER.pattern})?({_LITERAL}+{_PARAMETER.pattern})*{_LITERAL}*")


def normalised(path: str) -> str:
    """Return the shape of a path template, its parameters without names: `/parcels/{}`.

    A `/` at its end belongs to it: `/parcels/` is another path than `/parcels`.

    Raises:
        InvalidValueError: it is not a path template, or one whose matches would be ambiguous.
    """
    if not path.startswith("/"):
        raise InvalidValueError("a path begins with '/'", "đường dẫn phải bắt đầu bằng '/'")
    if len(path) > MAX_PATH:
        raise InvalidValueError(f"longer than {MAX_PATH} characters", f"dài hơn {MAX_PATH} ký tự")
    if path == "/":
        return path
    names = _PARAMETER.findall(path)
    if len(names) != len(set(names)):
        raise InvalidValueError(
            "the path has a parameter twice; give each its own name",
            "một tham số xuất hiện hai lần trong đường dẫn; hãy đặt tên khác nhau",
        )
    _check_ends(path)
    end = "/" if path.endswith("/") else ""
    return "".join(f"/{segment}" for segment in _segments(path.removesuffix("/"))) + end


def _check_ends(path: str) -> None:
    """Refuse what ends the path in an address: a query or a fragment (RFC 3986 §3.3)."""
    if "#" in path:
        raise InvalidValueError(
            "'#' begins a fragment, which no client sends (RFC 3986 §3.5), so that this is the same path as "
            "without it; describe the operation once, with all its bodies and examples, at the path before "
            "'#'",
            "'#' mở đầu phần phân mảnh mà máy khách không gửi đi (RFC 3986 §3.5), nên đây cũng là đường dẫn "
            "không có phần đó; hãy mô tả thao tác một lần, với mọi nội dung và ví dụ, tại đường dẫn trước "
            "'#'",
        )
    if "?" in path:
        raise InvalidValueError(
            "'?' begins the query, which is no part of a path; describe what follows as parameters with "
            "'in: query'",
            "'?' mở đầu phần truy vấn, không thuộc đường dẫn; hãy mô tả phần sau bằng tham số 'in: query'",
        )


def _segments(path: str) -> Iterator[str]:
    for segment in path[1:].split("/"):
        if segment == "":
            raise InvalidValueError(
                "an empty segment ('//') is never matched; remove it",
                "đoạn rỗng ('//') không bao giờ khớp; hãy bỏ đi",
            )
        if segment in {".", ".."}:
            raise InvalidValueError(
                f"the segment '{segment}' is never matched; write the path out",
                f"đoạn '{segment}' không bao giờ khớp; hãy viết đường dẫn đầy đủ",
            )
        if len(segment) > MAX_SEGMENT:
            raise InvalidValueError(
                f"a segment of the path is longer than {MAX_SEGMENT} characters; shorten it",
                f"một đoạn của đường dẫn dài hơn {MAX_SEGMENT} ký tự; hãy rút gọn",
            )
        if segment.count("{") > MAX_PARAMETERS:
            raise InvalidValueError(
                f"the segment '{segment}' has more than {MAX_PARAMETERS} parameters, which the gateway does "
                f"not match; put some of them into segments of their own or into the query",
                f"đoạn '{segment}' có hơn {MAX_PARAMETERS} tham số, cổng không hỗ trợ; "
                f"hãy chuyển bớt sang đoạn riêng hoặc vào phần truy vấn",
            )
        if not _SEGMENT.fullmatch(segment):
            raise InvalidValueError(
                f"the segment '{segment}' is not made of plain text (letters, digits and "
                f"-._~!$&'()*+,=:@) and "
                f"parameters like '{{id}}' with text between them",
                f"đoạn '{segment}' không gồm văn bản thường (chữ cái không dấu, chữ số và "
                f"-._~!$&'()*+,=:@) và "
                f"các tham số như '{{id}}' có văn bản ở giữa",
            )
        yield _PARAMETER.sub("{}", segment)


def matrix_parameters(
    references: References, path: str, item: JsonObject, operation: JsonObject
) -> Iterator[str]:
    """Yield the parameters of a path whose style is `matrix`: `/parcels/;id=7` (RFC 6570 §3.2.7).

    Servers that take what follows a `;` for a parameter of the segment read another path there, so that the
    gateway refuses every such call. Parameters of an operation stand in the place of those of its path item.
    """
    names = {name[1:-1] for name in _PARAMETER.findall(path)}
    styles: dict[str, Json] = {}
    for holder in (item, operation) if names else ():
        given = holder.get("parameters")
        for parameter in given if isinstance(given, list) else ():
            try:
                found = references.value(parameter)
            except InvalidValueError:
                # Most of a parameter is for the reader, also one that stands in another document.
                continue
            if isinstance(found, dict) and found.get("in") == "path":
                styles[str(found.get("name"))] = found.get("style")
    yield from (name for name, style in styles.items() if name in names and style == "matrix")
