"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
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
