"""What the door that a call came through, X-Road's or GovStack's, keeps of it for the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash


class Passage:
    """A call's way through a door that is not the gateway's own; calls that come natively have none."""

    __slots__ = (
        "body_digest",
        "certificate_proves",
        "door",
        "fields",
        "message_id",
        "prefix",
        "represented",
    )

    def __init__(self, door: str) -> None:
        self.door = door
        """Its name, as records have it."""
        self.prefix: bytes = b""
        """The path under which this caller calls the service, without a `/` at the end."""
        self.message_id: str | None = None
        """X-Road-Id, which the caller gave the message, or the door where it gave none."""
        self.represented: str | None = None
        """X-Road-Represented-Party, for whom the caller calls."""
        self.certificate_proves = False
        """Whether the caller showed a certificate of the system that it names."""
        self.body_digest: _Hash | None = None
        """Takes the body of the request as it is read."""
        self.fields: list[bytes] = []
        """What the answer tells the caller in the door's own words, as it is written."""
