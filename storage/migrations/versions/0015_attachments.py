"""Kept bytes in one table; what people sent along with their tickets' messages.

Revision ID: 0015
Revises: 0014
"""

import hashlib
import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WANTED = sa.text("state = 'wanted'")
_FETCHED = ("image", "file", "voice", "video")
_SOURCE = sa.text("SELECT id FROM attachments WHERE source = :source")
_ADD = sa.text(
    "INSERT INTO attachments (source, platform, kind, url, name, state, reason, content_type, "
    "attempts, next_try, wanted_at) VALUES (:source, :platform, :kind, :url, :name, 'wanted', '', "
    "'', 0, 0, :now)"
)
_BELONGS = sa.text(
    "INSERT INTO ticket_attachments (number, attachment) VALUES (:number, :attachment) "
    "ON CONFLICT DO NOTHING"
)


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_files")),
    )
    _move_bodies()
    op.create_table(
        "attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.Float(), nullable=False),
        sa.Column("wanted_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["files.digest"], name=op.f("fk_attachments_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("source", name=op.f("uq_attachments_source")),
    )
    op.create_index(op.f("ix_attachments_digest"), "attachments", ["digest"])
    op.create_index(
        "ix_attachments_wanted",
        "attachments",
        ["next_try"],
        sqlite_where=_WANTED,
        postgresql_where=_WANTED,
    )
    op.create_table(
        "ticket_attachments",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attachment", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["tickets.number"], name=op.f("fk_ticket_attachments_number")
        ),
        sa.ForeignKeyConstraint(
            ["attachment"], ["attachments.id"], name=op.f("fk_ticket_attachments_attachment")
        ),
        sa.PrimaryKeyConstraint("number", "attachment", name=op.f("pk_ticket_attachments")),
    )
    _want_what_came_before()


def _move_bodies() -> None:
    """The bytes of announcements' files into the table of all bytes, one file at a time."""
    connection = op.get_bind()
    with op.batch_alter_table("announcement_files") as files:
        files.add_column(sa.Column("digest", sa.String(), nullable=True))
    for (key,) in connection.execute(sa.text("SELECT id FROM announcement_files")).fetchall():
        asked = sa.text("SELECT body FROM announcement_files WHERE id = :id")
        body = bytes(connection.execute(asked, {"id": key}).scalar_one())
        digest = hashlib.sha256(body).hexdigest()
        connection.execute(
            sa.text(
                "INSERT INTO files (digest, size, body) VALUES (:digest, :size, :body) "
                "ON CONFLICT DO NOTHING"
            ),
            {"digest": digest, "size": len(body), "body": body},
        )
        connection.execute(
            sa.text("UPDATE announcement_files SET digest = :digest WHERE id = :id"),
            {"digest": digest, "id": key},
        )
    with op.batch_alter_table("announcement_files") as files:
        files.alter_column("digest", existing_type=sa.String(), nullable=False)
        files.drop_column("body")
        files.create_foreign_key(
            op.f("fk_announcement_files_digest"), "files", ["digest"], ["digest"]
        )
    op.create_index(op.f("ix_announcement_files_digest"), "announcement_files", ["digest"])


def _want_what_came_before() -> None:
    """Some platforms still give out what came with older tickets; of the rest it is said why not."""
    connection = op.get_bind()
    now = time.time()
    rows = connection.execute(
        sa.text("SELECT number, platform, attachments FROM ticket_messages ORDER BY id")
    ).fetchall()
    for number, platform, kept in rows:
        sent = json.loads(kept) if isinstance(kept, str) else kept
        for kind, url, name in sent or ():
            if kind not in _FETCHED or not url:
                continue
            source = hashlib.sha256(f"{platform}\n{url}".encode()).hexdigest()
            found = connection.execute(_SOURCE, {"source": source}).scalar()
            if found is None:
                connection.execute(
                    _ADD,
                    {
                        "source": source,
                        "platform": platform,
                        "kind": kind,
                        "url": url,
                        "name": name,
                        "now": now,
                    },
                )
                found = connection.execute(_SOURCE, {"source": source}).scalar_one()
            connection.execute(_BELONGS, {"number": number, "attachment": found})


def downgrade() -> None:
    op.drop_table("ticket_attachments")
    op.drop_table("attachments")
    op.drop_index(op.f("ix_announcement_files_digest"), "announcement_files")
    with op.batch_alter_table("announcement_files") as files:
        files.add_column(sa.Column("body", sa.LargeBinary(), nullable=True))
    op.get_bind().execute(
        sa.text(
            "UPDATE announcement_files SET body = "
            "(SELECT f.body FROM files f WHERE f.digest = announcement_files.digest)"
        )
    )
    with op.batch_alter_table("announcement_files") as files:
        files.drop_constraint(op.f("fk_announcement_files_digest"), type_="foreignkey")
        files.alter_column("body", existing_type=sa.LargeBinary(), nullable=False)
        files.drop_column("digest")
    op.drop_table("files")
