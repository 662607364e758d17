"""The body of a token request: `application/x-www-form-urlencoded`, read strictly."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from lienthong.identity.errors import doubled_parameter, unreadable_form

MAX_BODY: Final = 32_768
"""Bytes; a request with the largest honest assertion has fewer than 5,000."""

_MAX_FIELDS: Final = 32
_FORM: Final = "application/x-www-form-urlencoded"


def is_form(content_type: str) -> bool:
    """Whether a Content-Type names a form, in UTF-8 or without a charset."""
    kind, _, parameters = content_type.partition(";")
    encoding = parameters.replace(" ", "").replace('"', "").lower()
    return kind.strip().lower() == _FORM and encoding in ("", "charset=utf-8")


def read_form(body: bytes) -> Mapping[str, str]:
    """Read the parameters; those without a value are treated as omitted (RFC 6749 §3.2).

    Raises:
        TokenError: invalid_request, if the body is no form or has a parameter twice.
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
        raise unreadable_form() from error
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise doubled_parameter()
    return {name: value for name, value in pairs if value}
