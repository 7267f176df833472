"""Complaints about what a freeze request is to bring back."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("money_recoveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("complaints", Json, nullable=False, server_default="[]"))


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
