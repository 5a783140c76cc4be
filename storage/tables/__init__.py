"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
    announcements,
    calendar,
    corrections,
    notes,
    openings,
    people,
    policies,
    queue,
    reports,
    schedules,
    signups,
    surveys,
    tickets,
)

metadata = SQLModel.metadata

__all__ = [
    "advice",
    "announcements",
    "calendar",
    "corrections",
    "metadata",
    "notes",
    "openings",
    "people",
    "policies",
    "queue",
    "reports",
    "schedules",
    "signups",
    "surveys",
    "tickets",
]
