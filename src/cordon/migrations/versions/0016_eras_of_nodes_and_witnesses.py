"""Eras, changes of key and clocks of other nodes; witnesses of ledgers."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import UtcTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sharing_nodes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_certificate", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("next_fingerprint", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("next_from", UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("clock_off_s", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("clock_at", UtcTime(), nullable=True))
        for name, length in (("era", 40), ("opens", 10), ("heard_era", 40)):
            batch_op.add_column(
                sa.Column(name, sa.String(length=length), server_default="", nullable=False)
            )
        batch_op.add_column(
            sa.Column("accepts", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    for table in ("sharing_node_messages", "sharing_node_heard"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column("era", sa.String(length=40), server_default="", nullable=False)
            )
            batch_op.drop_index(f"uq_{table}_seq")
            batch_op.create_index(f"uq_{table}_seq", ["node", "era", "seq"], unique=True)
    with op.batch_alter_table("sharing_node_heard", schema=None) as batch_op:
        batch_op.create_index("ix_sharing_node_heard_message", ["node", "message"], unique=False)
    op.create_table(
        "ledger_cosigned",
        sa.Column("witness", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("witness", name=op.f("pk_ledger_cosigned")),
    )
    op.create_table(
        "sharing_witness_ledgers",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("cosigner", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=True),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("given_at", UtcTime(), nullable=True),
        sa.Column("refused", sa.String(length=300), nullable=False),
        *_owned("sharing_witness_ledgers"),
        sa.UniqueConstraint("code", name=op.f("uq_sharing_witness_ledgers_code")),
    )
    op.create_index(
        op.f("ix_sharing_witness_ledgers_origin"), "sharing_witness_ledgers", ["origin"]
    )
    op.create_table(
        "sharing_witness_claims",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("told_by", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *_owned("sharing_witness_claims"),
    )
    op.create_index(
        "uq_sharing_witness_claims", "sharing_witness_claims", ["code", "told_by"], unique=True
    )
    op.create_table(
        "sharing_witness_evidence",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("wrong", sa.String(length=20), nullable=False),
        sa.Column("says", sa.String(length=500), nullable=False),
        sa.Column("one", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("told_by", sa.String(length=40), nullable=False),
        sa.Column("finding", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *_owned("sharing_witness_evidence"),
        sa.UniqueConstraint("digest", name=op.f("uq_sharing_witness_evidence_digest")),
    )
    op.create_index(op.f("ix_sharing_witness_evidence_code"), "sharing_witness_evidence", ["code"])


def _owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
