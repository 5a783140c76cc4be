"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
    calendar,
    corrections,
    people,
    policies,
    queue,
    reports,
    schedules,
    tickets,
)

metadata = SQLModel.metadata

__all__ = [
    "advice",
    "calendar",
    "corrections",
    "metadata",
    "people",
    "policies",
    "queue",
    "reports",
    "schedules",
    "tickets",
]
