"""Audit records that the bus has acknowledged, until the ledger has sealed them."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import BigId, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "retained_records",
        sa.Column("id", BigId, nullable=False, autoincrement=True),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("repeats", sa.BigInteger, nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_retained_records"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_retained_records_sealed_at", "retained_records", ["sealed_at"])


def downgrade() -> None:
    """Drop it; what the bus loses from then on is lost."""
    op.drop_table("retained_records")
