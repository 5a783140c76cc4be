"""A bridge of the office's own behind the generic webhook."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from bot.platform import RawRequest
from bot.platforms.generic import signature
from tests.kit.fake_generic import SECRET, FakeBridge
from tests.kit.far_ends import FarEnd, Hook, Seen, Ways
from tests.kit.house import House


class GenericEnd:
    platform = "generic"
    ways = Ways(tells_reading=True)
    group = "big"
    robot = ""

    def __init__(self, bridge: FakeBridge) -> None:
        self._bridge = bridge
        self._house: House
        self._said: list[tuple[str, dict[str, Any]]] = []
        self._taken = 0
        self._events = 0

    @property
    def settings(self) -> dict[str, str]:
        return self._bridge.settings

    def account(self, person: str) -> str:
        return f"u-{person}"

    async def meets(self, house: House, people: Iterable[str]) -> None:
        self._house = house

    def _log(self) -> list[tuple[str, dict[str, Any]]]:
        """Every message by its chat: what the bridge's answers carried and what came later."""
        new = self._bridge.got[self._taken :]
        self._taken += len(new)
        self._said += [(message["chat"]["id"], message) for message in new]
        return self._said

    async def says(
        self,
        person: str,
        text: str,
        *,
        in_group: bool = False,
        answering: Seen | None = None,
        times: int = 1,
    ) -> None:
        self._events += 1
        more: dict[str, Any] = {"event_id": f"said-{self._events}"}
        if in_group:
            more["mention_bot"] = True
        if answering is not None:
            more["reply_to"] = answering.ref
        account, group = self.account(person), self.group if in_group else ""
        for _ in range(times):
            replies = await self._bridge.says(self._house, account, text, group, **more)
            self._answered(group or account, replies)

    def _answered(self, chat: str, replies: list[dict[str, Any]]) -> None:
        # What the answer carried was said before whatever was sent since.
        waiting = self._bridge.got[self._taken :]
        self._said += [(chat, reply) for reply in replies if "message_ref" in reply]
        self._said += [(message["chat"]["id"], message) for message in waiting]
        self._taken += len(waiting)

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        account = self.account(person)
        replies = await self._bridge.presses(self._house, account, message.raw, label)
        self._answered(account, replies)
        cards = [reply for reply in replies if reply["card"] is not None]
        return _seen(cards[0]) if cards else None

    async def reads(self, person: str, *messages: Seen) -> None:
        account = self.account(person)
        for message in messages:
            body = {
                "chat": {"id": account, "kind": "direct"},
                "sender": {"id": account, "name": ""},
                "read": {"message_ref": message.ref},
            }
            assert await self._bridge.post(self._house, body) == []

    def seen(self, person: str) -> list[Seen]:
        return [_seen(m) for chat, m in self._log() if chat == self.account(person)]

    def alive(self, message: Seen) -> bool:
        # Letters in JSON: what they are shown as is the bridge's own matter.
        return False

    def in_group(self) -> list[Seen]:
        return [_seen(m) for chat, m in self._log() if chat == self.group]


def _seen(message: dict[str, Any]) -> Seen:
    card, ref = message["card"], message["message_ref"]
    if card is None:
        return Seen(message["text"], ref=ref, raw=message)
    rows = [f"{row['label']} {row['value']}" for row in card["rows"]]
    words = "\n".join([card["title"], card["status"] or "", card["lead"], *rows, message["text"]])
    labels = tuple(button["label"] for button in card["buttons"])
    links = {b["label"]: b["url"] for b in card["buttons"] if b["url"]}
    return Seen(words, card["title"], labels, links, ref, message)


@asynccontextmanager
async def _bridge() -> AsyncIterator[FarEnd]:
    async with FakeBridge() as bridge:
        yield GenericEnd(bridge)


def _inside(**more: Any) -> bytes:
    who = {"chat": {"id": "big", "kind": "group"}, "sender": {"id": "u1", "name": "某人"}}
    return json.dumps({"event_id": "g-1", **who, **more}).encode()


def _sealed(inside: bytes, at: float) -> RawRequest:
    stamp = str(int(at))
    headers = {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signature(SECRET, stamp, inside)}
    return RawRequest("POST", "", {}, headers, inside, at)


ENDS = {"generic": _bridge}
HOOKS = [
    Hook(
        "generic",
        {"GENERIC_SECRET": SECRET},
        "",
        _inside(read={"message_ref": "out-1"}),
        _inside(press={"message_ref": "out-1"}),
        _sealed,
        lambda text: _inside(text=text),
    )
]
