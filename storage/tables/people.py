"""Firms, people, pairings, accounts on platforms, chats, API tokens."""

from datetime import date
from typing import Any

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant


class AreaRow(SQLModel, table=True):
    __tablename__ = "areas"
    name: str = Field(primary_key=True)


class GridRow(SQLModel, table=True):
    __tablename__ = "grids"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    area: str = Field(default="")


class EnterpriseRow(SQLModel, table=True):
    __tablename__ = "enterprises"
    id: str = Field(primary_key=True)
    short_name: str = Field(index=True)
    full_name: str
    aliases: list[str] = json_column(default_factory=list)
    industry: str = ""
    area: str = Field(default="", index=True)
    grid: int | None = None
    employees: int | None = None
    scale: str = ""
    hazardous: bool = False
    is_key: bool = True
    from_seed: bool = False
    group: str = Field(default="", sa_column_kwargs={"name": "group_name"})
    active: bool = True


class PersonRow(SQLModel, table=True):
    __tablename__ = "people"
    id: str = Field(primary_key=True)
    name: str = Field(index=True)
    role: str = Field(index=True)
    title: str = ""
    area: str = ""
    grid: int | None = None
    phone: str = ""
    enterprise_id: str | None = Field(default=None, foreign_key="enterprises.id", index=True)
    backup_person_id: str | None = None
    on_leave: bool = False
    department: str = ""
    on_duty: bool = False
    active: bool = True


class PairingRow(SQLModel, table=True):
    __tablename__ = "pairings"
    id: int | None = Field(default=None, primary_key=True)
    enterprise_id: str = Field(foreign_key="enterprises.id", index=True)
    liaison_id: str | None = None
    leader_id: str | None = None
    grid_chief_id: str | None = None
    grid_member_id: str | None = None
    starts_at: Instant = instant()
    ends_at: Instant | None = maybe_instant()


class IdentityRow(SQLModel, table=True):
    __tablename__ = "identities"
    platform: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="people.id", index=True)
    confirmed: bool = True


class ChatRow(SQLModel, table=True):
    __tablename__ = "chats"
    platform: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    title: str = ""
    kind: str = "group"
    registered: bool = False
    robot_url: str = ""
    is_main: bool = False
    owner_id: str | None = None
    purpose: str = Field(default="", sa_column_kwargs={"server_default": ""})
    ends_on: date | None = None
    asked_at: Instant | None = maybe_instant()
    archived_at: Instant | None = maybe_instant()


class TokenRow(SQLModel, table=True):
    __tablename__ = "tokens"
    secret_hash: str = Field(primary_key=True)
    name: str
    scope: str
    enterprise_id: str | None = None
    created_at: Instant = instant()
    revoked: bool = False


class PolicyRow(SQLModel, table=True):
    __tablename__ = "policies_of_office"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: Instant = instant()
    values: dict[str, Any] = json_column(default_factory=dict, sa_column_kwargs={"name": "numbers"})
