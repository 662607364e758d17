"""How many agreements of a system were made within a day is counted by an index."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Order the agreements of each system by age; the new index does all that the old one did."""
    op.create_index("ix_agreements_consumer_id_created_at", "agreements", ["consumer_id", "created_at"])
    op.drop_index("ix_agreements_consumer_id", "agreements")
