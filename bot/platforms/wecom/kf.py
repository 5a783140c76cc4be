"""微信客服: the door for people who stay on personal WeChat.

A signed notice says that something came; what it was is pulled by a cursor. After a person's last
message five may be said within 48 hours, so they are kept for what matters (D:94670, D:94677).
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, unquote

from bot.payload import cut, part_at, text_at
from bot.platform import Answered, Decoded, Hear, HttpAnswer, Notes, Outcome, Permanent, SendError
from bot.platforms.wecom import codec
from bot.platforms.wecom.api import AppApi
from handlers.chat.events import (
    Attachment,
    AttachmentKind,
    ChatKind,
    ChatRef,
    EventKind,
    InboundEvent,
    UserRef,
)
from handlers.chat.outbound import Delivery, Kind, Open

_log = logging.getLogger("bot.wecom.kf")

PREFIX: Final = "kf:"
MOST_SAID: Final = 5
WINDOW_SECONDS: Final = 48 * 3600.0
# The last ones are for answers, questions and cards: number, result, verdict.
_KEPT: Final = 2
_MATTERS: Final = frozenset({Kind.ANSWER, Kind.CARD, Kind.QUESTION, Kind.ESCALATION})
_TOKEN_SECONDS: Final = 600.0
_TEXT_BYTES: Final = 2048
_MENU_ITEMS: Final = 10
_MENU_TEXT_BYTES: Final = 128
_CUSTOMER: Final = 3
_MOST_PULLED: Final = 1000
_MEDIA: Final = {
    "image": AttachmentKind.IMAGE,
    "voice": AttachmentKind.VOICE,
    "video": AttachmentKind.VIDEO,
    "file": AttachmentKind.FILE,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """When a customer last wrote, by the platform's clock, in which messages of that second, and
    what was said since: each delivery with the number of the look before it."""

    heard: float = 0.0
    messages: tuple[str, ...] = ()
    said: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, noted: str) -> "_Told":
        if not noted:
            return cls()
        heard, said, *more = json.loads(noted)
        if isinstance(said, int):
            # As it was noted before deliveries were told apart.
            return cls(float(heard), (), ((0, 0),) * said)
        return cls(float(heard), tuple(more[0]), tuple((i, look) for i, look in said))

    def noted(self) -> str:
        return json.dumps([self.heard, self.said, self.messages])

    def heard_again(self, at: float, message: str, complete: int) -> "_Told":
        """The five begin anew with each message, not when the same one is pulled once more.

        `complete`: the last look that had brought everything, and this message not. What was said
        after it may have reached the platform after the message, which then counted it.
        """
        if at < self.heard or (at == self.heard and message in self.messages):
            return self
        messages = (*self.messages, message) if at == self.heard else (message,)
        return _Told(at, messages, tuple(s for s in self.said if s[1] >= complete))


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks without a notice, and after a fault."""

    poll: float = 60.0
    fault: float = 5.0


def session(open_kfid: str, external: str) -> str:
    """What a session is called inside: it is a person's and a chat's id."""
    return f"{PREFIX}{open_kfid}:{external}"


class Kf:
    """Hears as a line and speaks through the self-built app, which must be allowed to."""

    name: Final = "wecom.kf"
    title: Final = "微信客服"

    def __init__(
        self,
        api: AppApi,
        notes: Callable[[], Notes],
        pace: Pace = Pace(),
        now: Callable[[], float] = lambda: time.time(),
    ) -> None:
        self._api = api
        self._notes = notes
        self._pace = pace
        # WeCom counts by the wall clock.
        self._now = now
        self._up = False
        self._stir = asyncio.Event()
        self._tokens: dict[str, str] = {}
        # What is counted while hearing and while speaking is one number.
        self._counting = asyncio.Lock()
        # Looks are numbered on, also over a restart, as none takes less than a second on average.
        self._looks = int(now())
        self._complete: dict[str, int] = {}
        self._noticed: dict[str, float] = {}

    @property
    def up(self) -> bool:
        return self._up

    def noticed(self, open_kfid: str, token: str) -> None:
        """A notice came in: something can be pulled with its token, for ten minutes."""
        self._tokens[open_kfid] = token
        self._noticed[open_kfid] = self._now()
        self._stir.set()

    # ---- hearing

    async def hold(self, hear: Hear) -> None:
        while True:
            self._stir.clear()
            wait = self._pace.poll
            try:
                await self._look(hear)
                self._up = True
            except SendError as error:
                self._up = False
                wait = self._pace.fault
                _log.warning("kf.not_pulled", extra={"code": error.code})
            try:
                await asyncio.wait_for(self._stir.wait(), wait)
            except TimeoutError:
                pass

    async def _look(self, hear: Hear) -> None:
        known = set(filter(None, (await self._notes().get("kf:accounts")).split(",")))
        noticed = set(self._tokens)
        if noticed - known:
            await self._notes().put("kf:accounts", ",".join(sorted(known | noticed)))
        for account in sorted(known | noticed):
            await self._pull(account, hear)

    async def _pull(self, account: str, hear: Hear) -> None:
        """Everything that came since the cursor; it moves on when that is on disk."""
        key = f"kf:cursor:{account}"
        cursor = await self._notes().get(key)
        token = self._tokens.pop(account, "")
        self._looks += 1
        look = self._looks
        # The account says itself when there is no more; the bound is against one that never does.
        for _ in range(1000):
            asked: dict[str, Any] = {"open_kfid": account, "limit": _MOST_PULLED}
            asked |= {k: v for k, v in (("cursor", cursor), ("token", token)) if v}
            try:
                page = await self._api.post("/cgi-bin/kf/sync_msg", asked)
            except SendError:
                # One that is over would be refused again and again; without it pulling is only rarer.
                if token and self._now() - self._noticed[account] < _TOKEN_SECONDS:
                    self._tokens.setdefault(account, token)
                raise
            found = page.get("msg_list")
            rows = [m for m in (found if isinstance(found, list) else []) if isinstance(m, dict)]
            for row in sorted(rows, key=lambda m: _number(m.get("send_time"))):
                if not await self._heard(row, hear):
                    self._stir.set()
                    return
            after = str(page.get("next_cursor") or "")
            if after:
                cursor = after
                await self._notes().put(key, cursor)
            if not page.get("has_more"):
                self._complete[account] = look
                return

    async def _heard(self, row: Mapping[str, Any], hear: Hear) -> bool:
        event, unsupported, welcome = await self._event(row)
        if event is None:
            return await hear(Decoded((), HttpAnswer(), None, unsupported), _unsaid)

        def answer(outcome: Outcome) -> Answered:
            said = next((d for d in outcome.deliveries if d.to.chat == event.chat), None)
            if not welcome or said is None:
                return Answered(HttpAnswer())
            text = cut(said.content.text, _TEXT_BYTES)
            return Answered(HttpAnswer(body=text.encode()), frozenset({said.id}))

        async def reply(made: bytes) -> bool:
            body = {"code": welcome, "msgtype": "text", "text": {"content": made.decode()}}
            try:
                await self._api.post("/cgi-bin/kf/send_msg_on_event", body)
            except SendError as error:
                _log.warning("kf.welcome_refused", extra={"code": error.code})
                return False
            return True

        return await hear(Decoded((event,), HttpAnswer(), answer if welcome else None), reply)

    async def _event(self, row: Mapping[str, Any]) -> tuple[InboundEvent | None, str, str]:
        """The event, the kind where there is none, and the code to greet by."""
        kind, number = text_at(row, "msgtype"), text_at(row, "msgid")
        inner = part_at(row, "event") if kind == "event" else row
        external = text_at(inner, "external_userid")
        account = text_at(row, "open_kfid") or text_at(inner, "open_kfid")
        if not (number and external and account):
            return None, f"kf_{kind or 'unknown'}", ""
        if kind == "event" and text_at(inner, "event_type") != "enter_session":
            return None, f"kf_{text_at(inner, 'event_type') or 'event'}", ""
        if kind != "event" and row.get("origin") != _CUSTOMER:
            # What a servicer wrote is nobody's problem.
            return None, "kf_servicer", ""
        who = session(account, external)
        at = _number(row.get("send_time")) or self._now()
        base: dict[str, Any] = {
            "platform": codec.NAME,
            "event_id": f"kf-{number}",
            "at": datetime.fromtimestamp(at, UTC),
            "chat": ChatRef(codec.NAME, who),
            "chat_kind": ChatKind.DIRECT,
            "sender": UserRef(codec.NAME, who),
        }
        if kind == "event":
            return await self._entered(inner, base), "", text_at(inner, "welcome_code")
        await self._heard_from(who, at, number, self._complete.get(account, 0))
        event = await self._written(row, kind, base)
        return event, "" if event is not None else f"kf_{kind}", ""

    async def _entered(self, inner: Mapping[str, Any], base: dict[str, Any]) -> InboundEvent:
        who = base["sender"].id
        if scene := unquote(text_at(inner, "scene_param"))[:40]:
            await self._notes().put(f"kf:firm:{who}", scene)
        return InboundEvent(kind=EventKind.ENTER, sender_name=await self._name(who), **base)

    async def _written(
        self, row: Mapping[str, Any], kind: str, base: dict[str, Any]
    ) -> InboundEvent | None:
        """A press where a menu of ours was answered, else a message; None for a kind that says nothing."""
        base["sender_name"] = await self._name(base["sender"].id)
        if menu := text_at(part_at(row, "text"), "menu_id"):
            key = await self._notes().get(f"kf:menu:{menu}")
            press = codec.pressed(key, (), "") if key else None
            if press is not None:
                return InboundEvent(kind=EventKind.PRESS, press=press, **base)
        said = _said(row, kind)
        if said is None:
            return None
        text, attachments = said
        return InboundEvent(
            kind=EventKind.MESSAGE, text=text, msg_type=kind, attachments=attachments, **base
        )

    async def _heard_from(self, who: str, at: float, message: str, complete: int) -> None:
        key = f"kf:told:{who}"
        async with self._counting:
            told = _Told.of(await self._notes().get(key))
            await self._notes().put(key, told.heard_again(at, message, complete).noted())

    async def _name(self, who: str) -> str:
        """企业简称-称呼, where the link that led here named the firm."""
        firm = await self._notes().get(f"kf:firm:{who}")
        return f"{firm}-微信联系人" if firm else ""

    # ---- speaking

    async def send(self, delivery: Delivery) -> None:
        """Say one of the five; raises a SendError, Permanent where none is left for this."""
        who = delivery.to.chat.id
        _, account, external = who.split(":", 2)
        async with self._counting:
            await self._count(who, delivery)
        body = {"touser": external, "open_kfid": account, "msgid": f"lhg{delivery.id}"}
        await self._api.post("/cgi-bin/kf/send_msg", body | await self._made(delivery))

    async def _count(self, who: str, delivery: Delivery) -> None:
        """One of the five is used up; another try of the same message takes no second one."""
        key = f"kf:told:{who}"
        told = _Told.of(await self._notes().get(key))
        if self._now() - told.heard >= WINDOW_SECONDS:
            raise Permanent("kf_window")
        if any(delivery.id == said for said, _ in told.said):
            return
        left = MOST_SAID - len(told.said)
        if left <= 0:
            raise Permanent("kf_window")
        if left <= _KEPT and delivery.content.kind not in _MATTERS:
            raise Permanent("kf_kept")
        # Counted first: what becomes of it may stay unknown, and one too many is refused anyway.
        said = (*told.said, (delivery.id, self._looks))
        await self._notes().put(key, replace(told, said=said).noted())

    async def _made(self, delivery: Delivery) -> dict[str, Any]:
        content = delivery.content
        buttons = () if content.card is None else content.card.buttons[:_MENU_ITEMS]
        if not buttons or content.card is None:
            return {
                "msgtype": "text",
                "text": {"content": cut(content.text, _TEXT_BYTES)},
            }
        items: list[dict[str, Any]] = []
        for at, button in enumerate(buttons):
            label = cut(button.label, _MENU_TEXT_BYTES)
            if isinstance(button.do, Open):
                items.append({"type": "view", "view": {"url": button.do.url, "content": label}})
                continue
            # A menu's id is short; what it stands for is noted.
            menu = f"m{delivery.id}-{at}"
            key = codec.button_key(button.do.action, button.do.args, content.card.key)
            await self._notes().put(f"kf:menu:{menu}", key)
            items.append({"type": "click", "click": {"id": menu, "content": label}})
        head = cut(content.text, 1024)
        return {"msgtype": "msgmenu", "msgmenu": {"head_content": head, "list": items}}

    async def links(self, firms: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """(firm's id, its short name, the address that leads its people here) for each account's
        first link; raises a SendError."""
        accounts = (await self._api.post("/cgi-bin/kf/account/list", {"offset": 0, "limit": 100}))[
            "account_list"
        ]
        if not accounts:
            raise Permanent("kf_no_account")
        made = await self._api.post(
            "/cgi-bin/kf/add_contact_way", {"open_kfid": accounts[0]["open_kfid"], "scene": "firm"}
        )
        url = str(made["url"])
        mark = "&" if "?" in url else "?"
        return [(i, name, f"{url}{mark}scene_param={quote(name)}") for i, name in firms]


async def _unsaid(made: bytes) -> bool:
    return False


def _said(row: Mapping[str, Any], kind: str) -> tuple[str, tuple[Attachment, ...]] | None:
    part = part_at(row, kind)
    if kind == "text":
        return text_at(part, "content"), ()
    if kind in _MEDIA:
        return "", (Attachment(_MEDIA[kind], f"{codec.STORED}{text_at(part, 'media_id')}"),)
    if kind == "location":
        where = f"{part.get('latitude')},{part.get('longitude')}"
        name = text_at(part, "name") or text_at(part, "address")
        return name, (Attachment(AttachmentKind.LOCATION, where, name),)
    if kind == "link":
        title = text_at(part, "title")
        return title, (Attachment(AttachmentKind.LINK, text_at(part, "url"), title),)
    return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
