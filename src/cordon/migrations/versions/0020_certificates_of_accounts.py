"""Service accounts that sign in by a client certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sharing_accounts", sa.Column("certificate", sa.String(length=64), nullable=True))
    op.create_index(
        "uq_sharing_accounts_certificate", "sharing_accounts", ["certificate"], unique=True
    )


def downgrade() -> None:
    op.drop_index("uq_sharing_accounts_certificate", "sharing_accounts")
    op.drop_column("sharing_accounts", "certificate")
