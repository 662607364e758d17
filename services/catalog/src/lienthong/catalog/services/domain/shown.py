"""What the gateway shows to a provider that asks who comes: how it is named in a manifest.

Secrets are named here and never held: the operator gives them to the gateways under these names.
"""

from __future__ import annotations

import re
from typing import Final

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.upstreams import upstream

_SECRET: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")
_MAX_SCOPE: Final = 500
_X_ROAD_PART: Final = re.compile(r"[A-Za-z0-9'()+,.=-]{1,100}")
_CLIENT_PARTS: Final = range(3, 5)
_SERVICE_PARTS: Final = range(5, 6)
_TAKEN: Final = frozenset(
    (
        "connection", "content-length", "content-type", "expect", "host", "keep-alive", "te", "traceparent",
        "trailer", "transfer-encoding", "upgrade",
    )
)  # fmt: skip
_TAKEN_FAMILIES: Final = ("lgsp-", "proxy-", "x-forwarded-", "x-road-")


def secret_name(text: str) -> str:
    """Check the name of a secret.

    Raises:
        InvalidValueError: it breaks the grammar.
    """
    if _SECRET.fullmatch(text):
        return text
    raise InvalidValueError(
        "name the secret, do not write it here: 1 to 63 lower-case letters, digits and '-', like 'core'; the"
        " operator gives its value to the gateways",
        "hãy nêu tên bí mật, không ghi giá trị ở đây: 1 đến 63 chữ thường, chữ số và '-', ví dụ 'core'; đơn"
        " vị vận hành đưa giá trị cho các cổng",
    )


def header_name(text: str) -> str:
    """Return the name of a header field in lower case.

    Raises:
        InvalidValueError: it is no name, or of a field that the gateway writes itself.
    """
    name = text.lower()
    if not _HEADER.fullmatch(text):
        raise InvalidValueError(
            "write the name of a header field, like 'X-Api-Key'",
            "hãy viết tên một trường tiêu đề, ví dụ 'X-Api-Key'",
        )
    if name.replace("_", "-") in _TAKEN or name.replace("_", "-").startswith(_TAKEN_FAMILIES):
        raise InvalidValueError(
            f"the gateway writes '{name}' itself; use another field",
            f"cổng tự ghi trường '{name}'; hãy dùng trường khác",
        )
    return name


def token_url(text: str) -> str:
    """Return the canonical address of a token endpoint; other than of a base address, a `/` at its end stays.

    Raises:
        InvalidValueError: it is not an http(s) address, or carries credentials, a query or a fragment.
    """
    return upstream(text) + ("/" if text.endswith("/") else "")


def scope(text: str) -> str:
    """Check scopes, separated by single spaces (RFC 6749 section 3.3).

    Raises:
        InvalidValueError: it has other characters, or is too long.
    """
    if len(text) <= _MAX_SCOPE and _SCOPE.fullmatch(text):
        return text
    raise InvalidValueError(
        f"write scopes with single spaces between them, at most {_MAX_SCOPE} characters",
        f"hãy viết các scope cách nhau một dấu cách, không quá {_MAX_SCOPE} ký tự",
    )


def x_road_client(text: str) -> str:
    """Check the id of a client of X-Road: `INSTANCE/CLASS/MEMBER` or with a subsystem.

    Raises:
        InvalidValueError: it breaks the grammar.
    """
    return _x_road_id(text, _CLIENT_PARTS, "VN/GOV/H11.01/lgsp")


def x_road_service(text: str) -> str:
    """Check the id of a service of X-Road: `INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE`.

    Raises:
        InvalidValueError: it breaks the grammar.
    """
    return _x_road_id(text, _SERVICE_PARTS, "VN/GOV/G09/population/citizens")


def _x_road_id(text: str, count: range, example: str) -> str:
    parts = text.split("/")
    plain = all(_X_ROAD_PART.fullmatch(part) and part.strip(".") for part in parts)
    if len(parts) in count and plain:
        return text
    raise InvalidValueError(
        f"write the whole id as X-Road does, like '{example}'",
        f"hãy viết đầy đủ mã như trong X-Road, ví dụ '{example}'",
    )
