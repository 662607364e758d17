"""What the fields of a request state in X-Road's words (PR-REST section 4.3), and what the provider gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway.context import is_personal_number
from lienthong.gateway.field_names import plain
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.request_headers import MAX_NAME_BYTES, stated_text
from lienthong.gateway.xroad import refusals
from lienthong.gateway.xroad.ids import IdError, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.xroad.dialect import Dialect

ID: Final = b"x-road-id"
USER: Final = b"x-road-userid"
ISSUE: Final = b"x-road-issue"
REPRESENTED: Final = b"x-road-represented-party"
SECURITY_SERVER: Final = b"x-road-security-server"
_READ: Final = (ID, USER, ISSUE, REPRESENTED, SECURITY_SERVER)
ACCEPT: Final = field_prefix(b"accept")
_JSON: Final = b"application/json"

DOORS_OWN: Final = frozenset(
    (
        *_READ, b"information-mediator-client", b"x-govstack-client", b"x-road-client", b"x-road-error",
        b"x-road-request-hash", b"x-road-request-id", b"x-road-service",
    )
)  # fmt: skip
"""Fields that the door writes itself, `plain`: what callers or providers write in them does not pass."""
_NOT_FOR_PROVIDERS: Final = DOORS_OWN | {b"user-agent"}

_PERSON = re.compile(r"VN(?P<number>[0-9]{9}|[0-9]{12})")
_SERVER_PARTS: Final = 4
_MOST_PARTY_PARTS: Final = 2
# A cache: whether a field, as it is written, passes to providers. Its size is limited because callers choose
# the names.
_passes: dict[bytes, bool] = {}
_MAX_NAMES: Final = 4096


class Stated:
    """What a call states; None where it states nothing."""

    __slots__ = ("client", "issue", "message_id", "raw", "represented", "user")

    def __init__(self, client: bytes | None, raw: dict[bytes, bytes]) -> None:
        self.client = client
        """The value of the field that names the client."""
        self.raw = raw
        """The other fields as they came, by their names."""
        self.message_id = _text(raw, ID, "X-Road-Id")
        self.user = _text(raw, USER, "X-Road-UserId")
        self.issue = _text(raw, ISSUE, "X-Road-Issue")
        self.represented = _text(raw, REPRESENTED, "X-Road-Represented-Party")


def stated(fields: Sequence[tuple[bytes, bytes]], dialect: Dialect, instance: str) -> Stated:
    """Read the fields of a request, names in lower case. Of one that comes twice the last counts.

    Raises:
        ProblemError: malformed-request, invalid-security-server.
    """
    client: bytes | None = None
    raw: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in dialect.client_fields:
            client = value
        elif name in _READ:
            raw[name] = value
    found = Stated(client, raw)
    if found.issue is not None and is_personal_number(found.issue):
        raise refusals.personal_number_as_issue()
    _check_represented(raw.get(REPRESENTED))
    _check_server(raw.get(SECURITY_SERVER), instance)
    return found


def user_of(user_id: str) -> str:
    """The person that X-Road-UserId names, as natively stated: a Vietnamese number without its country."""
    person = _PERSON.fullmatch(user_id)
    return person["number"] if person is not None else user_id


def for_provider(passed: list[bytes], own: list[bytes]) -> list[bytes]:
    """The fields of a request, as written, that the provider gets: the caller's, then the door's own."""
    found: list[bytes] = []
    accepts = False
    for at in range(0, len(passed), 2):
        prefix = passed[at]
        if _pass(prefix):
            found += (prefix, passed[at + 1])
            accepts = accepts or prefix == ACCEPT
    if not accepts:
        found += (ACCEPT, _JSON)
    return found + own


def _pass(prefix: bytes) -> bool:
    known = _passes.get(prefix)
    if known is None:
        known = plain(prefix[2:-2]) not in _NOT_FOR_PROVIDERS
        if len(prefix) <= MAX_NAME_BYTES and len(_passes) < _MAX_NAMES:
            _passes[prefix] = known
    return known


def _text(raw: dict[bytes, bytes], field: bytes, name: str) -> str | None:
    value = raw.get(field)
    return stated_text(value, name) if value is not None else None


def _check_represented(value: bytes | None) -> None:
    if value is not None:
        try:
            parts_of(value, 1, _MOST_PARTY_PARTS)
        except IdError:
            raise refusals.malformed_represented_party() from None


def _check_server(value: bytes | None, instance: str) -> None:
    """Every service of the instance is reached by this gateway, whichever server a client prefers."""
    if value is None:
        return
    try:
        named = parts_of(value, _SERVER_PARTS, _SERVER_PARTS)[0]
    except IdError:
        raise refusals.invalid_security_server() from None
    if named != instance:
        raise refusals.invalid_security_server()
