"""Requests to the server and their answers, over one inbox for each connection."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import nats.errors

from lienthong.kit.cancellation import cancelled_first
from lienthong.kit.messages import BusRefusedError, BusUnavailableError, headers_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg

STATUS: Final = "Status"
"""The header in which the server says what became of a request."""
NO_RESPONDERS: Final = "503"


class Requests:
    """The requests that wait for an answer; unlike nats-py's they fail at once with the connection."""

    def __init__(self) -> None:
        self._inbox = ""
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._token = 0

    async def listen(self, client: Client) -> None:
        """Take the answers that come over a new connection."""
        self._inbox = f"_INBOX.{secrets.token_hex(11)}"
        await client.subscribe(f"{self._inbox}.*", cb=self._on_answer)

    async def ask(
        self,
        client: Client,
        subject: str,
        payload: bytes,
        headers: dict[str, str] | None,
        patience: float,
        *,
        before: Sequence[tuple[str, bytes, dict[str, str]]] = (),
    ) -> Msg:
        """Send and wait for the answer, up to `patience` seconds.

        `before` are subjects, payloads and headers that are sent before it, without an answer.

        Raises:
            BusUnavailableError: connection lost, or no answer in time.
            BusRefusedError: payload and headers together exceed what the server takes, or not a subject.
        """
        size = max(len(one) + headers_size(its) for _, one, its in (*before, (subject, payload, headers)))
        if size > client.max_payload:
            # nats-py counts the payload alone, and the server would end the connection that all share.
            raise BusRefusedError(
                f"{subject}: payload and headers have {size} bytes, the server takes {client.max_payload}"
            )
        self._token += 1
        inbox = f"{self._inbox}.{self._token}"
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._waiting[inbox] = future
        try:
            async with asyncio.timeout(patience):
                # Inside: nats-py swallows every cancellation, that of the time-out too, while it waits for a
                # server that does not read.
                with cancelled_first():
                    for to, one, its in before:
                        await client.publish(to, one, headers=its)
                    await client.publish(subject, payload, reply=inbox, headers=headers)
                return await future
        except TimeoutError as error:
            raise BusUnavailableError(f"no answer within {patience:g} s") from error
        except (
            nats.errors.MaxPayloadError,
            nats.errors.BadSubjectError,
            nats.errors.BadHeaderError,
        ) as error:
            raise BusRefusedError(f"{subject}: {error}") from error
        except (nats.errors.Error, OSError) as error:
            raise BusUnavailableError(str(error)) from error
        finally:
            self._waiting.pop(inbox, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, even when the block ended for another reason

    def fail(self, why: str) -> None:
        """Fail all that wait with `BusUnavailableError`."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(BusUnavailableError(why))

    async def _on_answer(self, message: Msg) -> None:
        future = self._waiting.pop(message.subject, None)
        if future is not None and not future.done():
            future.set_result(message)
