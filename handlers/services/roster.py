"""Import a roster or a people file: match, compare, save; the same file twice changes nothing."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Enterprise, Pairing, Person, Role
from handlers.domain.roster import (
    CleanRow,
    Problem,
    Remark,
    Report,
    Sheet,
    area_in,
    firm_key,
    phones_in,
)
from handlers.ports import Clock, Work
from handlers.services.handover import HandOver
from handlers.services.leaves import LeaveService
from handlers.services.spans import span_in

_YES: Final = frozenset({"是", "有", "y", "yes", "1", "true", "危化"})


@dataclass(slots=True)
class _Doing:
    created: list[str] = field(default_factory=list)
    changed: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    unchanged: int = 0
    remarks: list[Remark] = field(default_factory=list)
    rejected: list[Remark] = field(default_factory=list)

    def note(self, name: str, changes: list[str], new: bool) -> None:
        if new:
            self.created.append(name)
        elif changes:
            self.changed.append((name, tuple(changes)))
        else:
            self.unchanged += 1


def _yes(text: str) -> bool:
    return text.lower() in _YES


class RosterService:
    def __init__(self, work: Work, clock: Clock) -> None:
        self._people = work.people
        self._work = work
        self._clock = clock
        self._hand_over = HandOver(work, clock, work.calendar.current())

    def take(self, sheet: Sheet) -> Report:
        """Bring the registry to what the sheet says, where it says it clearly."""
        doing = _Doing(rejected=list(sheet.rejected))
        if sheet.is_people:
            for row in sheet.rows:
                self._person(row, doing)
        else:
            seen: dict[str, CleanRow] = {}
            for row in sheet.rows:
                self._firm(row, doing, seen)
        self._hand_over.tell()
        if doing.created or doing.changed:
            self._work.audit.add(
                self._clock.now(),
                "system",
                "roster.imported",
                "people" if sheet.is_people else "enterprises",
                {"created": len(doing.created), "changed": len(doing.changed)},
            )
        return Report(
            tuple(doing.created),
            tuple(doing.changed),
            doing.unchanged,
            tuple(doing.remarks),
            tuple(doing.rejected),
        )

    # ---- people

    def _person(self, row: CleanRow, doing: _Doing) -> None:
        values = row.values
        person_id, name = values.get("person_id", ""), values.get("name", "")
        role = next((r for r in Role if r.value == values.get("role", "")), None)
        if not person_id or not name:
            doing.rejected.append(Remark(row.row, name, "name", name, Problem.NO_NAME))
            return
        if role is None:
            doing.rejected.append(
                Remark(row.row, name, "role", values.get("role", ""), Problem.BAD_ROLE)
            )
            return
        known = self._people.person(PersonId(person_id))
        grid = values.get("grid", "")
        phones = phones_in(values.get("phone", ""))
        base = known or Person(PersonId(person_id), name, role)
        person = replace(
            base,
            name=name,
            role=role,
            title=values.get("title_cn", base.title),
            area=area_in(values.get("area", base.area)),
            grid=int(grid) if grid.isdigit() else None,
            phone=phones[0] if phones else base.phone,
            backup_person_id=PersonId(values["backup_person_id"])
            if values.get("backup_person_id")
            else None,
            on_leave=_yes(values.get("on_leave", "")),
            department=values.get("department", base.department),
            on_duty=_yes(values["on_duty"])
            if "on_duty" in values
            else base.on_duty or "值班" in name,
        )
        changes = _differences(base, person)
        if known is None or changes:
            self._people.save_person(person)
        if self._leaves(row, person, doing):
            changes.append("on_leave")
        doing.note(name, changes, known is None)

    def _leaves(self, row: CleanRow, person: Person, doing: _Doing) -> bool:
        """Whether the cell 请假 names a leave (11.24-11.26; several with ;) that was not known."""
        cell = row.values.get("on_leave", "")
        if not re.search(r"\d", cell) or _yes(cell):
            return False
        calendar = self._work.calendar.current()
        service = LeaveService(self._work, self._clock, calendar)
        before = self._people.leaves(person.id)
        for part in re.split(r"[;；、]", cell):
            span = span_in(part, self._clock.now(), calendar)
            try:
                if span is None:
                    raise BadInput("leave_when")
                service.take(person, span[0], span[1], None)
            except BadInput as refusal:
                if refusal.reason == "until_past":
                    # It was over before the file came: nothing to stand in for.
                    continue
                doing.remarks.append(
                    Remark(row.row, person.name, "on_leave", part, Problem.BAD_DATES)
                )
        return self._people.leaves(person.id) != before

    # ---- firms

    def _match(self, values: Any) -> list[Enterprise]:
        wanted_id = values.get("enterprise_id", "")
        firms = self._people.enterprises()
        if wanted_id:
            return [f for f in firms if f.id == wanted_id]
        keys = {firm_key(values.get(k, "")) for k in ("name", "full_name", "short_name")} - {""}
        exact = [
            f for f in firms if firm_key(f.full_name) in keys or firm_key(f.short_name) in keys
        ]
        if exact:
            return exact
        return [f for f in firms if any(firm_key(a) in keys for a in f.aliases)]

    def _same_full_name(self, values: Any, name: str) -> Enterprise | None:
        wanted = firm_key(values.get("full_name") or name)
        firms = self._people.enterprises()
        return next((f for f in firms if firm_key(f.full_name) == wanted), None)

    def _firm(self, row: CleanRow, doing: _Doing, seen: dict[str, CleanRow]) -> None:
        values = row.values
        name = values.get("name") or values.get("full_name") or values.get("short_name", "")
        found = self._match(values)
        if len(found) > 1:
            doing.rejected.append(Remark(row.row, name, "name", name, Problem.SEVERAL_FIRMS))
            return
        taken = None if found else self._same_full_name(values, name)
        if taken is not None:
            # A second firm of the same name would split its tickets between two numbers.
            wrong = values.get("enterprise_id", "")
            doing.rejected.append(Remark(row.row, name, "enterprise_id", wrong, Problem.OTHER_ID))
            return
        key = found[0].id if found else firm_key(name)
        if key in seen:
            # The same firm once more with other contents: which one holds is not ours to guess.
            first = seen[key]
            differing = [
                c for c, v in values.items() if c != "name" and first.values.get(c, v) != v
            ]
            column = differing[0] if differing else "name"
            doing.rejected.append(
                Remark(row.row, name, column, values.get(column, ""), Problem.CONTRADICTS)
            )
            return
        seen[key] = row
        doing.remarks.extend(row.remarks)
        known = found[0] if found else None
        enterprise = self._enterprise(values, known, name)
        changes = [] if known is None else _differences(known, enterprise)
        if known is None or changes:
            self._people.save_enterprise(enterprise)
        changes += self._contact(enterprise, values)
        changes += self._pairing(row, enterprise, doing)
        doing.note(enterprise.short_name, changes, known is None)

    def _enterprise(self, values: Any, known: Enterprise | None, name: str) -> Enterprise:
        base = known or Enterprise(
            EnterpriseId(values.get("enterprise_id") or self._next_id()),
            values.get("short_name") or _short(name),
            values.get("full_name") or name,
        )
        grid, employees = values.get("grid", ""), values.get("employees", "")
        estimate = values.get("employees_about", "")
        about = int(estimate) if estimate else None
        return replace(
            base,
            full_name=values.get("full_name") or base.full_name,
            short_name=values.get("short_name") or base.short_name,
            aliases=tuple(a for a in values["aliases"].split(";") if a)
            if "aliases" in values
            else base.aliases,
            industry=values.get("industry") or base.industry,
            area=values.get("area") or base.area,
            grid=int(grid) if grid else base.grid,
            employees=int(employees) if employees else base.employees or about,
            scale=values.get("scale") or base.scale,
            hazardous=_yes(values["hazardous"]) if "hazardous" in values else base.hazardous,
            from_seed=_yes(values["from_seed"]) if "from_seed" in values else base.from_seed,
            group=values.get("group") or base.group,
        )

    def _next_id(self) -> str:
        taken = {f.id for f in self._people.enterprises()}
        number = len(taken) + 1
        while f"E{number:03d}" in taken:
            number += 1
        return f"E{number:03d}"

    def _contact(self, enterprise: Enterprise, values: Any) -> list[str]:
        name, phone = values.get("contact_name", ""), values.get("contact_phone", "")
        if not name and not phone:
            return []
        present = self._people.main_contact(enterprise.id)
        known = present
        if present is not None and name and present.name != name:
            # Another person: the account of the one before must not speak as the new one.
            self._people.save_person(replace(present, active=False))
            known = None
        base = known or Person(
            self._people.next_contact_id(enterprise.id),
            name or enterprise.short_name,
            Role.MANAGER,
            enterprise_id=enterprise.id,
        )
        person = replace(
            base,
            name=name or base.name,
            phone=phone or base.phone,
            area=enterprise.area,
            grid=enterprise.grid,
        )
        changes = [
            {"name": "contact_name", "phone": "contact_phone"}.get(c, c)
            for c in _differences(base, person)
        ]
        if known is None or changes:
            self._people.save_person(person)
        if known is None and present is not None:
            return ["contact_name"]
        return changes if known is not None else []

    def _named(
        self, row: CleanRow, column: str, roles: frozenset[Role], doing: _Doing, firm: str
    ) -> tuple[bool, PersonId | None]:
        """Whether the file says something of this column, and whom it means."""
        if column not in row.values:
            return False, None
        name = row.values[column]
        if not name:
            return True, None
        found = [p for p in self._people.by_name(name) if p.role in roles]
        exact = [p for p in found if p.name == name]
        found = exact or found
        if len(found) == 1:
            return True, found[0].id
        problem = Problem.UNKNOWN_PERSON if not found else Problem.SEVERAL_PEOPLE
        doing.remarks.append(Remark(row.row, firm, column, name, problem))
        # A name nobody bears is a slip of the pen: whoever is paired stays.
        return False, None

    def _pairing(self, row: CleanRow, enterprise: Enterprise, doing: _Doing) -> list[str]:
        now = self._clock.now()
        present = self._people.pairing(enterprise.id, now)
        base = present or Pairing(enterprise.id, None, None, now)
        wanted: dict[str, PersonId | None] = {}
        for column, attribute, roles in (
            ("liaison", "liaison_id", frozenset({Role.LIAISON})),
            ("leader", "leader_id", frozenset({Role.LEADER, Role.CHIEF})),
            ("grid_chief", "grid_chief_id", frozenset({Role.GRID_CHIEF})),
            ("grid_member", "grid_member_id", frozenset({Role.GRID_MEMBER})),
        ):
            said, person_id = self._named(row, column, roles, doing, enterprise.short_name)
            if said:
                wanted[attribute] = person_id
        changes = [a for a, v in wanted.items() if getattr(base, a) != v]
        if not changes and present is not None:
            return []
        if not wanted and present is None:
            return []
        pairing = Pairing(
            enterprise.id,
            wanted.get("liaison_id", base.liaison_id),
            wanted.get("leader_id", base.leader_id),
            now,
            None,
            wanted.get("grid_chief_id", base.grid_chief_id),
            wanted.get("grid_member_id", base.grid_member_id),
        )
        self._hand_over.pair(pairing, "system")
        return [c.removesuffix("_id") for c in changes]

    # ---- and back

    def rows(self) -> list[dict[str, str]]:
        """Every firm as a row of the roster file."""
        now = self._clock.now()
        rows = []
        for firm in self._people.enterprises():
            pairing = self._people.pairing(firm.id, now)
            contact = self._people.main_contact(firm.id)
            rows.append(
                {
                    "enterprise_id": firm.id,
                    "full_name": firm.full_name,
                    "short_name": firm.short_name,
                    "aliases": ";".join(firm.aliases),
                    "industry": firm.industry,
                    "area": firm.area,
                    "grid": "" if firm.grid is None else str(firm.grid),
                    "employees": "" if firm.employees is None else str(firm.employees),
                    "scale": firm.scale,
                    "hazardous": "是" if firm.hazardous else "否",
                    "contact_name": "" if contact is None else contact.name,
                    "contact_phone": "" if contact is None else contact.phone,
                    "liaison": self._name(None if pairing is None else pairing.liaison_id),
                    "leader": self._name(None if pairing is None else pairing.leader_id),
                    "grid_chief": self._name(None if pairing is None else pairing.grid_chief_id),
                    "grid_member": self._name(None if pairing is None else pairing.grid_member_id),
                    "from_seed": "是" if firm.from_seed else "否",
                    "group": firm.group,
                }
            )
        return rows

    def _name(self, person_id: PersonId | None) -> str:
        person = None if person_id is None else self._people.person(person_id)
        return "" if person is None else person.name

    def people_rows(self) -> list[dict[str, str]]:
        """Every colleague as a row of the people file."""
        return [
            {
                "person_id": p.id,
                "name": p.name,
                "role": p.role.value,
                "title_cn": p.title,
                "area": p.area,
                "grid": "" if p.grid is None else str(p.grid),
                "phone": p.phone,
                "backup_person_id": p.backup_person_id or "",
                "on_leave": "是" if p.on_leave else self._leave_cell(p) or "否",
            }
            for p in self._people.people()
            if p.is_staff
        ]

    def _leave_cell(self, person: Person) -> str:
        """The leaves that are not over, as the file takes them back."""
        zone = self._work.calendar.current().zone
        spans = []
        for leave in self._people.leaves(person.id):
            if leave.ends_at > self._clock.now():
                first = leave.starts_at.astimezone(zone).date()
                last = (leave.ends_at - timedelta(seconds=1)).astimezone(zone).date()
                spans.append(f"{first}至{last}")
        return ";".join(spans)


def _differences(before: Any, after: Any) -> list[str]:
    return [name for name in before.__slots__ if getattr(before, name) != getattr(after, name)]


def _short(name: str) -> str:
    short = name
    for noise in ("有限责任公司", "股份有限公司", "有限公司", "江苏", "南通", "科技"):
        short = short.replace(noise, "")
    return short.strip("()（） ")[:8] or name[:8]
