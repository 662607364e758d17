"""The tables of OpenID Connect."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from lienthong.identity.models import metadata
from lienthong.kit.database import UtcDateTime

applications: Final = Table(
    "application",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("name_vi", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("redirects", Text, nullable=False),
    Column("after_sign_out", Text, nullable=False),
    Column("logout", Text, nullable=True),
    Column("acts_for_people", Boolean, nullable=False),
)
"""Applications. `redirects` and `after_sign_out` are addresses with spaces between."""

pushed_requests: Final = Table(
    "pushed_request",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("request", Text, nullable=False),
    Column("asked_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Index("ix_pushed_request_expires_at", "expires_at"),
    Index("ix_pushed_request_client_id", "client_id"),
)
"""Authorization requests that wait for the browser; `request` is JSON."""

sign_ons: Final = Table(
    "sign_on",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", String(43), nullable=False),
    Column("nonce", Text, nullable=True),
    Column("key", String(43), nullable=True),
    Column("code", LargeBinary(32), nullable=False, unique=True),
    Column("code_used", Boolean, nullable=False),
    Column("code_expires_at", UtcDateTime(), nullable=False),
    Column("refresh", LargeBinary(32), nullable=True),
    Column("refresh_before", LargeBinary(32), nullable=True),
    Column("refreshed_at", UtcDateTime(), nullable=True),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Index("ix_sign_on_session_id", "session_id"),
    Index("ix_sign_on_expires_at", "expires_at"),
    Index("ix_sign_on_client_id", "client_id"),
)
"""Sign-ins of people to applications: the code, and all that came of it. `code`, `refresh` (the newest
refresh token) and `refresh_before` (the one before) are digests."""

refresh_tokens: Final = Table(
    "refresh_token",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("sign_on_id", ForeignKey("sign_on.id"), nullable=False),
    Index("ix_refresh_token_sign_on_id", "sign_on_id"),
)
"""Every refresh token that was given for a sign-on, so that one that was used is known when it comes
again."""

logout_notices: Final = Table(
    "logout_notice",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client_id", String(255), nullable=False),
    Column("address", Text, nullable=False),
    Column("person_id", String(36), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime(), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Index("ix_logout_notice_due_at", "due_at"),
)
"""Applications that have to be told of a session that has ended, until they are."""
