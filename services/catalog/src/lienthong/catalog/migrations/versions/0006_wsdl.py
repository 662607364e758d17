"""Services that are described by WSDL documents."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what has a WSDL document has JSON's null as its OpenAPI document."""
    op.add_column("services", sa.Column("wsdl", sa.Text, nullable=True))


def downgrade() -> None:
    """Drop it, unless there is such a service, which an older catalog could not read."""
    if (
        op.get_bind()
        .execute(sa.text("SELECT EXISTS (SELECT 1 FROM services WHERE wsdl IS NOT NULL)"))
        .scalar()
    ):
        raise RuntimeError("a service has a WSDL document; an older catalog could not read it")
    op.drop_column("services", "wsdl")
