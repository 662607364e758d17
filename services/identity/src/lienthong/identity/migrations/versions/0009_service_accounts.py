"""Kubernetes service accounts that authenticate clients."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no client has one until its manifest says so."""
    op.add_column("client", sa.Column("service_accounts", sa.Text, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("client", "service_accounts")
