"""Subscriptions, acknowledgements, the accepted events, and the outbox."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import BigId, Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("event_type", sa.String(192), nullable=False),
        sa.Column("ordered", sa.Boolean, nullable=False),
        sa.Column("start_sequence", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("turn", sa.String(36), nullable=True),
        sa.Column("turn_until", UtcDateTime(), nullable=True),
        sa.Column("turn_events", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("owner", "name", name="uq_subscriptions_owner_name"),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "message_id", name="pk_acknowledgements"),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name="fk_acknowledgements_subscription_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "accepted_events",
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_accepted_events"),
    )
    op.create_index("ix_accepted_events_sequence", "accepted_events", ["sequence"])
    op.create_table(
        "outbox",
        sa.Column("id", BigId, nullable=False, autoincrement=True),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("headers", Json, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop everything."""
    for table in ("outbox", "accepted_events", "acknowledgements", "subscriptions"):
        op.drop_table(table)
