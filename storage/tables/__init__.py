"""All tables of the product in one metadata."""

from sqlmodel import SQLModel

from storage.tables import people, queue, tickets

metadata = SQLModel.metadata

__all__ = ["metadata", "people", "queue", "tickets"]
