"""What staff send along for a draft.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcement_uploads",
        sa.Column("announcement", sa.Integer(), nullable=False),
        sa.Column("attachment", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement"],
            ["announcements.id"],
            name=op.f("fk_announcement_uploads_announcement_announcements"),
        ),
        sa.ForeignKeyConstraint(
            ["attachment"],
            ["attachments.id"],
            name=op.f("fk_announcement_uploads_attachment_attachments"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_announcement_uploads_person_id_people")
        ),
        sa.PrimaryKeyConstraint("announcement", "attachment", name=op.f("pk_announcement_uploads")),
    )


def downgrade() -> None:
    op.drop_table("announcement_uploads")
