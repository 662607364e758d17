"""`docs/reference/openapi/`: the OpenAPI documents that the processes serve."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lienthong.catalog import bootstrap as catalog
from lienthong.exchange import bootstrap as exchange
from lienthong.gateway import openapi as gateway
from lienthong.identity import bootstrap as identity
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.clock import SystemClock
from lienthong.kit.ids import uuid7
from lienthong.ledger import bootstrap as ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path("docs/reference/openapi")


def _having(**members: object) -> Any:  # noqa: ANN401 - stands for what a described endpoint never calls
    return SimpleNamespace(**members)


_NOTHING = _having()
_CATALOG = [_NOTHING] * len(fields(catalog.CatalogServices))
_APPS: Mapping[str, Callable[[], Any]] = {
    "catalog": lambda: catalog.create_app(
        catalog.CatalogServices(*[_NOTHING] * len(fields(catalog.CatalogServices))),
        _NOTHING,
        _NOTHING,
        uuid7,
        0,
    ),
    "exchange": lambda: exchange.create_app(_NOTHING, _NOTHING, _NOTHING, _NOTHING),
    "identity": lambda: identity.create_app(
        IdentitySettings(),
        _having(
            tokens=_NOTHING,
            registry=_NOTHING,
            keyring=_NOTHING,
            clock=SystemClock(),
            people=_having(people=_NOTHING),
            authentication=_NOTHING,
            openid=_having(
                applications=_NOTHING,
                authorizations=_NOTHING,
                standing=_having(of_caller=_NOTHING),
                requests=_NOTHING,
            ),
        ),
        _having(token=""),
    ),
    "ledger": lambda: ledger.create_app(
        _having(log=_NOTHING, index=_NOTHING, counts=_NOTHING, signer=_having(key=_having(verifier=None))),
        _NOTHING,
        _NOTHING,
        _NOTHING,
    ),
}


def document(process: str) -> str:
    """The document of a process as its file holds it: indented, with members in the order of the code."""
    found = gateway.document() if process == "gateway" else _APPS[process]().openapi()
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


PAGES: Mapping[Path, Callable[[], str]] = {
    FOLDER / f"{process}.json": partial(document, process) for process in (*_APPS, "gateway")
}
