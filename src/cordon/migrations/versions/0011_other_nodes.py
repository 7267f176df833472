"""Other agencies' nodes, and the messages for them."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_nodes",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=270), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("heard", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", UtcTime(), nullable=True),
        sa.Column("cut_off_at", UtcTime(), nullable=True),
        sa.Column("cut_off_by", sa.String(length=80), nullable=True),
        sa.Column("cut_off_why", sa.String(length=500), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_nodes")),
        sa.UniqueConstraint("code", name=op.f("uq_sharing_nodes_code")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_sharing_nodes_fingerprint")),
    )
    op.create_table(
        "sharing_node_messages",
        sa.Column("node", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("delivered_at", UtcTime(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["sharing_nodes.id"], name=op.f("fk_sharing_node_messages_node_sharing_nodes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_node_messages")),
    )
    op.create_index(
        "uq_sharing_node_messages_seq", "sharing_node_messages", ["node", "seq"], unique=True
    )
    op.create_table(
        "sharing_node_heard",
        sa.Column("node", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["sharing_nodes.id"], name=op.f("fk_sharing_node_heard_node_sharing_nodes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_node_heard")),
    )
    op.create_index("uq_sharing_node_heard_seq", "sharing_node_heard", ["node", "seq"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
