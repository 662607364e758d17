"""Applications in which people sign in, and what came of it: codes, refresh tokens, notices of logout."""

import sqlalchemy as sa
from alembic import op

from lienthong.kit.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "application",
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("name_vi", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("redirects", sa.Text, nullable=False),
        sa.Column("after_sign_out", sa.Text, nullable=False),
        sa.Column("logout", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("client_id", name="pk_application"),
    )
    op.create_table(
        "pushed_request",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_pushed_request"),
    )
    op.create_index("ix_pushed_request_expires_at", "pushed_request", ["expires_at"])
    op.create_index("ix_pushed_request_client_id", "pushed_request", ["client_id"])
    op.create_table(
        "sign_on",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("nonce", sa.Text, nullable=True),
        sa.Column("key", sa.String(43), nullable=True),
        sa.Column("code", sa.LargeBinary(32), nullable=False),
        sa.Column("code_used", sa.Boolean, nullable=False),
        sa.Column("code_expires_at", UtcDateTime(), nullable=False),
        sa.Column("refresh", sa.LargeBinary(32), nullable=True),
        sa.Column("refresh_before", sa.LargeBinary(32), nullable=True),
        sa.Column("refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_on"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_sign_on_person_id"),
        sa.UniqueConstraint("code", name="uq_sign_on_code"),
    )
    for column in ("session_id", "expires_at", "client_id"):
        op.create_index(f"ix_sign_on_{column}", "sign_on", [column])
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("sign_on_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_refresh_token"),
        sa.ForeignKeyConstraint(["sign_on_id"], ["sign_on.id"], name="fk_refresh_token_sign_on_id"),
    )
    op.create_index("ix_refresh_token_sign_on_id", "refresh_token", ["sign_on_id"])
    op.create_table(
        "logout_notice",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_logout_notice"),
    )
    op.create_index("ix_logout_notice_due_at", "logout_notice", ["due_at"])


def downgrade() -> None:
    """Drop them; nobody is signed in to an application any more."""
    for table in ("logout_notice", "refresh_token", "sign_on", "pushed_request", "application"):
        op.drop_table(table)
