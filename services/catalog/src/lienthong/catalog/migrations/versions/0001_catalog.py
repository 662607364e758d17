"""Resources, decisions, the change log with its head, and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import BigId, Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the one row that holds the version."""
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
    )
    op.bulk_insert(head, [{"id": 1, "version": 0}])
    _resources("agencies", sa.Column("member_class", sa.Text, nullable=False))
    _resources(
        "systems",
        sa.Column("agency_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agencies.id"], name="fk_systems_agency_id"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="ck_systems_status"),
        indexes=["agency_id"],
    )
    _resources(
        "services",
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("openapi", sa.JSON, nullable=False),
        sa.Column("operations", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["systems.id"], name="fk_services_system_id"),
        indexes=["system_id"],
    )
    _resources(
        "event_types",
        sa.Column("system_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["systems.id"], name="fk_event_types_system_id"),
        indexes=["system_id"],
    )
    _resources(
        "agreements",
        sa.Column("consumer_id", sa.Text, nullable=False),
        sa.Column("service_id", sa.Text, nullable=True),
        sa.Column("event_type_id", sa.Text, nullable=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["consumer_id"], ["systems.id"], name="fk_agreements_consumer_id"),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name="fk_agreements_service_id"),
        sa.ForeignKeyConstraint(["event_type_id"], ["event_types.id"], name="fk_agreements_event_type_id"),
        sa.CheckConstraint(
            "status IN ('requested', 'approved', 'rejected', 'revoked')", name="ck_agreements_status"
        ),
        sa.CheckConstraint(
            "(service_id IS NULL) <> (event_type_id IS NULL)", name="ck_agreements_one_target"
        ),
        indexes=["consumer_id", "service_id", "event_type_id"],
    )
    _history()
    op.create_table(
        "outbox",
        sa.Column("id", BigId, primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("headers", Json, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sqlite_autoincrement=True,
    )


def _resources(table: str, *more: sa.schema.SchemaItem, indexes: list[str] | None = None) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    for column in indexes or []:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _history() -> None:
    op.create_table(
        "decisions",
        sa.Column("version", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("agreement_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("legal_ground", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_decisions"),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name="fk_decisions_agreement_id"),
    )
    op.create_index("ix_decisions_agreement_id", "decisions", ["agreement_id"])
    op.create_table(
        "changes",
        sa.Column("version", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_changes"),
    )
    op.create_index("ix_changes_kind_resource_id", "changes", ["kind", "resource_id"])
