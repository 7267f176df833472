"""Releases that are passed on"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sharing_releases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=36), nullable=True))
        batch_op.create_index("ix_sharing_releases_source", ["source"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_sharing_releases_source_sharing_releases"),
            "sharing_releases",
            ["source"],
            ["id"],
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
