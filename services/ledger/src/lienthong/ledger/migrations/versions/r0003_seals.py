"""When which message of the journal was in the log."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "seal",
        sa.Column("journal_stream", sa.String(64), nullable=False),
        sa.Column("journal_sequence", sa.BigInteger, nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("journal_stream", "journal_sequence", name="pk_seal"),
    )


def downgrade() -> None:
    """Audit data is never dropped by a tool."""
    raise NotImplementedError("the ledger's tables are not dropped by a migration")
