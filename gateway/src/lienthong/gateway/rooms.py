"""The rooms of the platform's own services behind the gateway's door. They authenticate by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.gateway.upstreams import Upstreams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.settings import Settings


@dataclass(frozen=True, slots=True)
class Room:
    """One service of the platform; `name` is how records call it."""

    name: str
    upstreams: Upstreams


def rooms(settings: Settings) -> Mapping[bytes, Room]:
    """The rooms by the first segment of their paths."""
    identity = Room("lienthong/identity", Upstreams([settings.identity_url]))
    return {
        b"oauth2": identity,
        b".well-known": identity,
        b"catalog": Room("lienthong/catalog", Upstreams([settings.catalog_url])),
        b"exchange": Room("lienthong/exchange", Upstreams([settings.exchange_url])),
        b"audit": Room("lienthong/ledger", Upstreams([settings.ledger_url])),
    }
