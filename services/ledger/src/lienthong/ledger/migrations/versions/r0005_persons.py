"""The persons that records name, to be searched for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table, empty: no record of before names persons one by one."""
    op.create_table(
        "entry_person",
        sa.Column("person", sa.LargeBinary(32), nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person", "leaf_index", name="pk_entry_person"),
    )
    op.create_index("ix_entry_person_leaf_index", "entry_person", ["leaf_index"])


def downgrade() -> None:
    """Audit data is never dropped by a tool."""
    raise NotImplementedError("the ledger's tables are not dropped by a migration")
