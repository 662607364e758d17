"""How many calls there were, of each kind and hour."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables, empty: the records of before are counted in the background."""
    texts = ("consumer", "consumer_agency", "service", "provider", "operation", "purpose")
    op.create_table(
        "call_count",
        sa.Column("hours", sa.SmallInteger, nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        *(sa.Column(name, sa.String(255), nullable=False) for name in texts),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("error", sa.String(255), nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hours", "start", "key", name="pk_call_count"),
    )
    for column in ("consumer_agency", "provider"):
        op.create_index(f"ix_call_count_{column}", "call_count", [column, "hours", "start"])
    counted = op.create_table(
        "counted",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counted"),
    )
    op.bulk_insert(counted, [{"id": 1, "entries": 0}])
    op.create_table(
        "entry_hour",
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("first_index", sa.BigInteger, nullable=False),
        sa.Column("last_index", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("start", name="pk_entry_hour"),
    )


def downgrade() -> None:
    """Audit data is never dropped by a tool."""
    raise NotImplementedError("the ledger's tables are not dropped by a migration")
