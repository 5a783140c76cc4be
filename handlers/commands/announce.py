"""发通知 …: draft, preview, 送审, 通过; 查通知 3, 撤回通知 3, 未读 3; 已阅 and 收到."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from handlers.chat.events import ChatKind, InboundEvent
from handlers.chat.filters import Anybody, Staff, Who
from handlers.chat.outbound import SILENCE, Content, Priority, Reply
from handlers.chat.outbound import Kind as MessageKind
from handlers.chat.router import PassOn, Router
from handlers.domain.announcement import (
    WRITERS,
    Announcement,
    AnnouncementId,
    Audience,
    Kind,
    ReadBy,
    Route,
    State,
)
from handlers.domain.category import LABELS
from handlers.domain.errors import BadInput, NoSuch, WrongState
from handlers.domain.people import Person, Role
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Dialogue, Outgoing, Work
from handlers.services.addressing import audience_in, when_in
from handlers.services.announcements import FILES_MOST, Announcing, Draft, Read
from handlers.services.drafting import Drafting
from handlers.services.moves import Asked
from handlers.texts import announcements as say
from handlers.understanding.times import find_time

router = Router("announce")

_WRITING: Final = Who(*sorted({*WRITERS, Role.LIAISON}))
_TOPIC: Final = "announcement"
_RETURN: Final = "announcement.reason"
_OPEN: Final = timedelta(hours=12)
_KINDS: Final = {
    "发通知": Kind.NOTICE,
    "发政策": Kind.POLICY,
    "发预警": Kind.WARNING,
    "发停水停电": Kind.OUTAGE,
    "发更正": Kind.CORRECTION,
}
_LABELS: Final = {
    "标题": "title", "题目": "title", "正文": "text", "内容": "text", "对象": "audience", "发给": "audience",
    "范围": "audience", "时间": "time", "发送时间": "time", "何时发": "time", "有效期": "until", "有效期至": "until",
    "有效至": "until", "截止": "until", "方式": "route", "回执": "receipt", "来源": "source", "更正": "corrects",
    "类别": "kind",
}  # fmt: skip
_LINE: Final = re.compile(
    rf"^\s*({'|'.join(sorted(_LABELS, key=len, reverse=True))})\s*[:：]\s*(.*)$"
)
_WANTS: Final = re.compile(
    r"^\s*(?:(要|需要?|请)(?:求)?回执|(不(?:用|要|需要?)|无需|免)回执)[。.]?\s*$"
)
# Who writes it all on one line parts it so, as surveys and sign-ups are.
_PARTED: Final = re.compile(
    rf"[;；]\s*(?=(?:{'|'.join(_LABELS)})\s*[:：]|(?:要|需要?|不要|不用|无需|免)回执\s*(?:[;；]|$))"
)
_STOP: Final = re.compile(r"([。！!；;])\s*$")
_RECEIVED: Final = (
    r"^(?:收到|已阅|已收到|知道了|知悉|好的?收到|收到了|收到谢谢|已知晓|晓得了)[。.!！~～\s]*$"
)


# ---- writing


@router.command(
    "发通知",
    "发政策",
    "发预警",
    "发停水停电",
    "发更正",
    who=_WRITING,
    usage="发通知 标题，换行写正文",
    about="拟一条通知，预览后送审",
)
def write(desk: Drafting) -> Reply:
    asked = desk.asked
    said = {"kind": _KINDS[asked.word].value}
    rest = _whole(asked.rest, desk.event)
    if asked.word == "发更正":
        number = re.match(r"\s*(?:通知)?\s*(\d{1,9})\s*[:：,，]?", rest)
        if asked.ref is not None and asked.ref.number is not None:
            said["corrects"] = str(asked.ref.number)
        elif number is not None:
            said["corrects"], rest = number.group(1), rest[number.end() :]
    said.update(_fields(rest))
    return _go_on(desk, said, 0)


@router.dialogue(_TOPIC)
def answer(desk: Drafting) -> Reply | None:
    asked, event = desk.asked, desk.event
    said = {str(k): str(v) for k, v in dict(asked.facts["said"]).items()}
    number = int(asked.facts.get("id", 0))
    given = _fields(asked.rest, labelled=bool(number))
    wanted = _missing(said)
    if not number and len(wanted) == 1 and not any(k in given for k in wanted):
        given = {wanted[0]: asked.rest.strip()}
    alone = event.chat_kind is ChatKind.DIRECT and event.quote is None
    if number and not given and alone and event.attachments:
        _ask(desk, said, number)
        _expect(desk, number)
        # Whether it can be attached is told once it is here.
        return SILENCE
    if number and not given:
        # Not about the draft: it stays, and what was said is heard like anything else.
        _ask(desk, said, number)
        raise PassOn
    said.update(given)
    try:
        return _go_on(desk, said, number)
    except (BadInput, NoSuch):
        # What was typed before is kept; only this part is asked for again.
        kept = {str(k): str(v) for k, v in dict(asked.facts["said"]).items()}
        _ask(desk, kept, number)
        raise


def _whole(rest: str, event: InboundEvent) -> str:
    """What follows a command word has lost its last full stop; in a text that firms read it stays."""
    stop = _STOP.search(event.text)
    return rest if stop is None or rest.endswith(stop.group(1)) else rest + stop.group(1)


def _fields(text: str, labelled: bool = False) -> dict[str, str]:
    """标题：…, 正文：… by their labels; without them the first line is the title, the rest the text."""
    found: dict[str, str] = {}
    free: list[str] = []
    open_label = ""
    for line in _PARTED.sub("\n", text).splitlines():
        label = _LINE.match(line)
        wants = _WANTS.match(line)
        if label is not None:
            open_label = _LABELS[label.group(1)]
            found[open_label] = label.group(2).strip()
        elif wants is not None:
            found["receipt"] = "要" if wants.group(1) else "不要"
            open_label = ""
        elif open_label == "text":
            found["text"] += "\n" + line.rstrip()
        elif line.strip():
            free.append(line.rstrip())
            open_label = ""
    if labelled:
        return {k: v for k, v in found.items() if v}
    if free and "title" not in found:
        found["title"] = free.pop(0).strip()
    if free and "text" not in found:
        found["text"] = "\n".join(free)
    return {k: v.strip() for k, v in found.items() if v.strip()}


def _missing(said: Mapping[str, str]) -> list[str]:
    correcting = said.get("kind") == Kind.CORRECTION.value
    wanted = ["title", "text"] if correcting else ["title", "text", "audience"]
    if correcting:
        wanted.append("corrects")
    return [w for w in wanted if not said.get(w)]


def _go_on(desk: Drafting, said: dict[str, str], number: int) -> Reply:
    """Ask for what is missing, all of it at once; else show it as firms will see it."""
    announcing, event = desk.announcing, desk.event
    by = _person(desk.asked)
    missing = _missing(said)
    if missing:
        _ask(desk, said, number)
        return _to_me(say.missing(missing, bool(event.attachments)))
    draft = _draft(desk, said, by)
    made = announcing.change(by, number, draft) if number else announcing.draft(by, draft)
    if event.attachments:
        _expect(desk, made.id)
    _ask(desk, said, made.id)
    desk.work.outbox.put(
        Outgoing(
            Content.of(announcing.preview(made, by), MessageKind.ANNOUNCEMENT),
            chat=_own_chat(event),
            chat_kind=ChatKind.DIRECT,
            priority=Priority.REPLY,
        )
    )
    return replace(Reply.show(announcing.draft_card(made)), secret=True)


def _own_chat(event: InboundEvent) -> Any:
    if event.chat_kind is ChatKind.DIRECT:
        return event.chat
    return replace(event.chat, id=event.sender.id)


def _ask(desk: Drafting, said: Mapping[str, str], number: int) -> None:
    facts = {"said": dict(said), "id": number}
    until = desk.clock.now() + _OPEN
    desk.work.dialogues.put(Dialogue(desk.asked.speaker.key, desk.event.chat, _TOPIC, facts, until))


def _expect(desk: Drafting, number: int) -> None:
    chat, sent = _own_chat(desk.event), desk.event.attachments
    desk.uploads.expect(_person(desk.asked), number, chat, sent)


def _draft(desk: Drafting, said: Mapping[str, str], by: Person) -> Draft:
    now, calendar = desk.clock.now(), desk.calendar
    kind = next((k for k in Kind if k.value == said.get("kind")), None)
    if kind is None:
        raise BadInput("announce_kind")
    send_at, rule = when_in(said.get("time", ""), now, calendar)
    until = None
    if said.get("until"):
        moment = find_time(said["until"], now, calendar, calendar.zone)
        if moment is None:
            raise BadInput("announce_time", text=said["until"][:20])
        until = moment.end or moment.start
    corrects = said.get("corrects", "")
    digits = re.search(r"\d{1,9}", corrects)
    audience = said.get("audience", "")
    return Draft(
        kind,
        said["title"],
        said["text"],
        audience_in(audience, desk.work, desk.firms) if audience else Audience(),
        _route(said.get("route", ""), by),
        said.get("receipt", "").startswith(("要", "需", "是", "请")),
        send_at,
        rule,
        until,
        AnnouncementId(int(digits.group())) if digits is not None else None,
        said.get("source", ""),
    )


def _route(text: str, by: Person) -> Route:
    if by.role is Role.LIAISON:
        return Route.DIRECT
    if not text or "群" in text:
        both = "私" in text or "都" in text
        return Route.BOTH if both else Route.GROUP
    if "私" in text or "单" in text:
        return Route.DIRECT
    if "都" in text or "两" in text:
        return Route.BOTH
    raise BadInput("announce_route")


# ---- review and steering


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


def _number(asked: Asked) -> int | None:
    """The number of an announcement, by a button or as typed."""
    if asked.args.get("a", "").isdigit():
        return int(asked.args["a"][:9])
    if asked.ref is not None and asked.ref.number is not None:
        return asked.ref.number
    said = re.match(r"\s*(?:通知|第|#|编号)*\s*(\d{1,9})", asked.rest)
    return None if said is None else int(said.group(1))


def _named(asked: Asked, announcing: Announcing, act: str = "") -> Announcement:
    number = _number(asked)
    if number is None:
        raise BadInput("announce_which", act=act or asked.word)
    return announcing.get(number)


def _to_me(text: str) -> Reply:
    return replace(Reply.say(text), secret=True)


def _rest_of(asked: Asked) -> str:
    return re.sub(r"^\s*(?:通知|第|#|编号)*\s*\d{1,9}\s*[,，:：。]?\s*", "", asked.rest).strip()


@router.command("送审", who=_WRITING, usage="送审 3", about="请另一位同事审核通知")
@router.action("announcement.submit", who=_WRITING)
def submit(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing, "送审")
    after, approver = announcing.submit(_person(asked), made.id)
    return _to_me(say.submitted(after, approver.name))


@router.command("通过通知", who=_WRITING, usage="通过通知 3", about="审核通过，按时发送")
@router.action("announcement.approve", who=_WRITING)
def approve(asked: Asked, announcing: Announcing) -> Reply:
    by = _person(asked)
    made = _named(asked, announcing, "通过通知")
    if made.state is State.DRAFT and made.author_id != by.id and made.submitted_at is None:
        # As it stands it was not shown to whoever says yes.
        raise WrongState("announce_changed" if asked.version else "announce_not_submitted")
    after, targets = announcing.approve(by, made.id, asked.version)
    announcing.tell_author(after, by, targets)
    return replace(Reply.show(announcing.reviewed_card(after)), secret=True)


@router.command("退回通知", who=_WRITING, usage="退回通知 3 理由", about="审核不通过，退给拟稿人")
def send_back(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing)
    after = announcing.send_back(_person(asked), made.id, _rest_of(asked)[:200])
    return replace(Reply.show(announcing.reviewed_card(after)), secret=True)


@router.action("announcement.return", who=_WRITING)
def ask_reason(
    asked: Asked, event: InboundEvent, announcing: Announcing, clock: Clock, work: Work
) -> Reply:
    made = _named(asked, announcing)
    until = clock.now() + timedelta(hours=1)
    work.dialogues.put(
        Dialogue(asked.speaker.key, event.chat, _RETURN, {"id": int(made.id)}, until)
    )
    return _to_me(say.reason_wanted(made))


@router.dialogue(_RETURN)
def reason(asked: Asked, announcing: Announcing) -> Reply:
    number = int(asked.facts["id"])
    after = announcing.send_back(_person(asked), number, asked.rest.strip()[:200])
    return replace(Reply.show(announcing.reviewed_card(after)), secret=True)


@router.command("改通知", who=_WRITING, usage="改通知 3", about="改退回的草稿")
def edit(desk: Drafting) -> Reply:
    asked, announcing = desk.asked, desk.announcing
    made = _named(asked, announcing)
    said = _said_of(made, desk.work, desk.calendar)
    given = _fields(_whole(_rest_of(asked), desk.event), labelled=True)
    said.update(given)
    if given:
        return _go_on(desk, said, made.id)
    by = _person(asked)
    announcing.change(by, made.id, _draft(desk, said, by))
    _ask(desk, said, made.id)
    return replace(Reply.show(announcing.draft_card(announcing.get(made.id))), secret=True)


def _said_of(made: Announcement, work: Work, calendar: WorkCalendar) -> dict[str, str]:
    """A draft in the words that would make it."""
    audience = made.audience
    people = work.people
    firms = [people.enterprise(e) for e in audience.enterprises]
    but = [people.enterprise(e) for e in audience.excepted]
    words = [
        *(["全部企业"] if audience.everybody else []),
        *audience.areas,
        *(f"网格{n}" for n in audience.grids),
        *audience.tags,
        *audience.scales,
        *(f"{LABELS[c]}类" for c in audience.interests),
        *(f.short_name for f in firms if f is not None),
    ]
    left_out = "、".join(f.short_name for f in but if f is not None)
    said = {
        "kind": made.kind.value,
        "title": made.title,
        "text": made.text,
        "audience": " ".join(words) + (f" 除{left_out}" if left_out else ""),
        "receipt": "要" if made.need_receipt else "不要",
        "source": made.source,
        "route": {Route.GROUP: "群发", Route.DIRECT: "私聊", Route.BOTH: "两者都发"}[made.route],
        "time": made.rule,
    }
    if made.send_at is not None:
        said["time"] = f"{made.send_at.astimezone(calendar.zone):%Y年%m月%d日 %H:%M}"
    if made.valid_until is not None:
        said["until"] = f"{made.valid_until.astimezone(calendar.zone):%Y年%m月%d日 %H:%M}"
    if made.corrects is not None:
        said["corrects"] = str(made.corrects)
    return {k: v for k, v in said.items() if v}


@router.command("加附件", who=_WRITING, usage="加附件 3", about="给草稿附图片、PDF 或 Word")
def more_files(desk: Drafting) -> Reply:
    asked, announcing = desk.asked, desk.announcing
    made = announcing.own_draft(_person(asked), _named(asked, announcing).id)
    _ask(desk, _said_of(made, desk.work, desk.calendar), made.id)
    if desk.event.attachments:
        _expect(desk, made.id)
        return SILENCE
    return _to_me(say.files_wanted(made.id, FILES_MOST))


@router.command("删附件", who=_WRITING, usage="删附件 3 1", about="拿掉草稿的一个附件")
def less_files(asked: Asked, announcing: Announcing) -> Reply:
    by = _person(asked)
    made = announcing.own_draft(by, _named(asked, announcing).id)
    files = announcing.files(made.id)
    which = re.match(r"\D{0,3}(\d{1,3})\D{0,3}$", _rest_of(asked))
    chosen = int(which.group(1)) if which is not None else len(files)
    if not 1 <= chosen <= len(files) or (which is None and len(files) > 1):
        return _to_me(say.files_listed(made.id, [f.name for f in files]))
    file = files[chosen - 1]
    announcing.drop_file(by.id, made.id, file.id)
    return _to_me(say.file_dropped(made.id, file.name, made.submitted_at is not None))


@router.command("撤回通知", "不发通知", who=_WRITING, usage="撤回通知 3", about="没发的不再发")
@router.action("announcement.cancel", who=_WRITING)
def withdraw(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing, "撤回通知")
    was_draft = made.state is State.DRAFT
    after = announcing.withdraw(_person(asked), made.id)
    if was_draft:
        return _to_me(say.cancelled(after))
    return _to_me(say.withdrawn(after, announcing.progress(after)))


@router.command("暂停通知", who=_WRITING, usage="暂停通知 3", about="先停一停，不再往下发")
def pause(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing)
    after = announcing.pause(_person(asked), made.id)
    return _to_me(say.paused(after, announcing.progress(after)))


@router.command("继续通知", who=_WRITING, usage="继续通知 3", about="接着发没发完的")
def resume(asked: Asked, announcing: Announcing, clock: Clock) -> Reply:
    made = _named(asked, announcing)
    after = announcing.resume(_person(asked), made.id)
    return _to_me(say.resumed(after, announcing.progress(after), clock.now()))


@router.command("查通知", who=_WRITING, usage="查通知 3", about="看发到哪了、多少家看过")
def look(asked: Asked, announcing: Announcing, clock: Clock) -> Reply:
    made = _named(asked, announcing)
    progress = announcing.progress(made)
    shown = replace(made, state=announcing.shown_state(made, progress))
    return _to_me(say.status(shown, progress, clock.now()))


@router.command("通知列表", "我的通知", who=_WRITING, usage="通知列表", about="看最近的通知")
def recent(announcing: Announcing) -> Reply:
    return _to_me(say.listed(announcing.recent()))


@router.command("通知名单", who=_WRITING, usage="通知名单 3", about="看通知发给哪些企业")
@router.action("announcement.list", who=_WRITING)
def whom(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing, "通知名单")
    return _to_me(say.whole_list(made, announcing.firms(made)))


@router.command("未读", "未读通知", who=Staff, usage="未读 3", about="看自己挂钩的企业谁还没看")
def unread(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing)
    by = _person(asked)
    rows = announcing.unread(by, made)
    own = {t.enterprise_id for t in announcing.targets(made)} & announcing.own_firms(by)
    if by.role is Role.LIAISON or (rows and own):
        return _to_me(say.call_list(made, rows))
    return _to_me(say.unread_count(made, announcing.progress(made)))


@router.command("提醒未读", who=_WRITING, usage="提醒未读 3", about="私下提醒没看的企业一次")
def nudge(asked: Asked, announcing: Announcing) -> Reply:
    made = _named(asked, announcing)
    return _to_me(say.nudged(made, announcing.nudge(_person(asked), made)))


# ---- receipts


@router.action("announcement.read", who=Anybody)
def read(asked: Asked, event: InboundEvent, announcing: Announcing) -> Reply:
    made = _named(asked, announcing)
    person = asked.speaker.person
    if person is None or person.enterprise_id is None:
        return Reply(toast=say.for_firms_only())
    came = announcing.read(person, made, ReadBy.BUTTON)
    if came is Read.NOT_YOURS:
        return Reply(toast=say.not_for_you())
    if came is Read.OVER:
        return Reply(toast=say.is_over(made))
    if event.chat_kind is ChatKind.GROUP:
        # The card itself is replaced for everybody by what the reading caused.
        told = say.counted(announcing.progress(made)) if came is Read.NEW else say.read_already()
        return Reply(toast=told)
    told = say.thanks() if came is Read.NEW else say.read_already()
    card = announcing.firm_card(made, person, read=True)
    return Reply(Content.of(card, MessageKind.ANNOUNCEMENT), told)


@router.command("看通知", usage="看通知 3", about="看一条通知的全文和附件")
@router.action("announcement.full", who=Anybody)
def full(asked: Asked, announcing: Announcing) -> Reply:
    """The whole text, for who may see it: the office, and the firms it was sent to."""
    made = _named(asked, announcing, "看通知")
    person = asked.speaker.person
    if person is None:
        raise NoSuch("announcement", made.id)
    if not person.is_staff:
        meant = {t.enterprise_id for t in announcing.targets(made)}
        if made.began_at is None or person.enterprise_id not in meant:
            raise NoSuch("announcement", made.id)
    card = announcing.firm_card(made, person)
    return replace(
        Reply(Content(card.fallback, kind=MessageKind.ANNOUNCEMENT)), secret=made.began_at is None
    )


@router.read()
def seen(asked: Asked, event: InboundEvent, announcing: Announcing) -> Reply:
    """Platforms that know who has read need no button."""
    person, quote = asked.speaker.person, event.quote
    if person is not None and person.enterprise_id is not None and quote is not None:
        made = announcing.shown(event.platform, quote.message_ref)
        if made is not None:
            announcing.read(person, made, ReadBy.PLATFORM)
    return SILENCE


@router.sentence("收到", pattern=_RECEIVED, about="")
def received(asked: Asked, event: InboundEvent, announcing: Announcing) -> Reply:
    """收到 under an announcement is its receipt; anywhere else it is left to who hears it."""
    person = asked.speaker.person
    if person is None or person.enterprise_id is None:
        raise PassOn
    quote = event.quote
    if quote is not None:
        made = announcing.of_quote(
            event.platform, quote.message_ref, quote.text, person.enterprise_id
        )
    elif event.chat_kind is ChatKind.DIRECT:
        made = announcing.waiting_for(person.enterprise_id)
    else:
        made = None
    if made is None:
        raise PassOn
    announcing.read(person, made, ReadBy.REPLY)
    return SILENCE
