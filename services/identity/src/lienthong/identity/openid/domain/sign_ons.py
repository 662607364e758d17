"""Sign-ins of people to applications: a code, and the refresh tokens that come of it; what is good and what
tells of a thief.

A code is good once. A refresh token is good once too, and its successor takes its place; one that comes again
later has been copied, and all that came of the sign-in ends (RFC 9700 §4.14.2). Only where an answer may have
been lost on its way, the very last one is taken again for a moment.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from lienthong.kit.jws import base64url

GRACE: Final = timedelta(seconds=10)
"""For how long a refresh token that was used is taken again, while its successor was not used."""
SLACK: Final = timedelta(seconds=1)
"""How far the clocks of replicas may differ; one that was set back further prolongs no grace."""
MOST_OF_ONE: Final = 10
"""Sign-ins to one application in one session; the oldest ends where another one begins."""


@dataclass(frozen=True, slots=True)
class SignOn:
    """A person's sign-in to an application. `code`, `refresh` and `refresh_before` are digests."""

    id: str
    client_id: str
    person_id: str
    session_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str
    nonce: str | None
    key: str | None
    code: bytes
    code_used: bool
    code_expires_at: datetime
    refresh: bytes | None
    refresh_before: bytes | None
    refreshed_at: datetime | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a client sent to redeem a code."""

    client_id: str
    redirect_uri: str
    verifier: str
    key: str | None
    """The thumbprint of the key of its DPoP proof."""


class Verdict(Enum):
    """What becomes of a code or a refresh token."""

    GOOD = auto()
    REFUSED = auto()
    """It does nothing here, and harms nobody."""
    SPENT = auto()
    """It is gone by this attempt, with all that could have come of it."""
    REUSED = auto()
    """It was good once before: whoever has it, all that came of it ends."""


def sign_on_id(jti: str) -> str:
    """The sign-on that a person's access token came of: its id is the first part of the `jti`."""
    return jti.partition(".")[0]


def judge_code(found: SignOn, sent: Redeemed, now: datetime) -> Verdict:
    """Whether a code may be redeemed (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9449 §10)."""
    if found.client_id != sent.client_id:
        # Another client has it: it proves nothing about who was meant to have it.
        return Verdict.REFUSED
    if found.code_used:
        return Verdict.REUSED
    if now >= found.code_expires_at:
        return Verdict.SPENT
    challenge = base64url(hashlib.sha256(sent.verifier.encode("ascii")).digest())
    if found.redirect_uri != sent.redirect_uri or not hmac.compare_digest(found.challenge, challenge):
        return Verdict.SPENT
    return Verdict.GOOD if found.key in (None, sent.key) else Verdict.SPENT


def judge_refresh(found: SignOn, digest: bytes, client_id: str, now: datetime) -> Verdict:
    """Whether a refresh token of this sign-on may be used."""
    if found.client_id != client_id:
        return Verdict.REFUSED
    if digest == found.refresh:
        return Verdict.GOOD
    at = found.refreshed_at
    if digest == found.refresh_before and at is not None and -SLACK <= now - at <= GRACE:
        return Verdict.GOOD
    return Verdict.REUSED
