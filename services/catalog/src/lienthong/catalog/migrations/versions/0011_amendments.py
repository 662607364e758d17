"""Amendments: other terms that are asked for of approved agreements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "amendments",
        sa.Column("agreement_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("first_approval", sa.Text, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agreement_id", "number", name="pk_amendments"),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name="fk_amendments_agreement_id"),
    )
    waits = sa.text("status IN ('draft', 'requested', 'information-needed', 'endorsed')")
    for name, column in (("waiting", "agreement_id"), ("waiting_at", "updated_at")):
        op.create_index(
            f"ix_amendments_{name}", "amendments", [column], sqlite_where=waits, postgresql_where=waits
        )
