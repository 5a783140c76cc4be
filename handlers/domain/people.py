"""Firms, people, and who is paired with whom, when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from handlers.domain.ids import EnterpriseId, PersonId

AREAS: Final = ("洪港管理区", "长洪管理区", "东港管理区")


class Role(StrEnum):
    MANAGER = "manager"
    LIAISON = "liaison"
    LEADER = "leader"
    AREA_HEAD = "area_head"
    GRID_CHIEF = "grid_chief"
    GRID_MEMBER = "grid_member"
    OFFICE = "office"
    CHIEF = "chief"
    DEPARTMENT = "department"


OFFICE_ROLES: Final = frozenset({Role.OFFICE, Role.CHIEF})
STAFF_ROLES: Final = frozenset(Role) - {Role.MANAGER}


@dataclass(frozen=True, slots=True)
class Enterprise:
    id: EnterpriseId
    short_name: str
    full_name: str
    aliases: tuple[str, ...] = ()
    industry: str = ""
    area: str = ""
    grid: int | None = None
    employees: int | None = None
    scale: str = ""
    hazardous: bool = False
    is_key: bool = True
    from_seed: bool = False
    group: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the office, of a department or of a firm; a firm's contact carries its firm."""

    id: PersonId
    name: str
    role: Role
    title: str = ""
    area: str = ""
    grid: int | None = None
    phone: str = ""
    enterprise_id: EnterpriseId | None = None
    backup_person_id: PersonId | None = None
    on_leave: bool = False
    department: str = ""
    on_duty: bool = False
    active: bool = True

    @property
    def is_staff(self) -> bool:
        return self.role is not Role.MANAGER

    @property
    def is_office(self) -> bool:
        return self.role in OFFICE_ROLES


@dataclass(frozen=True, slots=True)
class Pairing:
    """Who served a firm from `starts_at` until `ends_at` (None: still)."""

    enterprise_id: EnterpriseId
    liaison_id: PersonId | None
    leader_id: PersonId | None
    starts_at: datetime
    ends_at: datetime | None = None
    grid_chief_id: PersonId | None = None
    grid_member_id: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on duty from `starts_at` until before `ends_at`."""

    person_id: PersonId
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Leave:
    """Away from `starts_at` until before `ends_at`."""

    person_id: PersonId
    starts_at: datetime
    ends_at: datetime
    note: str = ""

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Identity:
    """An account on a platform. Unconfirmed: the person named the firm, nobody has checked it yet."""

    platform: str
    user_id: str
    person_id: PersonId
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat the bot sits in; `registered` is set once the office has named its purpose.

    Whose it is, what for and until when is known of each group (domain.md §13 F6); `asked_at` is
    when its owner was last asked whether it is still needed. In an archived one the bot neither
    listens nor speaks; what was said there is kept.
    """

    platform: str
    id: str
    title: str
    kind: str
    registered: bool = False
    robot_url: str = ""
    is_main: bool = False
    owner_id: PersonId | None = None
    purpose: str = ""
    ends_on: date | None = None
    asked_at: datetime | None = None
    archived_at: datetime | None = None

    @property
    def is_temporary(self) -> bool:
        """Every group but the main one is there for a while."""
        return self.kind == "group" and not self.is_main and self.archived_at is None


@dataclass(frozen=True, slots=True)
class Token:
    """An API token; bound to a firm it sees what that firm's manager would see."""

    name: str
    scope: str
    enterprise_id: EnterpriseId | None
    created_at: datetime
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Who answers for a firm right now: what authority is judged by.

    `liaison_id` is the paired one; `backup_ids` stand in because the liaison is on leave, which
    `liaison_away` says even where nobody stands in. `leader_backup_ids`: the same of the leader.
    """

    enterprise: Enterprise | None = None
    liaison_id: PersonId | None = None
    leader_id: PersonId | None = None
    backup_ids: frozenset[PersonId] = frozenset()
    area_head_id: PersonId | None = None
    grid_ids: frozenset[PersonId] = frozenset()
    liaison_away: bool = False
    leader_backup_ids: frozenset[PersonId] = frozenset()


def mask_phone(text: str) -> str:
    """Phones as groups may see them: 138****1234 (domain.md §14)."""
    return _PHONE.sub(lambda m: f"{m.group(1)}****{m.group(3)}", text)


_PHONE: Final = re.compile(r"(?<!\d)(1[3-9]\d)[-\s]?(\d{4})[-\s]?(\d{4})(?!\d)")

ROLE_NAMES: Final[Mapping[Role, str]] = {
    Role.MANAGER: "企业",
    Role.LIAISON: "联络员",
    Role.LEADER: "分管领导",
    Role.AREA_HEAD: "管理区主任",
    Role.GRID_CHIEF: "网格长",
    Role.GRID_MEMBER: "网格员",
    Role.OFFICE: "办公室",
    Role.CHIEF: "主要负责人",
    Role.DEPARTMENT: "部门",
}
