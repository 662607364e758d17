"""Tokens with which a subscriber acknowledges the events delivered to it, and no others."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

MIN_SECRET_BYTES = 32
_MAC_BYTES = 32
_CONTEXT = b"lienthong exchange acknowledgement v1"


class ForgedTokenError(ValueError):
    """The token was not issued under this secret for this subscription."""


@dataclass(frozen=True, slots=True)
class DeliveryTag:
    """One delivery: the event's number at that time, its message id, and the reply subject for its ack."""

    sequence: int
    message_id: str
    reply: str


class AckTokens:
    """Makes and opens tokens under a secret of at least `MIN_SECRET_BYTES` that all replicas share.

    A token is HMAC-SHA256 over the subscription's id and the delivery tag, followed by the tag's text. So it
    works for the one subscription only, and survives a restart.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret must have at least {MIN_SECRET_BYTES} bytes")
        self._secret = secret

    def issue(self, subscription_id: str, tag: DeliveryTag) -> str:
        """A token for one delivery to a subscription."""
        text = f"{tag.sequence} {tag.message_id} {tag.reply}".encode()
        return urlsafe_b64encode(self._mac(subscription_id, text) + text).rstrip(b"=").decode()

    def open(self, subscription_id: str, token: str) -> DeliveryTag:
        """The delivery that a token was issued for.

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
        return DeliveryTag(int(sequence), message_id, reply)

    def _mac(self, subscription_id: str, text: bytes) -> bytes:
        subscription = subscription_id.encode()
        message = b"\0".join([_CONTEXT, str(len(subscription)).encode(), subscription, text])
        return hmac.new(self._secret, message, hashlib.sha256).digest()
