"""Which message of the journal was the last one in the log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the mark; it is unknown until the next message comes."""
    op.add_column("tree", sa.Column("journal_mark", sa.LargeBinary(32)))


def downgrade() -> None:
    """Audit data is never dropped by a tool."""
    raise NotImplementedError("the ledger's tables are not dropped by a migration")
