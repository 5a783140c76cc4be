"""The whole bot for stories: people say and press, and see what comes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from bot import app as application
from bot.clock import MovableClock
from bot.dispatcher import Pace
from bot.fetcher import Pace as FetchPace
from bot.model_service import Patience
from bot.seed import MAIN_CHAT
from bot.settings import load
from storage.uow import UnitOfWork
from tests.kit.sample import put_sample

# A Tuesday morning inside working time: 09:00 in Shanghai.
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
TOKEN = "bootstrap-token-for-tests"
IMPATIENT = Patience(limit=0.5, failures=3, rest=300.0)
QUICK_FETCH = FetchPace(first_retry=0.05, longest_retry=0.5)
QUICK = Pace(send_seconds=2.0, first_retry=0.05, longest_retry=1.0)


class House:
    """Start with `async with`; `settings` are environment keys.

    The second reader is off unless `LHG_ENCODER` is set to 1, the outside model unless `LHG_LLM_…`
    says where it is: stories are quick and do not depend on how busy the machine is.
    """

    def __init__(
        self,
        url: str,
        settings: Mapping[str, str] | None = None,
        start: datetime = START,
        sample: bool = True,
        pace: Pace = QUICK,
        model_patience: Patience = IMPATIENT,
        clock: MovableClock | None = None,
    ) -> None:
        overrides = {
            "LHG_DATABASE_URL": url,
            "LHG_SANDBOX": "1",
            "LHG_BOOTSTRAP_TOKEN": TOKEN,
            "LHG_ENCODER": "0",
            "LHG_LLM_BASE_URL": "",
            "LHG_LLM_API_KEY": "",
            "LHG_LLM_MODEL": "",
            **(settings or {}),
        }
        self.settings = load(application.platform_settings(), overrides=overrides)
        self.clock = clock or MovableClock(start, speed=0)
        self.app = application.build(
            self.settings,
            self.clock,
            pace=pace,
            fetch_pace=QUICK_FETCH,
            model_patience=model_patience,
        )
        self.client: TestClient[Any, Any]
        self._sample = sample

    async def __aenter__(self) -> "House":
        await self.app.start()
        if self._sample:
            await self.app.writer.run(lambda uow: put_sample(uow, self.clock))
        self.client = TestClient(TestServer(self.app.web))
        await self.client.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.close()
        await self.app.stop()

    # ---- time

    def passes(self, **span: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**span))

    async def advances(self, **span: float) -> None:
        """Time goes on as in the sandbox: what falls due on the way is done."""
        await self.until(self.clock.now() + timedelta(**span))

    async def until(self, at: datetime) -> None:
        response = await self.client.post("/sandbox/api/clock", json={"set": at.isoformat()})
        assert response.status == 200, await response.text()

    # ---- the sandbox

    async def says(
        self, who: str, text: str, chat: str = "", reply_to: str = "", **more: Any
    ) -> str:
        """Somebody writes, in the direct chat with the bot unless `chat` is given."""
        body = {"chat": chat or f"dm:{who}", "sender": who, "text": text, **more}
        if reply_to:
            body["reply_to"] = reply_to
        response = await self.client.post("/sandbox/api/messages", json=body)
        answer = await response.json()
        assert response.status == 200, answer
        return str(answer["message_id"])

    async def group_says(self, who: str, text: str, **more: Any) -> str:
        return await self.says(who, text, MAIN_CHAT, **more)

    async def seen(self, chat: str) -> list[dict[str, Any]]:
        """Every message of a chat."""
        response = await self.client.get("/sandbox/api/messages", params={"chat": chat})
        return list((await response.json())["items"])

    async def bot_said(self, who: str) -> list[dict[str, Any]]:
        """What the bot said to one person."""
        return [m for m in await self.seen(f"dm:{who}") if m["sender"]["is_bot"]]

    async def in_group(self) -> list[dict[str, Any]]:
        return [m for m in await self.seen(MAIN_CHAT) if m["sender"]["is_bot"]]

    async def last(self, who: str) -> dict[str, Any]:
        return (await self.bot_said(who))[-1]

    async def press(self, who: str, label: str, chat: str = "") -> dict[str, Any]:
        """Press the newest button with that label in the chat."""
        for message in reversed(await self.seen(chat or f"dm:{who}")):
            card = message["card"]
            for button in card["buttons"] if card else ():
                if button["label"] == label:
                    return await self.press_on(message["id"], button["id"], who)
        raise AssertionError(f"no button {label} for {who}")

    async def press_on(self, message_id: str, button: str, who: str) -> dict[str, Any]:
        response = await self.client.post(
            "/sandbox/api/press", json={"message_id": message_id, "button": button, "by": who}
        )
        answer = await response.json()
        assert response.status == 200, answer
        return dict(answer)

    # ---- the API and the database

    async def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = TOKEN,
        status: int | None = 200,
    ) -> Any:
        response = await self.client.request(
            method,
            f"/api/v1{path}",
            data=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        answer = await response.json()
        if status is not None:
            assert response.status == status, (response.status, answer)
        return answer

    async def ticket(self, number: int = 1001) -> Any:
        return await self.app.writer.read(lambda uow: uow.tickets.get(number))

    async def read(self, function: Any) -> Any:
        return await self.app.writer.read(function)

    async def count(self, table: str) -> int:
        from sqlalchemy import text

        def look(uow: UnitOfWork) -> int:
            return int(uow.connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())

        return int(await self.app.writer.read(look))
