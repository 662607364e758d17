"""How far the database was compared with the ledger."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_IN_USE = """
    SELECT EXISTS (SELECT 1 FROM subscriptions) OR EXISTS (SELECT 1 FROM event_streams)
        OR EXISTS (SELECT 1 FROM retained_records)
"""


def upgrade() -> None:
    """Make the table. In a database that is new, everything that the ledger has of this service is missing;
    of one that is upgraded nobody knows, so only what comes from now on is compared."""
    history = op.create_table(
        "history",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("log", sa.String(512), nullable=True),
        sa.Column("compared_through", sa.BigInteger, nullable=True),
        sa.Column("missing", sa.BigInteger, nullable=False),
        sa.Column("missing_from", UtcDateTime(), nullable=True),
        sa.Column("missing_to", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
    )
    op.create_index("ix_retained_records_record_id", "retained_records", ["record_id"])
    if op.get_bind().execute(sa.text(_IN_USE)).scalar_one():
        op.bulk_insert(history, [{"id": 1, "missing": 0}])


def downgrade() -> None:
    """Drop it; older copies are noticed by nobody from then on."""
    op.drop_index("ix_retained_records_record_id", "retained_records")
    op.drop_table("history")
