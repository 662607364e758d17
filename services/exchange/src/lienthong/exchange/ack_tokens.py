"""Tokens by which a subscriber acknowledges what it was handed, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

_MAC_BYTES = 32
_CONTEXT = b"lienthong exchange acknowledgement v1"


class ForgedTokenError(ValueError):
    """The token was not made here for this subscription."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One event handed to a subscriber: its place in the stream, its name, and where to answer."""

    sequence: int
    message_id: str
    reply: str


class AckTokens:
    """Makes and opens tokens under a secret of at least 32 bytes that all replicas share.

    A token is HMAC-SHA256 over the subscription's id and what was handed, followed by the latter. So it
    works for the one subscription only, and survives a restart.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the secret of acknowledgement tokens must have at least 32 bytes")
        self._secret = secret

    def issue(self, subscription_id: str, handed: Handed) -> str:
        """A token for one event handed to a subscription."""
        text = f"{handed.sequence} {handed.message_id} {handed.reply}".encode()
        return urlsafe_b64encode(self._mac(subscription_id, text) + text).rstrip(b"=").decode()

    def open(self, subscription_id: str, token: str) -> Handed:
        """What a token stands for.

        Raises:
            ForgedTokenError: it was not issued under this secret for this subscription.
        """
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise ForgedTokenError("this is no acknowledgement token") from None
        mac, text = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(subscription_id, text)):
            raise ForgedTokenError("this token was not issued for this subscription")
        sequence, message_id, reply = text.decode().split(" ", 2)
        return Handed(int(sequence), message_id, reply)

    def _mac(self, subscription_id: str, text: bytes) -> bytes:
        subscription = subscription_id.encode()
        message = b"\0".join([_CONTEXT, str(len(subscription)).encode(), subscription, text])
        return hmac.new(self._secret, message, hashlib.sha256).digest()
