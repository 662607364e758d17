"""Shell completion: names on this machine, kinds, statuses, and ids of the catalog.

The catalog is asked with a short time-out. Whatever goes wrong, nothing is offered and nothing is said: a
message would land in the middle of the line that is being typed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.client.sync_client import Client

TIMEOUT = 1.0
"""Seconds for each request, and for all pages of a list together."""
LONGEST = 3.0
"""Seconds after which what was found so far is offered: a token, a page, and a slow machine."""
MOST = 500
AGREEMENT_STATUSES = (
    "draft",
    "requested",
    "information-needed",
    "endorsed",
    "approved",
    "suspended",
    "rejected",
    "revoked",
    "lapsed",
    "withdrawn",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY")

Find = Callable[[typer.Context], Iterable[str]]
Complete = Callable[[typer.Context, str], list[str]]


def _completer(find: Find) -> Complete:
    """A function for the shell: what `find` gives and begins with the letters typed so far."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        found: list[str] = []

        def look() -> None:
            # Whatever goes wrong: no gateway, no credentials, a broken file, an answer of something else.
            with suppress(Exception):
                found.extend(word for word in find(context) if word.startswith(incomplete))

        # Time-outs of single requests do not end one that is tried again, or an answer that trickles in.
        looking = Thread(target=look, daemon=True)
        looking.start()
        looking.join(LONGEST)
        return list(found)

    return complete


@_completer
def credentials(_: typer.Context) -> Iterable[str]:
    """The names that `--as` knows."""
    from lienthong.client import folders

    return folders.names()


@_completer
def methods(_: typer.Context) -> Iterable[str]:
    """The methods of HTTP."""
    return METHODS


@_completer
def kinds(_: typer.Context) -> Iterable[str]:
    """The kinds of the catalog."""
    from lienthong.client.operations import KINDS

    return KINDS


@_completer
def resources(context: typer.Context) -> Iterable[str]:
    """The ids of the kind that was named before."""
    from lienthong.client.commands.get import kind_named

    return _ids(context, kind_named(context.params["kind"]))


@_completer
def agreement_statuses(_: typer.Context) -> Iterable[str]:
    """The statuses of agreements, by the decisions on them."""
    return AGREEMENT_STATUSES


@_completer
def agencies(context: typer.Context) -> Iterable[str]:
    """The ids of agencies."""
    return _ids(context, "agencies")


@_completer
def systems(context: typer.Context) -> Iterable[str]:
    """The ids of systems."""
    return _ids(context, "systems")


@_completer
def services(context: typer.Context) -> Iterable[str]:
    """The ids of services."""
    return _ids(context, "services")


@_completer
def event_types(context: typer.Context) -> Iterable[str]:
    """The ids of event types."""
    return _ids(context, "event-types")


@_completer
def agreements(context: typer.Context) -> Iterable[str]:
    """The ids of agreements."""
    return _ids(context, "agreements")


@_completer
def targets(context: typer.Context) -> Iterable[str]:
    """What can be called: the services with the paths of their operations."""
    method = str(context.params.get("method") or "").upper()
    found = [
        f"{_id(item)}{operation['path']}"
        for item in _manifests(context, "services")
        for operation in item.get("operations", [])
        if operation["method"].upper() == method
    ]
    return dict.fromkeys(found)


@_completer
def subscriptions(context: typer.Context) -> Iterable[str]:
    """The names of the caller's subscriptions."""
    with _client(context, default=None) as client:
        return [str(item["name"]) for item in client.subscriptions()]


def _ids(context: typer.Context, kind: str) -> list[str]:
    return [_id(item) for item in _manifests(context, kind)]


def _id(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["id"])


def _manifests(context: typer.Context, kind: str) -> Iterator[Mapping[str, Any]]:
    with _client(context, default="operator") as client, closing(client.manifests(kind)) as items:  # type: ignore[type-var]
        end = time.monotonic() + TIMEOUT
        for item in islice(items, MOST):
            yield item
            if time.monotonic() > end:
                return


def _client(context: typer.Context, *, default: str | None) -> Client:
    from lienthong.client import folders
    from lienthong.client.sync_client import Client

    chosen = folders.load(context.params.get("as_"), default)
    return Client(chosen, gateway=context.params.get("gateway"), timeout=TIMEOUT, sleep=lambda _: None)
