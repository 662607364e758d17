"""Where in its life a service is: those that are not published yet are not shown to everyone."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# In SQL that both databases know: SQLite adds a constraint only together with its column.
_COLUMN = (
    "ALTER TABLE services ADD COLUMN stage TEXT DEFAULT 'published' NOT NULL CONSTRAINT ck_services_stage"
    " CHECK (stage IN ('draft', 'in-review', 'published', 'deprecated', 'retired'))"
)


def upgrade() -> None:
    """Add the column; the services that there are, are published."""
    op.execute(sa.text(_COLUMN))


def downgrade() -> None:
    """Drop it; whoever reads the catalog sees all services from then on."""
    op.drop_column("services", "stage")
