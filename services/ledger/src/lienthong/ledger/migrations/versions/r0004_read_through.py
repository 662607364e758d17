"""Up to which moment the journal is in the log."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the moment; it is unknown until the journal is looked at next."""
    op.add_column("tree", sa.Column("journal_read_through", UtcDateTime()))


def downgrade() -> None:
    """Audit data is never dropped by a tool."""
    raise NotImplementedError("the ledger's tables are not dropped by a migration")
