"""Identifiers of X-Road (PR-REST sections 4.1 and 4.2), and what of ours they name.

| X-Road | here |
|---|---|
| instance | the name of the installation |
| member class, member | the class and the code of an agency |
| subsystem | the code of a system |
| service | the code of a service |
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES: Final = 1024
"""Of an identifier, percent-encoded."""
_SEGMENT = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_MEMBER, _SUBSYSTEM = 3, 4


class IdError(ValueError):
    """It is no identifier."""


class ClientId:
    """A member, or a subsystem of one: `INSTANCE/CLASS/MEMBER[/SUBSYSTEM]`."""

    __slots__ = ("encoded", "instance", "member", "member_class", "subsystem")

    def __init__(self, parts: list[str]) -> None:
        self.instance, self.member_class, self.member = parts[:_MEMBER]
        self.subsystem: str | None = parts[_MEMBER] if len(parts) == _SUBSYSTEM else None
        self.encoded = encoded(parts)
        """As it is written into a header."""

    @property
    def system_id(self) -> str | None:
        """The system that it would be; None: it names no system."""
        return f"{self.member}/{self.subsystem}" if self.subsystem is not None else None

    def __str__(self) -> str:
        return self.encoded.decode()


class ServiceId:
    """A service: `INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE`."""

    __slots__ = ("encoded", "provider", "service")

    def __init__(self, parts: list[str]) -> None:
        self.provider = ClientId(parts[:_SUBSYSTEM])
        self.service = parts[_SUBSYSTEM]
        self.encoded = encoded(parts)

    @property
    def service_id(self) -> str:
        """The service that it would be here."""
        return f"{self.provider.system_id}/{self.service}"

    def __str__(self) -> str:
        return self.encoded.decode()


def client_id(value: bytes) -> ClientId:
    """Read the value of X-Road-Client.

    Raises:
        IdError: it does not have three or four parts.
    """
    return ClientId(parts_of(value, _MEMBER, _SUBSYSTEM))


def parts_of(value: bytes, least: int, most: int) -> list[str]:
    """Read the parts of an identifier, each percent-encoded by itself.

    Raises:
        IdError: there are fewer or more, one is empty, or one is not the percent-encoding of UTF-8.
    """
    segments = value.split(b"/", most)
    if len(value) > MAX_BYTES or not least <= len(segments) <= most:
        raise IdError
    return [_decoded(segment) for segment in segments]


def encoded(parts: Iterable[str]) -> bytes:
    """Write an identifier, each part percent-encoded by itself."""
    return "/".join(quote(part, safe="!$&'()*+,;=:@") for part in parts).encode()


def _decoded(segment: bytes) -> str:
    if _SEGMENT.fullmatch(segment) is None:
        raise IdError
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise IdError from None
    if not text.isprintable():
        raise IdError
    return text
