"""The order of day and month that was said of a file of calls, or of what stands beside them"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("calls_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dates", sa.String(20), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
