"""The body of a token request: `application/x-www-form-urlencoded`, read strictly."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from lienthong.identity.errors import TokenError, invalid_request

MAX_BODY: Final = 32_768
"""Bytes; a request with the largest honest assertion has fewer than 5,000."""

_MAX_FIELDS: Final = 32
_FORM: Final = "application/x-www-form-urlencoded"


def is_form(content_type: str) -> bool:
    """Whether a Content-Type says that the body is a form in UTF-8 (or says nothing of the encoding)."""
    kind, _, parameters = content_type.partition(";")
    encoding = parameters.replace(" ", "").replace('"', "").lower()
    return kind.strip().lower() == _FORM and encoding in ("", "charset=utf-8")


def read_form(body: bytes) -> Mapping[str, str]:
    """Read the parameters; those without a value count as left out (RFC 6749 §3.2).

    Raises:
        TokenError: invalid_request, if the body is no form or names a parameter twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise _unreadable() from error
    names = [name for name, _ in pairs]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise invalid_request(
            "A parameter stands in the request more than once; each may stand once (RFC 6749 section 3.2).",
            "Có tham số xuất hiện nhiều hơn một lần; mỗi tham số chỉ được một lần (RFC 6749 mục 3.2).",
        )
    return {name: value for name, value in pairs if value}


def not_a_form() -> TokenError:
    """The Content-Type is another one."""
    return invalid_request(
        "The request's Content-Type must be application/x-www-form-urlencoded.",
        "Content-Type của yêu cầu phải là application/x-www-form-urlencoded.",
    )


def too_large() -> TokenError:
    """The body is longer than `MAX_BODY`."""
    return invalid_request(
        f"The request's body is longer than {MAX_BODY} bytes.",
        f"Phần thân của yêu cầu dài hơn {MAX_BODY} byte.",
        status=413,
    )


def _unreadable() -> TokenError:
    return invalid_request(
        "The request's body is not a form: name=value pairs joined by &, percent-encoded UTF-8.",
        "Phần thân của yêu cầu không phải là biểu mẫu: các cặp tên=giá trị nối bằng &, mã hóa theo UTF-8.",
    )


def too_slow() -> TokenError:
    """The body did not come, or not in time."""
    return invalid_request(
        "The request's body did not arrive in time.",
        "Phần thân của yêu cầu không đến kịp.",
        status=408,
    )
