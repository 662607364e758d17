"""The accounts of people, how they sign in, and their sessions."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "person",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("login", sa.String(254), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("agency", sa.String(35), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("login", name="uq_person_login"),
    )
    op.create_index("ix_person_state_used_at", "person", ["state", "used_at"])
    op.create_table(
        "person_grant",
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("agency", sa.String(35), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "role", "agency", name="pk_person_grant"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_grant_person_id"),
    )
    op.create_index("ix_person_grant_agency", "person_grant", ["agency"])
    op.create_table(
        "totp",
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "confirmed", name="pk_totp"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_totp_person_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "digest", name="pk_recovery_code"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_recovery_code_person_id"),
    )
    op.create_table(
        "passkey",
        sa.Column("credential_id", sa.LargeBinary(1023), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("credential_id", name="pk_passkey"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_passkey_person_id"),
    )
    op.create_index("ix_passkey_person_id", "passkey", ["person_id"])
    op.create_table(
        "link",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_link"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_link_person_id"),
        sa.UniqueConstraint("person_id", name="uq_link_person_id"),
    )
    op.create_table(
        "sign_in",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=True),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("challenge", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_sign_in_person_id"),
    )
    op.create_index("ix_sign_in_person_id", "sign_in", ["person_id"])
    op.create_index("ix_sign_in_expires_at", "sign_in", ["expires_at"])
    op.create_table(
        "ceremony",
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("challenge", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_ceremony"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_ceremony_person_id"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("factors", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("client", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_session_person_id"),
        sa.UniqueConstraint("digest", name="uq_session_digest"),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"])
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
    op.create_table(
        "known_device",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_known_device"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_known_device_person_id"),
    )
    op.create_index("ix_known_device_person_id", "known_device", ["person_id"])
    op.create_index("ix_known_device_expires_at", "known_device", ["expires_at"])
    op.create_table(
        "attempt",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_attempt"),
    )
    op.create_index("ix_attempt_last_at", "attempt", ["last_at"])


def downgrade() -> None:
    """Drop them; nobody can sign in any more."""
    for table in (
        "attempt",
        "known_device",
        "session",
        "ceremony",
        "sign_in",
        "link",
        "passkey",
        "recovery_code",
        "totp",
        "person_grant",
        "person",
    ):
        op.drop_table(table)
