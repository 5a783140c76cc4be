"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import calendar, people, queue, tickets

metadata = SQLModel.metadata

__all__ = ["calendar", "metadata", "people", "queue", "tickets"]
