"""Values with defaults, so that a test names only what it is about."""

from datetime import UTC, datetime
from typing import Any

from handlers.domain.calendar import shipped
from handlers.domain.category import Category, Urgency
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import Person, Role, Standing
from handlers.domain.policy import DEFAULT
from handlers.domain.ticket import Channel, Source, Ticket, started

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CALENDAR = shipped()
POLICY = DEFAULT

LIAISON = Person(PersonId("P041"), "联络员小周", Role.LIAISON)
BACKUP = Person(PersonId("P042"), "联络员小吴", Role.LIAISON)
LEADER = Person(PersonId("P028"), "许主任", Role.LEADER)
OFFICE = Person(PersonId("P055"), "办公室值班", Role.OFFICE, on_duty=True)
CHIEF = Person(PersonId("P057"), "主要负责人", Role.CHIEF)
AREA_HEAD = Person(PersonId("P052"), "洪港管理区主任", Role.AREA_HEAD)
GRID = Person(PersonId("P001"), "网格长01", Role.GRID_CHIEF)
DEPARTMENT = Person(PersonId("D1"), "人社局小徐", Role.DEPARTMENT, department="人社局")
MANAGER = Person(PersonId("E003-1"), "张经理", Role.MANAGER, enterprise_id=EnterpriseId("E003"))
COLLEAGUE = Person(PersonId("E003-2"), "李工", Role.MANAGER, enterprise_id=EnterpriseId("E003"))
STRANGER = Person(PersonId("E004-1"), "王主任", Role.MANAGER, enterprise_id=EnterpriseId("E004"))
EVERYBODY = (
    LIAISON, BACKUP, LEADER, OFFICE, CHIEF, AREA_HEAD, GRID, DEPARTMENT, MANAGER, COLLEAGUE, STRANGER,
)  # fmt: skip

STANDING = Standing(None, LIAISON.id, LEADER.id, frozenset(), AREA_HEAD.id, frozenset({GRID.id}))


def a_ticket(number: int = 1024, **more: Any) -> Ticket:
    """An open ticket of E003, owned by its paired liaison, its clocks started."""
    values: dict[str, Any] = {
        "number": TicketNumber(number),
        "code": f"LHG-20261124-{number:03d}",
        "title": "车间缺操作工20人",
        "body": "车间缺操作工20人，临时招不到",
        "category": Category.LAB,
        "urgency": Urgency.U3,
        "enterprise_id": EnterpriseId("E003"),
        "reporter_id": MANAGER.id,
        "reporter_name": "张经理",
        "owner_id": LIAISON.id,
        "source": Source("sandbox", "key-enterprises", f"m{number}", Channel.GROUP),
        **more,
    }
    at = values.pop("created_at", NOW)
    return Ticket(**{**started(values["urgency"], at, CALENDAR, POLICY), **values})
