"""Which applications may act for people by token exchange; none did before."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no application may yet."""
    op.add_column(
        "application", sa.Column("acts_for_people", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("application") as table:
        table.drop_column("acts_for_people")
