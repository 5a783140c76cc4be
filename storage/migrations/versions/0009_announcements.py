"""The browsers that personal links belong to.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opened_links",
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("link", name=op.f("pk_opened_links")),
    )
    op.create_index(op.f("ix_opened_links_until"), "opened_links", ["until"])


def downgrade() -> None:
    op.drop_table("opened_links")
