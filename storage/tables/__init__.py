"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import calendar, corrections, people, queue, reports, schedules, tickets

metadata = SQLModel.metadata

__all__ = [
    "calendar",
    "corrections",
    "metadata",
    "people",
    "queue",
    "reports",
    "schedules",
    "tickets",
]
