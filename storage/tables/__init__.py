"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import (
    advice,
    announcements,
    calendar,
    campaigns,
    corrections,
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
    "calendar",
    "campaigns",
    "corrections",
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
