"""Sign-in through other OpenID Connect providers: whose identity is whose account, attempts, sessions."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; sessions and sign-ins remember by which provider."""
    op.create_table(
        "upstream_identity",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("issuer", sa.String(2000), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upstream_identity"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_upstream_identity_person_id"),
        sa.UniqueConstraint("issuer", "subject", name="uq_upstream_identity_issuer"),
        sa.UniqueConstraint("person_id", "provider", name="uq_upstream_identity_person_id"),
    )
    op.create_table(
        "upstream_attempt",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=True),
        sa.Column("link", sa.LargeBinary(32), nullable=True),
        sa.Column("onward", sa.Text, nullable=False),
        sa.Column("fresh", sa.Boolean, nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_upstream_attempt"),
    )
    op.create_index("ix_upstream_attempt_expires_at", "upstream_attempt", ["expires_at"])
    for table in ("session", "sign_in"):
        op.add_column(table, sa.Column("provider", sa.String(32), nullable=True))
        op.add_column(table, sa.Column("upstream_session", sa.String(255), nullable=True))
    op.add_column("session", sa.Column("proved_at", UtcDateTime(), nullable=True))
    op.create_index("ix_session_upstream_session", "session", ["upstream_session"])


def downgrade() -> None:
    """Drop them; who has no password signs in no more."""
    op.drop_index("ix_session_upstream_session", "session")
    op.drop_column("session", "proved_at")
    for table in ("sign_in", "session"):
        op.drop_column(table, "upstream_session")
        op.drop_column(table, "provider")
    op.drop_table("upstream_attempt")
    op.drop_table("upstream_identity")
