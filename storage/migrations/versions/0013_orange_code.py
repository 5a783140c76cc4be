"""The 督办 number that a ticket gets when it turns orange.

Revision ID: 0013
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tickets", sa.Column("orange_code", sa.String(), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("tickets", "orange_code")
