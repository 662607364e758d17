"""When people of a system have to be told that a key of it ends."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; systems whose keys have an end already are looked at soon."""
    op.add_column("systems", sa.Column("remind_at", UtcDateTime(), nullable=True))
    op.add_column("systems", sa.Column("told_at", UtcDateTime(), nullable=True))
    op.create_index("ix_systems_remind_at", "systems", ["remind_at"])
    op.execute(sa.text("UPDATE systems SET remind_at = created_at WHERE CAST(spec AS TEXT) LIKE '%\"exp\"%'"))
