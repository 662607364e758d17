"""All that is done with an agreement is kept, and agreements have more statuses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BEFORE = "status IN ('requested', 'approved', 'rejected', 'revoked', 'lapsed')"
_AFTER = (
    "status IN ('draft', 'requested', 'information-needed', 'endorsed', 'approved', 'suspended', 'rejected', "
    "'revoked', 'lapsed', 'withdrawn')"
)
_WAITS = "status IN ('draft', 'requested', 'information-needed', 'endorsed')"
_SUSPENDED_BY = (
    "ALTER TABLE agreements ADD COLUMN suspended_by TEXT"
    " CONSTRAINT ck_agreements_suspended_by CHECK (suspended_by IN ('agency', 'platform'))"
)
# The first change of each agreement was the request for it, unless a decision was made with it.
_REQUESTS = """
INSERT INTO decisions (version, agreement_id, status, "by", at, legal_ground, reason, action)
SELECT c.version, c.resource_id, 'requested', c.actor, c.at, '', '', 'request'
FROM changes c
JOIN (
    SELECT resource_id, MIN(version) AS version FROM changes WHERE kind = 'Agreement' GROUP BY resource_id
) first ON first.version = c.version
WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.version = c.version)
"""


def upgrade() -> None:
    """Allow the statuses, and add what steps say beside decisions; who asked for what stands there already is
    read from the change log."""
    if op.get_bind().dialect.name == "sqlite":
        _rewrite_check()
    else:
        op.drop_constraint("ck_agreements_status", "agreements", type_="check")
        op.create_check_constraint("ck_agreements_status", "agreements", _AFTER)
    op.add_column("agreements", sa.Column("asked_at", UtcDateTime(), nullable=True))
    op.execute(sa.text("UPDATE agreements SET asked_at = updated_at WHERE status = 'requested'"))
    op.execute(sa.text(_SUSPENDED_BY))
    waits = sa.text(_WAITS)
    for name, column in (("of", "consumer_id"), ("at", "updated_at")):
        op.create_index(
            f"ix_agreements_waiting_{name}",
            "agreements",
            [column],
            sqlite_where=waits,
            postgresql_where=waits,
        )
        op.drop_index(f"ix_agreements_requested_{name}", "agreements")
    op.add_column("decisions", sa.Column("action", sa.Text, nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("amendment", sa.Integer, nullable=False, server_default="0"))
    op.add_column("decisions", sa.Column("changes", sa.JSON, nullable=False, server_default="[]"))
    op.execute(sa.text(_REQUESTS))


def _rewrite_check() -> None:
    """Change the constraint where SQLite keeps it, as 0002 does and for the same reasons."""
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
        raise RuntimeError(f"the constraint on the status of agreements is not the expected one: {written}")
