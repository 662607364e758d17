"""Since when the stream has an event that is kept: what it drops in time is not lost."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the time; of what is kept already nobody knows it."""
    op.add_column("kept_events", sa.Column("stored_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Undo `upgrade`."""
    op.drop_column("kept_events", "stored_at")
