"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
    announcements,
    attachments,
    calendar,
    campaigns,
    corrections,
    files,
    notes,
    openings,
    people,
    policies,
    queue,
    reports,
    schedules,
    sessions,
    signups,
    surveys,
    tickets,
    visits,
)

metadata = SQLModel.metadata

__all__ = [
    "advice",
    "announcements",
    "attachments",
    "calendar",
    "campaigns",
    "corrections",
    "files",
    "metadata",
    "notes",
    "openings",
    "people",
    "policies",
    "queue",
    "reports",
    "schedules",
    "sessions",
    "signups",
    "surveys",
    "tickets",
    "visits",
]
