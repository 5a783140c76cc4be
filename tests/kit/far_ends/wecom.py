"""WeCom in its three modes: the aibot by callback or long connection, the self-built app alone."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.envelope import Envelope
from bot.platform import RawRequest
from tests.kit import wecom
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.far_ends import FarEnd, Hook, Seen, Ways, worked_on
from tests.kit.house import House

GROUP = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"


@dataclass(slots=True)
class _Said:
    """A message in a chat; `by` is what brought it, with what names it there."""

    chat: str
    by: str
    name: str
    text: str = ""
    card: dict[str, Any] | None = None


def _words(card: dict[str, Any]) -> str:
    rows = [f"{r['keyname']} {r['value']}" for r in card.get("horizontal_content_list", ())]
    title = card["main_title"]
    return "\n".join([title["title"], title.get("desc", ""), card["sub_title_text"], *rows])


def _seen(said: _Said) -> Seen:
    card = said.card
    if card is None:
        return Seen(said.text, raw=said)
    listed = card.get("button_list", ())
    links = {b["text"]: b["url"] for b in listed if "url" in b}
    labels = tuple(b["text"] for b in listed)
    return Seen(_words(card), card["main_title"]["title"], labels, links, raw=said)


def _alive(said: _Said) -> bool:
    """Cards show letters; a text of the app knows tags, all else is markdown."""
    if said.card is not None:
        return False
    return "<" in said.text or (said.by != "app" and "](" in said.text)


def _quoted(answering: Seen | None) -> dict[str, Any]:
    """A quote carries the words alone, no id."""
    if answering is None:
        return {}
    return {"quote": {"msgtype": "text", "text": {"content": answering.text}}}


class _End:
    """Who is who, and what stands in the chats; `_log` gives all that was said."""

    platform = "wecom"
    group = GROUP

    def __init__(self) -> None:
        self._said: list[_Said] = []
        self._house: House

    def account(self, person: str) -> str:
        return f"Staff{person}"

    async def reads(self, person: str, *messages: Seen) -> None:
        raise AssertionError("this platform tells nobody who has read")

    def _log(self) -> list[_Said]:
        raise NotImplementedError

    def _in(self, chat: str) -> list[Seen]:
        return [_seen(said) for said in self._log() if said.chat == chat]

    def seen(self, person: str) -> list[Seen]:
        return self._in(self.account(person))

    def in_group(self) -> list[Seen]:
        return self._in(GROUP)

    def alive(self, message: Seen) -> bool:
        return _alive(message.raw)


class _AppEnd(_End):
    """The self-built app speaks to people, the group's robot to the group."""

    def __init__(self, far: FakeWeCom) -> None:
        super().__init__()
        self._far = far
        self._of_app = self._of_robot = 0
        self._caller: wecom.Caller

    @property
    def robot(self) -> str:
        return f"{self._far.base}/cgi-bin/webhook/send?key=robot-1"

    async def meets(self, house: House, people: Iterable[str]) -> None:
        self._house = house
        self._caller = wecom.Caller(house)

    def _log(self) -> list[_Said]:
        for number, body in enumerate(self._far.app_messages[self._of_app :], self._of_app + 1):
            text = body.get("text", {}).get("content", "")
            said = _Said(body["touser"], "app", f"code-{number}", text, body.get("template_card"))
            self._said.append(said)
        self._of_app = len(self._far.app_messages)
        for _, body in self._far.robot_messages[self._of_robot :]:
            text = body[body["msgtype"]]["content"]
            self._said.append(_Said(GROUP, "robot", "", text))
        self._of_robot = len(self._far.robot_messages)
        return self._said

    async def _presses_app(self, person: str, said: _Said, label: str) -> Seen | None:
        before = len(self._far.updates)
        code = self._far.press(said.name)
        message = {"template_card": said.card}
        assert await self._caller.app_presses(self.account(person), message, label, code) == 200
        await self._house.app.dispatcher.drain()
        for update in self._far.updates[before:]:
            if update["response_code"] == code:
                said.card = update["template_card"]
                return _seen(said)
        return None


class CallbackEnd(_AppEnd):
    """The aibot hears and answers inside its callbacks; the app and the group's robot speak."""

    ways = Ways()

    def __init__(self, far: FakeWeCom) -> None:
        super().__init__(far)
        self._messages = 0

    @property
    def settings(self) -> dict[str, str]:
        return wecom.settings(self._far.base)

    async def says(
        self,
        person: str,
        text: str,
        *,
        in_group: bool = False,
        answering: Seen | None = None,
        times: int = 1,
    ) -> None:
        self._messages += 1
        msgid = f"SAID{self._messages:05d}"
        chat, user = GROUP if in_group else "", self.account(person)
        written = f"@小港 {text}" if in_group else text
        for _ in range(times):
            answer = await self._caller.says(
                user, written, chat, msgid, self._far.base, **_quoted(answering)
            )
            self._log()
            if "stream" in answer:
                assert answer["stream"]["finish"] is True
                self._said.append(_Said(chat or user, "aibot", "", answer["stream"]["content"]))
            if "template_card" in answer:
                card = answer["template_card"]
                self._said.append(_Said(chat or user, "aibot", card["task_id"], card=card))

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        said: _Said = message.raw
        if said.by == "app":
            return await self._presses_app(person, said, label)
        assert said.card is not None
        self._messages += 1
        button = next(b for b in said.card["button_list"] if b["text"] == label)
        pressed = {
            "card_type": "button_interaction",
            "event_key": button["key"],
            "task_id": said.card["task_id"],
        }
        in_group = said.chat == GROUP
        status, answer = await self._caller.post_aibot(
            {
                "msgid": f"PRESS{self._messages:05d}",
                "create_time": 1795334400,
                "aibotid": "aibOQ3kYw8mC5d",
                "chattype": "group" if in_group else "single",
                **({"chatid": GROUP} if in_group else {}),
                "from": {"userid": self.account(person)},
                "msgtype": "event",
                "event": {
                    "eventtype": "template_card_event",
                    "template_card_event": pressed,
                },
            }
        )
        assert status == 200
        if "template_card" not in answer:
            return None
        said.card = answer["template_card"]
        return _seen(said)


class AppEnd(_AppEnd):
    """The self-built app alone: people speak with it one to one, the group only listens."""

    ways = Ways(groups=False, quotes=False)

    @property
    def settings(self) -> dict[str, str]:
        whole = wecom.settings(self._far.base)
        return {key: value for key, value in whole.items() if not key.startswith("WECOM_AIBOT")}

    async def says(
        self,
        person: str,
        text: str,
        *,
        in_group: bool = False,
        answering: Seen | None = None,
        times: int = 1,
    ) -> None:
        assert not in_group and answering is None
        assert await self._caller.app_says(self.account(person), _held(text), times) == 200

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        return await self._presses_app(person, message.raw, label)


class LineEnd(_End):
    """The aibot by its long connection and nothing else."""

    ways = Ways()
    robot = ""

    def __init__(self, line: FakeLine) -> None:
        super().__init__()
        self._line = line
        self._answers = self._pushes = self._events = 0
        # In which chat a request was made, by its id.
        self._asked_in: dict[str, str] = {}

    @property
    def settings(self) -> dict[str, str]:
        return {
            "WECOM_AIBOT_ID": BOT,
            "WECOM_AIBOT_SECRET": SECRET,
            "WECOM_AIBOT_WS": self._line.url,
        }

    async def meets(self, house: House, people: Iterable[str]) -> None:
        """Only who has opened the chat, and a group that has called the bot, can be spoken to."""
        self._house = house
        await self._line.subscribed.wait()
        for person in people:
            user = self.account(person)
            event_id = self._named("ENTER")
            self._asked_in[await self._line.enters(user, event_id)] = user
            await worked_on(house, self.platform, event_id)
        await self.says(next(iter(people)), "大家早上好", in_group=True)

    def _named(self, what: str) -> str:
        self._events += 1
        return f"{what}{self._events:05d}"

    def _log(self) -> list[_Said]:
        for answer in self._line.answers[self._answers :]:
            if answer["cmd"] != "aibot_respond_update_msg":
                self._take(self._asked_in[answer["req_id"]], answer)
        self._answers = len(self._line.answers)
        for push in self._line.pushes[self._pushes :]:
            self._take(push["chatid"], push)
        self._pushes = len(self._line.pushes)
        return self._said

    def _take(self, chat: str, body: dict[str, Any]) -> None:
        card = body.get("template_card")
        text = "" if card is not None else body[body["msgtype"]]["content"]
        self._said.append(_Said(chat, "line", "", text, card))

    async def says(
        self,
        person: str,
        text: str,
        *,
        in_group: bool = False,
        answering: Seen | None = None,
        times: int = 1,
    ) -> None:
        user, event_id = self.account(person), self._named("SAID")
        chat, written = (GROUP, f"@小港 {text}") if in_group else ("", text)
        self._log()
        for _ in range(times):
            request = await self._line.says(user, written, chat, event_id, **_quoted(answering))
            self._asked_in[request] = chat or user
        await worked_on(self._house, self.platform, event_id)
        self._log()

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        said: _Said = message.raw
        assert said.card is not None
        user, event_id = self.account(person), self._named("PRESS")
        button = next(b for b in said.card["button_list"] if b["text"] == label)
        chat = "" if said.chat == user else said.chat
        request = await self._line.presses(
            user, button["key"], said.card["task_id"], chat, event_id
        )
        self._asked_in[request] = said.chat
        await worked_on(self._house, self.platform, event_id)
        for answer in self._line.answers:
            if answer["req_id"] == request:
                said.card = answer["template_card"]
                return _seen(said)
        return None


@asynccontextmanager
async def _callback() -> AsyncIterator[FarEnd]:
    async with FakeWeCom() as far:
        yield CallbackEnd(far)


@asynccontextmanager
async def _app() -> AsyncIterator[FarEnd]:
    async with FakeWeCom() as far:
        yield AppEnd(far)


@asynccontextmanager
async def _line() -> AsyncIterator[FarEnd]:
    async with FakeLine() as line:
        yield LineEnd(line)


def _aibot(**more: Any) -> bytes:
    who = {"msgid": "MSG1", "aibotid": "aib1", "chattype": "group", "chatid": GROUP}
    return json.dumps({**who, "from": {"userid": "Zhang"}, **more}).encode()


def _app_xml(kind: str, inner: str) -> bytes:
    return (
        f"<xml><ToUserName>{wecom.CORP}</ToUserName><FromUserName>Zhang</FromUserName>"
        f"<CreateTime>1795334400</CreateTime><MsgType>{kind}</MsgType>{inner}"
        f"<MsgId>1</MsgId><AgentID>1000007</AgentID></xml>"
    ).encode()


def _held(text: str) -> str:
    """What XML can hold of it."""
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 32)


def _in_xml(text: str) -> str:
    kept = _held(text)
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sealing(hook: str, envelope: Envelope) -> Callable[[bytes, float], RawRequest]:
    def sealed(inside: bytes, at: float) -> RawRequest:
        encrypted, stamp, nonce = envelope.seal(inside), str(int(at)), "n1"
        query = {
            "msg_signature": envelope.signature(stamp, nonce, encrypted),
            "timestamp": stamp,
            "nonce": nonce,
        }
        if hook == "aibot":
            body = json.dumps({"encrypt": encrypted}).encode()
        else:
            body = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
        return RawRequest("POST", hook, query, {}, body, at)

    return sealed


HOOKS = [
    Hook(
        "wecom",
        wecom.settings("http://127.0.0.1:9"),
        "aibot",
        _aibot(msgtype="event", event={"eventtype": "enter_chat"}),
        _aibot(msgtype="hologram", hologram={}),
        _sealing("aibot", Envelope(wecom.TOKEN, wecom.KEY, "")),
        lambda text: _aibot(msgtype="text", text={"content": text}),
        deadline=5.0,
        # The reference: repeats may keep the old time.
        ages=False,
    ),
    Hook(
        "wecom",
        wecom.settings("http://127.0.0.1:9"),
        "app",
        _app_xml("event", "<Event>enter_agent</Event>"),
        _app_xml("hologram", ""),
        _sealing("app", Envelope(wecom.APP_TOKEN, wecom.APP_KEY, wecom.CORP)),
        lambda text: _app_xml("text", f"<Content>{_in_xml(text)}</Content>"),
        deadline=5.0,
        ages=False,
    ),
]
ENDS = {"wecom-app": _app, "wecom-callback": _callback, "wecom-line": _line}
