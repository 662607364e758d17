"""Entries, tiles, the tree and the quarantine."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import BigId, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "entry",
        sa.Column("leaf_index", BigId, nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("record_id", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64)),
        sa.Column("tx", sa.String(128)),
        sa.Column("client", sa.String(255)),
        sa.Column("client_agency", sa.String(255)),
        sa.Column("service", sa.String(255)),
        sa.Column("provider_agency", sa.String(255)),
        sa.Column("operation", sa.String(255)),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String(255)),
        sa.Column("at", UtcDateTime()),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_entry"),
        sa.UniqueConstraint("record_id", name="uq_entry_record_id"),
    )
    op.create_index("ix_entry_tx", "entry", ["tx"])
    for column in ("kind", "client", "client_agency", "service", "provider_agency", "status"):
        op.create_index(f"ix_entry_{column}", "entry", [column, "leaf_index"])
    op.create_index("ix_entry_at", "entry", ["at"])
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("tile_index", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "tile_index", name="pk_tile"),
    )
    op.create_table(
        "tree",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("checkpoint", sa.Text, nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("journal_stream", sa.String(64), nullable=False),
        sa.Column("journal_sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tree"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", BigId, nullable=False, autoincrement=True),
        sa.Column("journal_sequence", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )


def downgrade() -> None:
    """Audit data is never dropped by a tool."""
    raise NotImplementedError("the ledger's tables are not dropped by a migration")
