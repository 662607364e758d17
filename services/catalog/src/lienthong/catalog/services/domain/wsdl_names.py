"""The names that a WSDL document gives: of operations, of elements and actions, and the path of its ports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.path_templates import normalised
from lienthong.kit.text import shown
from lienthong.kit.xml_text import local_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.catalog.services.domain.wsdl_tree import Element

MAX_NAME = 500
"""Characters of a qualified name, and of an action."""

_OPERATION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_ACTION = re.compile(r"[!#-\[\]-~]{1,500}")
"""Visible ASCII characters but for `"` and `\\`, with which headers quote."""


def address_path(location: str) -> str:
    """Return the path of a soap:address, which is where callers call the service.

    Raises:
        InvalidValueError: it is no address that can be called through the gateway.
    """
    try:
        parts = urlsplit(location.strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidValueError(
            "the location must be an address like 'http://10.0.0.5:8080/ws/Land'; its path is what "
            "callers use",
            "location phải là địa chỉ như 'http://10.0.0.5:8080/ws/Land'; bên gọi dùng đường dẫn của nó",
        )
    if parts.query or parts.fragment or "{" in parts.path:
        raise InvalidValueError(
            "the location must have no query, no fragment and no '{'; offer the service at a plain path",
            "location không được có truy vấn, phân mảnh hay '{'; hãy cung cấp dịch vụ tại đường dẫn thường",
        )
    path = parts.path or "/"
    normalised(path.rstrip("/") or "/")
    if path.endswith("//"):
        raise InvalidValueError("the path ends with '//'", "đường dẫn kết thúc bằng '//'")
    return path


def check_operation_name(name: str) -> None:
    """Check the name that agreements and the audit trail will use.

    Raises:
        InvalidValueError: it has other characters, or is too long.
    """
    if not _OPERATION_NAME.fullmatch(name):
        raise InvalidValueError(
            f"the name '{shown(name)}' of an operation has to be 1 to 128 letters, digits, '.', '_' and '-'",
            f"tên thao tác '{shown(name)}' phải gồm 1 đến 128 chữ cái không dấu, chữ số, '.', '_' và '-'",
        )


def checked_name(name: str) -> str:
    """Return the name of an element.

    Raises:
        InvalidValueError: it is too long.
    """
    if len(name) > MAX_NAME or not local_name(name).isprintable():
        raise InvalidValueError(
            f"the name of an element with its namespace is longer than {MAX_NAME} characters",
            f"tên phần tử cùng không gian tên dài hơn {MAX_NAME} ký tự",
        )
    return name


def checked_actions(actions: Iterable[str]) -> tuple[str, ...]:
    """Return the actions that an operation has, without empty ones and repetitions.

    Raises:
        InvalidValueError: one could not stand in a header.
    """
    found = tuple(dict.fromkeys(action.strip() for action in actions if action.strip()))
    for action in found:
        if not _ACTION.fullmatch(action):
            raise InvalidValueError(
                f"the action '{shown(action)}' has to be at most {MAX_NAME} visible ASCII characters, "
                "without '\"' and '\\'",
                f"action '{shown(action)}' phải gồm không quá {MAX_NAME} ký tự ASCII nhìn thấy được, "
                "không có '\"' và '\\'",
            )
    return found


def default_action(target: str, port_type: Element, given: Element, operation: Element) -> str:
    """Return the action of an input that states none (WS-Addressing 1.0 Metadata, section 4.4.4)."""
    two_way = any(local_name(child.name) == "output" for child in operation.children)
    name = given.get("name") or operation.get("name") + ("Request" if two_way else "")
    delimiter = ":" if target.lower().startswith("urn:") else "/"
    action = delimiter.join((target.removesuffix("/"), port_type.get("name"), name))
    return action if _ACTION.fullmatch(action) else ""
