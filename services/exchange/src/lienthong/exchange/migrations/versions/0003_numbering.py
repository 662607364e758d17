"""How the stream's sequences are numbered, and the events that not every subscription has acknowledged."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make two tables; subscriptions remember what is acknowledged, and where they went on after a loss."""
    op.create_table(
        "event_streams",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("created", sa.String(64), nullable=False),
        sa.Column("spans", Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_event_streams"),
    )
    op.create_table(
        "kept_events",
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("event_type", sa.String(192), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_kept_events"),
    )
    op.create_index("ix_kept_events_sequence", "kept_events", ["sequence"])
    op.create_index("ix_kept_events_event_type_sequence", "kept_events", ["event_type", "sequence"])
    for column in ("resume_sequence", "acknowledged_through"):
        op.add_column(
            "subscriptions", sa.Column(column, sa.BigInteger, nullable=False, server_default=sa.text("0"))
        )
    op.execute("UPDATE subscriptions SET resume_sequence = start_sequence")


def downgrade() -> None:
    """Forget both; what was lost until now stays lost."""
    for column in ("acknowledged_through", "resume_sequence"):
        op.drop_column("subscriptions", column)
    op.drop_table("kept_events")
    op.drop_table("event_streams")
