"""Kept bytes, each once, whatever they came with."""

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class FileRow(SQLModel, table=True):
    """`digest` is the SHA-256 of the body, in hex."""

    __tablename__ = "files"
    digest: str = Field(primary_key=True)
    size: int
    body: bytes = Field(sa_type=LargeBinary)
