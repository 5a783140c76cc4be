"""Campaigns: lists of targets, their marks by round, what was ticked, milestones that were reached."""

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant


class CampaignRow(SQLModel, table=True):
    __tablename__ = "campaigns"
    number: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    states: list[str] = json_column(default_factory=list)
    created_at: Instant = instant()
    rounds: int
    owner_id: str | None = None
    purpose: str = ""
    unit: str = ""
    words: list[str] = json_column(default_factory=list)
    milestones: list[int] = json_column(default_factory=list)
    by_group: bool = True
    platform: str = ""
    chat: str = ""
    ended_at: Instant | None = maybe_instant()


class TargetRow(SQLModel, table=True):
    __tablename__ = "campaign_targets"
    __table_args__ = (UniqueConstraint("campaign", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    campaign: int = Field(foreign_key="campaigns.number")
    key: str
    name: str
    marks: list[dict[str, Any]] = json_column(default_factory=list)
    part: str = ""
    place: str = ""
    grid: int | None = None
    enterprise_id: str | None = Field(default=None, foreign_key="enterprises.id")
    owner_id: str | None = None
    size: int = 1
    note: str = ""


class TickingRow(SQLModel, table=True):
    __tablename__ = "campaign_tickings"
    id: int | None = Field(default=None, primary_key=True)
    campaign: int = Field(foreign_key="campaigns.number")
    at: Instant = instant()
    by_whom: str = Field(index=True)
    before: dict[str, Any] = json_column(default_factory=dict)
    after: dict[str, Any] = json_column(default_factory=dict)
    undone: bool = False


class MilestoneRow(SQLModel, table=True):
    __tablename__ = "campaign_milestones"
    campaign: int = Field(primary_key=True, foreign_key="campaigns.number")
    key: str = Field(primary_key=True)
    at: Instant = instant()


class TargetTicketRow(SQLModel, table=True):
    __tablename__ = "campaign_tickets"
    target: int = Field(primary_key=True, foreign_key="campaign_targets.id")
    number: int = Field(primary_key=True, foreign_key="tickets.number")
