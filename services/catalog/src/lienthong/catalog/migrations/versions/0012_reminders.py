"""When somebody has to be told of an agreement that its period ends, or that a decision is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; all that may have reminders is looked at soon."""
    op.add_column("agreements", sa.Column("remind_at", UtcDateTime(), nullable=True))
    op.add_column("agreements", sa.Column("told_at", UtcDateTime(), nullable=True))
    op.create_index("ix_agreements_remind_at", "agreements", ["remind_at"])
    op.execute(
        sa.text(
            "UPDATE agreements SET remind_at = created_at"
            " WHERE status IN ('requested', 'endorsed')"
            " OR (status IN ('approved', 'suspended') AND CAST(spec AS TEXT) LIKE '%\"validTo\"%')"
        )
    )
