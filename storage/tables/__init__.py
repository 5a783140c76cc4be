"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
    calendar,
    campaigns,
    corrections,
    people,
    queue,
    reports,
    schedules,
    tickets,
    visits,
)

metadata = SQLModel.metadata

__all__ = [
    "advice",
    "calendar",
    "campaigns",
    "corrections",
    "metadata",
    "people",
    "queue",
    "reports",
    "schedules",
    "tickets",
    "visits",
]
