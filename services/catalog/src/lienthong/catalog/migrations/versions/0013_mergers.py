"""Which agency is above an agency, and which one it was merged into."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = ("parent_id", "merged_into")


def upgrade() -> None:
    """Add the columns; of no agency either is known yet."""
    for name in _COLUMNS:
        op.add_column("agencies", sa.Column(name, sa.Text, nullable=True))
        op.create_index(f"ix_agencies_{name}", "agencies", [name])
