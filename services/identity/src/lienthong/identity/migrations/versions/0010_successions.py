"""Codes of agencies that were merged into another one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; the catalog tells of each merger."""
    op.create_table(
        "succession",
        sa.Column("code", sa.String(35), primary_key=True),
        sa.Column("successor", sa.String(35), nullable=False),
        sa.Column("catalog_version", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop it: roles stay where they were moved."""
    op.drop_table("succession")
