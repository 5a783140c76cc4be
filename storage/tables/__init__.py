"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
    announcements,
    calendar,
    corrections,
    openings,
    people,
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
    "openings",
    "people",
    "queue",
    "reports",
    "schedules",
    "signups",
    "surveys",
    "tickets",
]
