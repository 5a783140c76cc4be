"""replay FILE…: whole conversation days through the whole bot, on the file's own clock."""

import argparse
from pathlib import Path
from typing import Any

NAME = "replay"
HELP = "把对话记录重放一遍，写出结果报告"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--data", type=Path, help="数据目录，默认用完即删")
    parser.add_argument("--report", type=Path, help="报告写到哪里，默认打印")


def run(args: argparse.Namespace) -> int:
    import asyncio
    import json
    import logging
    import os
    import sys
    import tempfile

    from bot import logs

    logs.configure("text", level=logging.ERROR)
    reports = []
    for file in args.files:
        if not file.exists():
            print(f"没有找到文件 {file}。", file=sys.stderr)
            return 2
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            events = [json.loads(line) for line in lines if line.strip()]
            if not events or not all("at" in e and "text" in e for e in events):
                raise ValueError
        except ValueError:
            print(f"{file} 不是对话记录（每行一条 JSON）。", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as scratch:
            folder = args.data or Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            url = os.environ.get("LHG_DATABASE_URL") or f"sqlite:///{folder / file.stem}.db"
            reports.append(asyncio.run(_Replay(url, events).run()))
    merged: dict[str, Any] = {"tickets": [], "messages": [], "sent": []}
    for report in reports:
        for key, rows in merged.items():
            rows.extend(report[key])
    text = json.dumps(merged, ensure_ascii=False, indent=1)
    if args.report is not None:
        args.report.write_text(text + "\n", encoding="utf-8")
        print(f"已写入 {args.report}：{len(merged['tickets'])} 件工单。")
    else:
        print(text)
    return 0


class _Replay:
    """One file. The far end is the sandbox, the clock is the file's."""

    def __init__(self, url: str, events: list[dict[str, Any]]) -> None:
        from datetime import UTC, datetime

        from bot import app as application
        from bot.clock import MovableClock
        from bot.settings import load
        from storage.migrate import upgrade

        self.events = events
        self.times = [datetime.fromisoformat(e["at"]).astimezone(UTC) for e in events]
        overrides = {"LHG_DATABASE_URL": url, "LHG_SANDBOX": "1"}
        settings = load(application.platform_settings(), Path("/nonexistent"), overrides)
        upgrade(url)
        self.clock = MovableClock(self.times[0], speed=0)
        platforms = {
            n: p for n, p in application.build_platforms(settings).items() if n == "sandbox"
        }
        # Two replays are alike: no opinion may be late, and nobody outside is asked (nothing is started).
        self.app = application.build(settings, self.clock, platforms, patient=True)
        self.sent: list[dict[str, Any]] = []
        self.opened: dict[str, list[int]] = {}
        self.earlier: frozenset[int] = frozenset()

    async def run(self) -> dict[str, Any]:
        from bot.platform import Receipt
        from bot.platforms.sandbox import SandboxPlatform, sandbox_chat
        from bot.seed import load_sample
        from handlers.chat.outbound import Delivery

        app = self.app
        sandbox = app.platforms["sandbox"]
        assert isinstance(sandbox, SandboxPlatform)

        async def deliver(delivery: Delivery) -> Receipt:
            if not delivery.update_ref:
                self.sent.append(
                    {
                        "at": self.clock.now().astimezone(app.settings.zone).isoformat(),
                        "chat": sandbox_chat(delivery.to),
                        "kind": delivery.content.kind.value,
                        "text": delivery.content.text,
                    }
                )
            ref = delivery.update_ref or f"bot-{delivery.id}"
            return Receipt(ref, ref if delivery.content.card is not None else "")

        sandbox.deliver = deliver
        app.ownership.start()
        app.writer.start()
        try:
            await app.writer.run(lambda uow: load_sample(uow, self.clock))
            # Another database may hold tickets of before: they are no part of this report.
            self.earlier = await app.writer.read(_numbers)
            for event, at in zip(self.events, self.times, strict=True):
                if at > self.clock.now():
                    await self._passes(at)
                await self._say(event, at)
            end = self.clock.now().astimezone(app.settings.zone)
            await self._passes(end.replace(hour=23, minute=59, second=59, microsecond=999_000))
            return await app.writer.read(self._report)
        finally:
            if app.second is not None:
                app.second.close()
            await app.dispatcher.stop()
            await app.writer.stop()
            app.engine.dispose()
            await app.ownership.stop()

    async def _passes(self, at: Any) -> None:
        """Time goes on to `at`, and what falls due on the way is done when it is due."""
        from bot.passing import passes

        await passes(self.app, at)

    def _numbered(self, text: str) -> str:
        """{#d01-043.2} -> the number of the second ticket that message opened, else 0."""
        import re

        def number(match: Any) -> str:
            ref, _, part = match.group(1).partition(".")
            found = self.opened.get(ref, [])
            index = int(part or 1) - 1
            return str(found[index]) if index < len(found) else "0"

        return re.sub(r"\{#([^}]+)\}", number, text)

    async def _say(self, plain: dict[str, Any], at: Any) -> None:
        from handlers.chat.events import (
            Attachment,
            AttachmentKind,
            ChatKind,
            ChatRef,
            EventKind,
            InboundEvent,
            Quote,
            UserRef,
        )

        direct = str(plain["chat"]).startswith("dm:")
        sender = plain["sender_id"] or f"unknown:{plain['sender_name']}"
        quote = None
        if plain.get("reply_to"):
            quote = Quote("", plain["reply_to"])
        kinds = {"image": AttachmentKind.IMAGE, "mixed": AttachmentKind.IMAGE}
        kind = kinds.get(plain["msg_type"])
        event = InboundEvent(
            "sandbox",
            plain["id"],
            EventKind.MESSAGE,
            at,
            ChatRef("sandbox", sender if direct else plain["chat"]),
            ChatKind.DIRECT if direct else ChatKind.GROUP,
            UserRef("sandbox", sender),
            plain["sender_name"],
            text=self._numbered(plain["text"]),
            msg_type=plain["msg_type"],
            mention_bot=plain["mention_bot"],
            quote=quote,
            attachments=() if kind is None else (Attachment(kind, f"replay:{plain['id']}"),),
        )
        await self.app.worker.submit(event)
        await self.app.dispatcher.drain()
        opened = await self.app.writer.read(
            lambda uow: uow.tickets.by_source("sandbox", plain["id"])
        )
        if opened:
            self.opened[plain["id"]] = sorted(t.number for t in opened)

    def _report(self, uow: Any) -> dict[str, Any]:
        from handlers.domain.ticket import Move

        refs: dict[int, str] = {}
        for ref, numbers in self.opened.items():
            for index, number in enumerate(numbers, 1):
                refs[number] = ref if len(numbers) == 1 else f"{ref}.{index}"
        tickets, belongs = [], {}
        moves: dict[Any, list[list[str]]] = {}
        for ticket in sorted(_tickets(uow), key=lambda t: int(t.number)):
            history = uow.tickets.history(ticket.number)
            if ticket.number in self.earlier:
                continue
            messages = uow.tickets.messages(ticket.number)
            at_message = {m.at: m.message_id for m in messages}
            for message in messages:
                belongs[message.message_id] = ticket.number
            by_move: dict[Move, list[Any]] = {}
            ref = refs.get(ticket.number, "")
            for entry in history:
                by_move.setdefault(entry.move, []).append(entry)
                moves.setdefault(entry.at, []).append([entry.move.value, ref])
            claims = by_move.get(Move.CLAIM, [])
            tickets.append(
                {
                    "ref": refs.get(ticket.number),
                    "enterprise_id": ticket.enterprise_id,
                    "category": ticket.category.value,
                    "urgency": ticket.urgency.value,
                    "kind": ticket.kind.value,
                    "title": ticket.title,
                    "liaison_id": self._liaison(uow, ticket),
                    "follow_ups": [
                        m.message_id
                        for m in messages
                        if m.message_id and m.message_id != ticket.source.message_id
                    ],
                    "claimed_by": claims[0].actor_id if claims else None,
                    "progress": [
                        self._event_at(e.at, at_message) for e in by_move.get(Move.PROGRESS, [])
                    ],
                    "resolved_by_msg": self._last(by_move, at_message),
                    "verdict": None if ticket.verdict is None else ticket.verdict.value,
                    "rating": ticket.rating,
                    "final_state": ticket.state.value,
                }
            )
        return {
            "tickets": tickets,
            "messages": [
                # The keys are the file's own; the values are what the bot made of the message.
                {
                    "id": e["id"],
                    "gold_ticket": refs.get(belongs.get(e["id"], 0)),
                    "intent": self._intent(e),
                    "moves": moves.get(at, []),
                }
                for e, at in zip(self.events, self.times, strict=True)
            ],
            "sent": self.sent,
        }

    def _intent(self, plain: dict[str, Any]) -> str:
        from handlers.understanding import read

        direct = str(plain["chat"]).startswith("dm:")
        asked = (plain["text"], plain["role"], plain["msg_type"], direct or plain["mention_bot"])
        reading = read(*asked)
        if reading.unsure and self.app.second is not None:
            opinion = self.app.second.opinion(plain["text"], plain["role"])
            reading = read(*asked, opinion=opinion)
        return reading.intent.value

    def _liaison(self, uow: Any, ticket: Any) -> str | None:
        found = uow.people.standing(ticket.enterprise_id, ticket.created_at).liaison_id
        return None if found is None else str(found)

    def _event_at(self, at: Any, known: dict[Any, str]) -> str | None:
        if at in known:
            return known[at]
        return next(
            (e["id"] for e, t in zip(self.events, self.times, strict=True) if t == at), None
        )

    def _last(self, by_move: Any, known: dict[Any, str]) -> str | None:
        from handlers.domain.ticket import Move

        done = [*by_move.get(Move.RESOLVE, []), *by_move.get(Move.ANSWER, [])]
        return self._event_at(max(e.at for e in done), known) if done else None


def _tickets(uow: Any) -> list[Any]:
    """Every ticket of the database, page by page."""
    from handlers.ports import TicketQuery

    found, cursor = [], ""
    while True:
        page = uow.tickets.search(TicketQuery(limit=200, cursor=cursor))
        found.extend(page.items)
        if page.next is None:
            return found
        cursor = page.next


def _numbers(uow: Any) -> frozenset[int]:
    return frozenset(int(ticket.number) for ticket in _tickets(uow))
