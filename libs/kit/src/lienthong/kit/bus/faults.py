"""Errors of nats-py and of the server, turned into those of the bus."""

from __future__ import annotations

import contextlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import nats.errors
from nats.js.errors import APIError, NotFoundError

from lienthong.kit.cancellation import cancelled_first
from lienthong.kit.messages import (
    BusConflictError,
    BusError,
    BusFullError,
    BusNotTogetherError,
    BusRefusedError,
    BusUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping

    from nats.js.api import RawStreamMsg

_NO_SUCH_MESSAGE = 10037
_CONSUMER_NOT_CREATED = 10012
_PUBLISH_ERRORS: Mapping[int | None, type[BusError]] = MappingProxyType(
    {
        10023: BusFullError,  # insufficient resources: the server's disk, or its own limit
        10047: BusFullError,  # insufficient storage resources
        10054: BusRefusedError,  # the message exceeds the stream's limit
        10071: BusConflictError,  # the newest message under the subject is another one
        10077: BusFullError,  # the stream's limit of bytes
        10164: BusConflictError,  # likewise
        10174: BusNotTogetherError,  # the stream does not take messages together
        10176: BusNotTogetherError,  # one of them did not arrive, or could not be stored
        10201: BusNotTogetherError,  # it has one of them, or two of them have one id
    }
)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn errors of nats-py in the block into `BusError`s, whose messages begin with `what`."""
    try:
        with cancelled_first():
            yield
    except APIError as error:
        refused = (error.code is not None and 400 <= error.code < 500) or _cannot_be_updated(error)
        raise (BusRefusedError if refused else BusUnavailableError)(f"{what}: {error.description}") from error
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise BusUnavailableError(f"{what}: {error!r}") from error


def _cannot_be_updated(error: APIError) -> bool:
    """Whether a consumer is there with a configuration that cannot become the wanted one.

    nats-server 2.15 says that with code 500, as it says faults of its own.
    """
    told = error.description or ""
    return error.err_code == _CONSUMER_NOT_CREATED and told.endswith("can not be updated")


@contextlib.contextmanager
def reading(stream: str) -> Iterator[None]:
    """Like `translated`, but a missing stream is `BusUnavailableError`: it may be created later."""
    try:
        with translated(f"stream {stream}"):
            yield
    except BusRefusedError as error:
        raise BusUnavailableError(str(error)) from error


def publish_error(subject: str, error: Mapping[str, Any]) -> BusError:
    """What the `error` in a stream's answer to a publish means (ADR-1 of NATS: `err_code`, `description`)."""
    kind = _PUBLISH_ERRORS.get(error.get("err_code"), BusUnavailableError)
    return kind(f"{subject}: {error.get('description')}")


async def message_or_none(asked: Awaitable[RawStreamMsg]) -> RawStreamMsg | None:
    """The message that was asked for; None when the stream has no such message.

    Raises:
        NotFoundError: there is no such stream.
    """
    try:
        return await asked
    except NotFoundError as error:
        if error.err_code != _NO_SUCH_MESSAGE:
            raise
        return None
