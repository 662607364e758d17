"""Who has suspended a system: its agency, or the platform, which alone lets it go on then."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# In SQL that both databases know: SQLite adds a constraint only together with its column.
_COLUMN = (
    "ALTER TABLE systems ADD COLUMN suspended_by TEXT"
    " CONSTRAINT ck_systems_suspended_by CHECK (suspended_by IN ('agency', 'platform'))"
)


def upgrade() -> None:
    """Add the column. Who suspended the systems that are suspended already, nobody has written down where it
    could be read: they count as suspended by the platform, so that no agency resumes what it may not."""
    op.execute(sa.text(_COLUMN))
    op.execute(sa.text("UPDATE systems SET suspended_by = 'platform' WHERE status = 'suspended'"))


def downgrade() -> None:
    """Drop it; whoever may resume an agency's systems resumes any of them from then on."""
    op.drop_column("systems", "suspended_by")
