"""The 督办 number that a ticket gets when it turns orange.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tickets", sa.Column("orange_code", sa.String(), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("tickets", "orange_code")
