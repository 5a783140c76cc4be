"""/enterprises, /people, /pairings, /chats: the registry."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from bot.api.auth import Call, Created, Resource
from bot.wire import ApiError, flag_of, text_of
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Chat, Enterprise, Identity, Pairing, Person, Role
from handlers.domain.roster import area_in
from handlers.services.handover import HandOver
from storage.uow import UnitOfWork


def _enterprise(firm: Enterprise) -> dict[str, Any]:
    return {
        "id": firm.id,
        "name": firm.short_name,
        "short_name": firm.short_name,
        "full_name": firm.full_name,
        "aliases": list(firm.aliases),
        "industry": firm.industry,
        "area": firm.area,
        "grid": firm.grid,
        "employees": firm.employees,
        "scale": firm.scale,
        "hazardous": firm.hazardous,
        "is_key": firm.is_key,
        "group": firm.group,
        "active": firm.active,
    }


def _person(uow: UnitOfWork, person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role.value,
        "title": person.title,
        "enterprise_id": person.enterprise_id,
        "area": person.area,
        "grid": person.grid,
        "phone": person.phone,
        "backup_person_id": person.backup_person_id,
        "on_leave": person.on_leave,
        "on_duty": person.on_duty,
        "department": person.department,
        "active": person.active,
        "identities": [
            {"platform": i.platform, "user_id": i.user_id, "confirmed": i.confirmed}
            for i in uow.people.identities(person.id)
        ],
    }


def _page(call: Call, items: list[Any]) -> dict[str, Any]:
    limit, cursor = call.page()
    start = int(cursor or 0)
    more = str(start + limit) if len(items) > start + limit else None
    return {"items": items[start : start + limit], "next": more}


async def enterprises(call: Call) -> Any:
    wanted = call.request.query.get("q", "").strip()

    def look(uow: UnitOfWork) -> Any:
        bound = call.caller.enterprise_id
        return [
            _enterprise(f)
            for f in uow.people.enterprises()
            if (bound is None or f.id == bound)
            and (not wanted or wanted in f.full_name or wanted in f.short_name or wanted == f.id)
        ]

    return _page(call, await call.app.writer.read(look))


_TEXT: Final = "文字"
_COUNT: Final = "整数"
_YES_NO: Final = "true 或 false"
# What may be said of a firm and of a person, and whether it may be empty.
_FIRM_FIELDS: Final[Mapping[str, tuple[str, bool]]] = {
    "short_name": (_TEXT, False),
    "full_name": (_TEXT, False),
    "industry": (_TEXT, True),
    "area": (_TEXT, True),
    "grid": (_COUNT, True),
    "employees": (_COUNT, True),
    "scale": (_TEXT, True),
    "hazardous": (_YES_NO, False),
    "is_key": (_YES_NO, False),
    "group": (_TEXT, True),
    "active": (_YES_NO, False),
}
_PERSON_FIELDS: Final[Mapping[str, tuple[str, bool]]] = {
    "name": (_TEXT, False),
    "title": (_TEXT, True),
    "area": (_TEXT, True),
    "grid": (_COUNT, True),
    "phone": (_TEXT, True),
    "department": (_TEXT, True),
    "on_leave": (_YES_NO, False),
    "on_duty": (_YES_NO, False),
    "active": (_YES_NO, False),
    "enterprise_id": (_TEXT, True),
    "backup_person_id": (_TEXT, True),
}
# Empty means nothing there, not an empty text.
_NOTHING: Final = frozenset({"grid", "employees", "enterprise_id", "backup_person_id"})
_LONGEST: Final = 200
_BIGGEST: Final = 10**9


def _fits(value: Any, kind: str) -> bool:
    if kind == _YES_NO:
        return isinstance(value, bool)
    if kind == _COUNT:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _BIGGEST
    return isinstance(value, str) and len(value) <= _LONGEST


def _changes(body: dict[str, Any], fields: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
    """The fields that a body names, each of its kind; raises ApiError for the first that is not."""
    found: dict[str, Any] = {}
    for key, (kind, may_be_empty) in fields.items():
        if key not in body:
            continue
        value = body[key]
        if value is None or value == "":
            if not may_be_empty:
                raise ApiError(422, "bad_field", f"{key} 不能为空。", {key: "empty"})
            found[key] = None if key in _NOTHING else ""
        elif not _fits(value, kind):
            raise ApiError(422, "bad_field", f"{key} 应是{kind}。", {key: str(value)[:20]})
        else:
            found[key] = value
    if found.get("area"):
        found["area"] = area_in(found["area"])
    return found


def _firm_changes(body: dict[str, Any]) -> dict[str, Any]:
    found = _changes(body, _FIRM_FIELDS)
    if "name" in body and "short_name" not in body:
        found |= _changes({"short_name": body["name"]}, _FIRM_FIELDS)
    aliases = body.get("aliases")
    if aliases is not None:
        if not isinstance(aliases, list) or not all(isinstance(a, str) for a in aliases):
            raise ApiError(422, "bad_field", "aliases 应是一组文字。", {"aliases": "bad"})
        found["aliases"] = tuple(a for a in aliases if a.strip())
    return found


async def create_enterprise(call: Call) -> Any:
    call.office_only()
    firm_id = text_of(call.body, "id", most=20)
    name = text_of(call.body, "short_name", needed=False) or text_of(call.body, "name")
    full = text_of(call.body, "full_name", needed=False) or name
    changes = _firm_changes(call.body)

    def work(uow: UnitOfWork) -> Any:
        if uow.people.enterprise(EnterpriseId(firm_id)) is not None:
            raise ApiError(409, "exists", "这个企业编号已经有了。", {"id": firm_id})
        firm = replace(Enterprise(EnterpriseId(firm_id), name, full), **changes)
        uow.people.save_enterprise(firm)
        uow.audit.add(call.app.clock.now(), call.caller.name, "enterprise.created", firm_id, {})
        return _enterprise(firm)

    return Created(await call.app.writer.run(work))


async def change_enterprise(call: Call) -> Any:
    call.office_only()
    firm_id = call.request.match_info["id"]
    changes = _firm_changes(call.body)

    def work(uow: UnitOfWork) -> Any:
        firm = uow.people.enterprise(EnterpriseId(firm_id))
        if firm is None:
            raise ApiError(404, "no_such_firm", "没有这家企业。")
        changed = replace(firm, **changes)
        uow.people.save_enterprise(changed)
        facts = {"fields": sorted(changes)}
        uow.audit.add(call.app.clock.now(), call.caller.name, "enterprise.changed", firm_id, facts)
        return _enterprise(changed)

    return await call.app.writer.run(work)


async def people(call: Call) -> Any:
    role = call.request.query.get("role", "")

    def look(uow: UnitOfWork) -> Any:
        bound = call.caller.enterprise_id
        return [
            _person(uow, p)
            for p in uow.people.people()
            if (bound is None or p.enterprise_id == bound) and (not role or p.role.value == role)
        ]

    return _page(call, await call.app.writer.read(look))


def _person_changes(body: dict[str, Any]) -> dict[str, Any]:
    found = _changes(body, _PERSON_FIELDS)
    if "role" in body:
        try:
            found["role"] = Role(body["role"])
        except ValueError:
            roles = "、".join(Role)
            raise ApiError(
                422, "bad_field", f"role 请写 {roles} 之一。", {"role": str(body["role"])[:20]}
            ) from None
    return found


def _check_references(uow: UnitOfWork, changes: dict[str, Any]) -> None:
    """A person's firm and stand-in are in the registry; raises ApiError."""
    firm = changes.get("enterprise_id")
    if firm is not None and uow.people.enterprise(EnterpriseId(firm)) is None:
        raise ApiError(422, "no_such_firm", "没有这家企业。", {"enterprise_id": firm[:20]})
    backup = changes.get("backup_person_id")
    if backup is not None and uow.people.person(PersonId(backup)) is None:
        raise ApiError(422, "no_such_person", "没有这位人员。", {"backup_person_id": backup[:40]})


def _identities(uow: UnitOfWork, person_id: PersonId, body: dict[str, Any]) -> None:
    given = body.get("identities") or []
    for one in given if isinstance(given, list) else [None]:
        if not isinstance(one, dict) or not all(
            isinstance(one.get(key), str) and one[key] for key in ("platform", "user_id")
        ):
            raise ApiError(
                422, "bad_field", "identities 要写 platform 和 user_id。", {"identities": "bad"}
            )
        uow.people.save_identity(Identity(one["platform"], one["user_id"], person_id))


async def create_person(call: Call) -> Any:
    call.office_only()
    person_id = PersonId(text_of(call.body, "id", most=40))
    name = text_of(call.body, "name", most=40)
    changes = _person_changes(call.body)
    if "role" not in changes:
        raise ApiError(422, "missing", "缺少 role。", {"role": "missing"})

    def work(uow: UnitOfWork) -> Any:
        if uow.people.person(person_id) is not None:
            raise ApiError(409, "exists", "这个人员编号已经有了。", {"id": person_id})
        _check_references(uow, changes)
        person = replace(Person(person_id, name, changes["role"]), **changes)
        uow.people.save_person(person)
        _identities(uow, person_id, call.body)
        uow.audit.add(call.app.clock.now(), call.caller.name, "person.created", person_id, {})
        return _person(uow, person)

    return Created(await call.app.writer.run(work))


async def change_person(call: Call) -> Any:
    call.office_only()
    person_id = PersonId(call.request.match_info["id"])
    changes = _person_changes(call.body)

    def work(uow: UnitOfWork) -> Any:
        person = uow.people.person(person_id)
        if person is None:
            raise ApiError(404, "no_such_person", "没有这位人员。")
        _check_references(uow, changes)
        changed = replace(person, **changes)
        uow.people.save_person(changed)
        _identities(uow, person_id, call.body)
        facts = {"fields": sorted(changes)}
        uow.audit.add(call.app.clock.now(), call.caller.name, "person.changed", person_id, facts)
        return _person(uow, changed)

    return await call.app.writer.run(work)


def _pairing(pairing: Pairing) -> dict[str, Any]:
    return {
        "enterprise_id": pairing.enterprise_id,
        "liaison_id": pairing.liaison_id,
        "leader_id": pairing.leader_id,
        "grid_chief_id": pairing.grid_chief_id,
        "grid_member_id": pairing.grid_member_id,
        "starts_at": pairing.starts_at.isoformat(),
        "ends_at": None if pairing.ends_at is None else pairing.ends_at.isoformat(),
    }


async def pairings(call: Call) -> Any:
    wanted = call.request.query.get("enterprise", "")

    def look(uow: UnitOfWork) -> Any:
        bound = call.caller.enterprise_id
        return [
            _pairing(p)
            for p in uow.people.pairings()
            if (bound is None or p.enterprise_id == bound)
            and (not wanted or p.enterprise_id == wanted)
        ]

    return _page(call, await call.app.writer.read(look))


async def pair(call: Call) -> Any:
    """A new pairing from now on; the present one ends."""
    call.office_only()
    firm_id = EnterpriseId(text_of(call.body, "enterprise_id", most=20))
    given: dict[str, Any] = {
        key: text_of(call.body, key, needed=False, most=64) or None
        for key in ("liaison_id", "leader_id", "grid_chief_id", "grid_member_id")
        if key in call.body
    }

    def work(uow: UnitOfWork) -> Any:
        now = call.app.clock.now()
        if uow.people.enterprise(firm_id) is None:
            raise ApiError(422, "no_such_firm", "没有这家企业。", {"enterprise_id": firm_id})
        for key, value in given.items():
            person = None if value is None else uow.people.person(PersonId(value))
            if value is not None and (person is None or not person.is_staff):
                raise ApiError(422, "no_such_person", "没有这位同事。", {key: value[:40]})
        present = uow.people.pairing(firm_id, now) or Pairing(firm_id, None, None, now)
        pairing = replace(present, **given, starts_at=now, ends_at=None)
        hand_over = HandOver(uow, call.app.clock, uow.calendar.current())
        hand_over.pair(pairing, call.caller.name)
        hand_over.tell()
        return _pairing(pairing)

    return Created(await call.app.writer.run(work))


def _chat(chat: Chat) -> dict[str, Any]:
    return {
        "platform": chat.platform,
        "id": chat.id,
        "title": chat.title,
        "kind": chat.kind,
        "registered": chat.registered,
        # The address is the robot's secret: only whether there is one.
        "has_robot": bool(chat.robot_url),
        "is_main": chat.is_main,
        "owner": chat.owner_id,
        "purpose": chat.purpose,
        "ends_on": None if chat.ends_on is None else chat.ends_on.isoformat(),
        "asked_at": None if chat.asked_at is None else chat.asked_at.isoformat(),
        "archived_at": None if chat.archived_at is None else chat.archived_at.isoformat(),
    }


async def chats(call: Call) -> Any:
    call.office_only()
    return _page(call, [_chat(c) for c in await call.app.writer.read(lambda u: u.chats.chats())])


def _ends_on(body: dict[str, Any]) -> date | None:
    given = text_of(body, "ends_on", needed=False, most=10)
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise ApiError(
            422, "bad_field", "ends_on 请写成 2026-12-31。", {"ends_on": given}
        ) from None


async def save_chat(call: Call) -> Any:
    call.office_only()
    body = call.body
    wanted = call.request.match_info.get("id") or text_of(body, "id", most=200)
    platform = call.request.query.get("platform") or body.get("platform") or ""
    robot = text_of(body, "robot_url", needed=False, most=500)
    if robot and not robot.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ApiError(422, "bad_field", "robot_url 要以 https:// 开头。", {"robot_url": "bad"})
    owner_id = text_of(body, "owner", needed=False, most=64)
    ends_on = _ends_on(body)

    def work(uow: UnitOfWork) -> Any:
        found = [
            c
            for c in uow.chats.chats()
            if c.id == wanted and (not platform or c.platform == platform)
        ]
        if call.request.method == "PATCH" and not found:
            raise ApiError(404, "no_such_chat", "没有这个聊天。")
        if not found and not platform:
            raise ApiError(422, "missing", "缺少 platform。", {"platform": "missing"})
        chat = found[0] if found else Chat(str(platform), wanted, "", "group")
        owner = uow.people.person(PersonId(owner_id)) if owner_id else None
        if owner_id and (owner is None or not owner.is_staff):
            raise ApiError(422, "no_such_person", "没有这位同事。", {"owner": owner_id[:40]})
        now = call.app.clock.now()
        archived = flag_of(body, "archived", chat.archived_at is not None)
        if archived and flag_of(body, "is_main", chat.is_main):
            raise ApiError(422, "bad_field", "主群不归档。", {"archived": "main"})
        changed = replace(
            chat,
            title=text_of(body, "title", needed=False, most=100) or chat.title,
            registered=flag_of(body, "registered", True),
            robot_url=robot if "robot_url" in body else chat.robot_url,
            is_main=flag_of(body, "is_main", chat.is_main),
            owner_id=(None if owner is None else owner.id) if "owner" in body else chat.owner_id,
            purpose=text_of(body, "purpose", needed=False, most=60)
            if "purpose" in body
            else chat.purpose,
            ends_on=ends_on if "ends_on" in body else chat.ends_on,
            archived_at=(chat.archived_at or now) if archived else None,
        )
        uow.chats.save_chat(changed)
        uow.audit.add(call.app.clock.now(), call.caller.name, "chat.saved", wanted, {})
        return _chat(changed)

    saved = await call.app.writer.run(work)
    return Created(saved) if call.request.method == "POST" else saved


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/enterprises", enterprises, False, "List firms"),
    ("POST", "/enterprises", create_enterprise, True, "Add a firm"),
    ("PATCH", "/enterprises/{id}", change_enterprise, True, "Change a firm"),
    ("GET", "/people", people, False, "List people"),
    ("POST", "/people", create_person, True, "Add a person"),
    ("PATCH", "/people/{id}", change_person, True, "Change a person"),
    ("GET", "/pairings", pairings, False, "List pairings, past ones too"),
    ("POST", "/pairings", pair, True, "Pair a firm anew"),
    ("GET", "/chats", chats, False, "List chats"),
    ("POST", "/chats", save_chat, True, "Register a chat"),
    ("PATCH", "/chats/{id}", save_chat, True, "Change a chat"),
)
