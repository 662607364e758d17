"""The tables of people."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from lienthong.identity.models import metadata
from lienthong.kit.database import UtcDateTime

people: Final = Table(
    "person",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("login", String(254), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("agency", String(35), nullable=False),
    Column("state", String(16), nullable=False),
    Column("password_hash", Text, nullable=True),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("used_at", UtcDateTime(), nullable=False),
    Column("reviewed_at", UtcDateTime(), nullable=False),
    Index("ix_person_state_used_at", "state", "used_at"),
)
"""Accounts. `login` is canonical; `agency` is "" for the platform's own; `password_hash` is argon2id's."""

grants: Final = Table(
    "person_grant",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("role", String(32), primary_key=True),
    Column("agency", String(35), primary_key=True),
    Index("ix_person_grant_agency", "agency"),
)
"""Roles. `agency` is "" for the whole platform."""

totps: Final = Table(
    "totp",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("confirmed", Boolean, primary_key=True),
    Column("last_step", BigInteger, nullable=False),
)
"""Authenticator applications: the secret as JWE, and the step of the last code, which is good once.

One that is not confirmed yet may stand beside the one that is in use.
"""

recovery_codes: Final = Table(
    "recovery_code",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
)
"""Recovery codes that have not been used."""

passkeys: Final = Table(
    "passkey",
    metadata,
    Column("credential_id", LargeBinary(1023), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Index("ix_passkey_person_id", "person_id"),
)
"""Passkeys; `public_key` is a COSE key."""

links: Final = Table(
    "link",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=True, unique=True),
    Column("expires_at", UtcDateTime(), nullable=False),
)
"""One-time links, at most one for each account. That of the first administrator has no account yet."""

sign_ins: Final = Table(
    "sign_in",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=True),
    Column("step", String(16), nullable=False),
    Column("challenge", LargeBinary(32), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Column("provider", String(32), nullable=True),
    Column("upstream_session", String(255), nullable=True),
    Index("ix_sign_in_person_id", "person_id"),
    Index("ix_sign_in_expires_at", "expires_at"),
)
"""Sign-ins under way: whose password was right, or nobody's yet, and the challenge for passkeys. `provider`
is at which other provider the person has signed in instead of the password, `upstream_session` the session
there."""

ceremonies: Final = Table(
    "ceremony",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("challenge", LargeBinary(32), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
)
"""The registration of a passkey that is under way, one for each account."""

sessions: Final = Table(
    "session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("seen_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Column("factors", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("client", String(256), nullable=False),
    Column("provider", String(32), nullable=True),
    Column("upstream_session", String(255), nullable=True),
    Column("proved_at", UtcDateTime(), nullable=True),
    Index("ix_session_upstream_session", "upstream_session"),
    Index("ix_session_person_id", "person_id"),
    Index("ix_session_expires_at", "expires_at"),
)
"""Sessions that have not been ended; `factors` have spaces between. `provider`, `upstream_session` and
`proved_at` are of those that began by another provider."""

upstream_identities: Final = Table(
    "upstream_identity",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("issuer", String(2000), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("provider", String(32), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("label", String(120), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    UniqueConstraint("issuer", "subject", name="uq_upstream_identity_issuer"),
    UniqueConstraint("person_id", "provider", name="uq_upstream_identity_person_id"),
)
"""Who people are at other providers: one account for each of these, one of each provider for an account."""

upstream_attempts: Final = Table(
    "upstream_attempt",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("session_id", String(36), nullable=True),
    Column("link", LargeBinary(32), nullable=True),
    Column("onward", Text, nullable=False),
    Column("fresh", Boolean, nullable=False),
    Column("begun_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Index("ix_upstream_attempt_expires_at", "expires_at"),
)
"""Sign-ins at other providers that are under way; the digest is of what the browser keeps."""

devices: Final = Table(
    "known_device",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("id", String(36), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Index("ix_known_device_person_id", "person_id"),
    Index("ix_known_device_expires_at", "expires_at"),
)
"""Browsers in which a person has signed in."""

attempts: Final = Table(
    "attempt",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", UtcDateTime(), nullable=True),
    Column("last_at", UtcDateTime(), nullable=False),
    Index("ix_attempt_last_at", "last_at"),
)
"""Failures to sign in, by a digest of what they are counted for."""
