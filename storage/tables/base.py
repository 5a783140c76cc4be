"""What every table shares: constraint names that batch migrations can find again."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from storage.types import Json, UtcDateTime

# Rows are never validated, so no validators are built when the program starts.
SQLModel.model_config["defer_build"] = True

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def instant(**options: Any) -> Any:
    """An aware UTC time."""
    return Field(sa_type=UtcDateTime, **options)


def maybe_instant(**options: Any) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=True, **options)


def json_column(**options: Any) -> Any:
    return Field(sa_type=Json, **options)


Instant = datetime
