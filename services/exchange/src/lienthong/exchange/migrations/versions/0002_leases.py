"""Rename the columns of the lease under which an ordered subscription is pulled."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = {"turn": "lease", "turn_until": "lease_until", "turn_events": "lease_events"}


def upgrade() -> None:
    """Rename the three columns."""
    for old, new in _COLUMNS.items():
        op.execute(f"ALTER TABLE subscriptions RENAME COLUMN {old} TO {new}")


def downgrade() -> None:
    """Give the columns their first names back."""
    for old, new in _COLUMNS.items():
        op.execute(f"ALTER TABLE subscriptions RENAME COLUMN {new} TO {old}")
