"""The index by which resources are found; the catalog fills it when it starts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from lienthong.kit.database import BigId

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KINDS = ("Agency", "System", "Service", "EventType")

# Terms are made by the catalog: FTS5 need only part them at blanks, and keep who has which.
_TERMS = (
    "CREATE VIRTUAL TABLE search_terms USING fts5(terms, content='search_texts', content_rowid='entry_id',"
    " tokenize='ascii', detail=none, columnsize=0, prefix='2 3 4')"
)
_ADDED = (
    "CREATE TRIGGER search_texts_added AFTER INSERT ON search_texts BEGIN"
    " INSERT INTO search_terms (rowid, terms) VALUES (new.entry_id, new.terms); END"
)
_REMOVED = (
    "CREATE TRIGGER search_texts_removed AFTER DELETE ON search_texts BEGIN"
    " INSERT INTO search_terms (search_terms, rowid, terms) VALUES ('delete', old.entry_id, old.terms); END"
)


def upgrade() -> None:
    """Make the tables, and say that nothing of any kind is in them yet."""
    op.create_table(
        "search_entries",
        sa.Column("id", BigId, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("agency_id", sa.Text, nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("shown", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_entries"),
    )
    op.create_index(
        "ix_search_entries_kind_resource_id", "search_entries", ["kind", "resource_id"], unique=True
    )
    op.create_index("ix_search_entries_kind_agency_id", "search_entries", ["kind", "agency_id"])
    op.create_index("ix_search_entries_length", "search_entries", ["length", "resource_id", "kind"])
    op.create_table(
        "search_texts",
        sa.Column("entry_id", BigId, nullable=False, autoincrement=False),
        sa.Column("terms", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_search_texts"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["search_entries.id"], name="fk_search_texts_entry_id", ondelete="CASCADE"
        ),
    )
    states = op.create_table(
        "search_states",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("form", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_search_states"),
    )
    op.bulk_insert(states, [{"kind": kind, "form": 0, "version": 0} for kind in _KINDS])
    if op.get_bind().dialect.name == "sqlite":
        for statement in (_TERMS, _ADDED, _REMOVED):
            op.execute(sa.text(statement))
        return
    # Terms and texts out of the rows that are counted.
    op.execute(sa.text("ALTER TABLE search_texts SET (toast_tuple_target = 128)"))
    op.create_index(
        "ix_search_texts_terms",
        "search_texts",
        ["terms"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )


def downgrade() -> None:
    """Drop the index."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(sa.text("DROP TABLE search_terms"))
    op.drop_table("search_texts")
    op.drop_table("search_entries")
    op.drop_table("search_states")
