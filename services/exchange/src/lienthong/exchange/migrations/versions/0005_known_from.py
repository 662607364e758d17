"""A subscription knows which numbers the stream had lost before it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the first number that the stream gave since it went back last."""
    op.add_column(
        "subscriptions", sa.Column("known_from", sa.BigInteger, nullable=False, server_default=sa.text("1"))
    )


def downgrade() -> None:
    """Undo `upgrade`."""
    op.drop_column("subscriptions", "known_from")
