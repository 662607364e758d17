"""Requests for agreements can lapse; those that wait are found by system and by age."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BEFORE = "status IN ('requested', 'approved', 'rejected', 'revoked')"
_AFTER = "status IN ('requested', 'approved', 'rejected', 'revoked', 'lapsed')"


def upgrade() -> None:
    """Allow the status and add the indexes."""
    if op.get_bind().dialect.name == "sqlite":
        _rewrite_check()
    else:
        op.drop_constraint("ck_agreements_status", "agreements", type_="check")
        op.create_check_constraint("ck_agreements_status", "agreements", _AFTER)
    waits = sa.text("status = 'requested'")
    for name, column in (("of", "consumer_id"), ("at", "updated_at")):
        op.create_index(
            f"ix_agreements_requested_{name}",
            "agreements",
            [column],
            sqlite_where=waits,
            postgresql_where=waits,
        )


def _rewrite_check() -> None:
    """Change the constraint where SQLite keeps it, as its page on ALTER TABLE says for CHECK constraints.

    A new table in the place of the old one would have to be filled with a million rows, and decisions refer
    to the old one.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :before, :after) WHERE name = 'agreements'"),
        {"before": _BEFORE, "after": _AFTER},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    written = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_schema WHERE name = 'agreements'"
    ).scalar_one()
    if _AFTER not in written:
        # Requests could not lapse, which would show only in ninety days.
        raise RuntimeError(f"the constraint on the status of agreements is not the expected one: {written}")
