"""The journal's messages as the ledger compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.bus import MESSAGE_ID
from lienthong.kit.journal import STREAM
from lienthong.ledger.events import JournalMessage

if TYPE_CHECKING:
    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.messages import StoredMessage


def message_of(sequence: int, found: Delivery | StoredMessage) -> JournalMessage:
    """What the bus has, or delivers, under this number."""
    return JournalMessage(sequence, found.payload, found.headers.get(MESSAGE_ID, ""))


async def message_at(bus: Bus, sequence: int) -> JournalMessage | None:
    """The message that the journal has under this number; None when it has none there.

    Raises:
        BusUnavailableError: the server did not answer, or there is no stream.
    """
    found = await bus.message(STREAM, sequence)
    return None if found is None else message_of(sequence, found)
