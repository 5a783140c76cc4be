"""Asks the outside model about tickets that are already opened, one after another, in its own task."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import Counter

from bot import metrics
from bot.model_service.breaker import Breaker
from bot.model_service.endpoint import Came, Endpoint, Heard
from bot.writer import Overloaded, Stopped, Writer
from handlers.domain.category import LABELS
from handlers.domain.ids import TicketNumber
from handlers.ports import Clock, Outcome
from handlers.services.advice import AdviceService, Question
from handlers.understanding.masking import Masker
from handlers.understanding.proposals import Proposal, proposal_of
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.model_service")

answers = Counter(
    "lhg_model_answers",
    "Tickets the outside model was to be asked about, by what came of it",
    ["outcome"],
    registry=metrics.registry,
)

LIMIT_SECONDS: Final = 8.0
# At the limit each these take four minutes; whoever comes then does without a suggestion.
MOST_WAITING: Final = 32
_CAME: Final = {Came.OTHER: Outcome.INVALID, Came.LATE: Outcome.LATE, Came.FAILED: Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often; tests make it short."""

    limit: float = LIMIT_SECONDS
    failures: int = 5
    rest: float = 300.0
    longest_rest: float = 3600.0


class ModelService:
    """Holds up nobody: it hears of a ticket after the commit and writes in a unit of work of its own."""

    def __init__(
        self,
        endpoint: Endpoint,
        breaker: Breaker,
        writer: Writer,
        clock: Clock,
        zone: ZoneInfo,
        daily: int,
        wake_sender: Callable[[], None] = lambda: None,
    ) -> None:
        self._endpoint = endpoint
        self._breaker = breaker
        self._writer = writer
        self._clock = clock
        self._zone = zone
        self._daily = daily
        self._wake_sender = wake_sender
        self._waiting: asyncio.Queue[TicketNumber] = asyncio.Queue(MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._order, self._draft_order = _orders()
        # The registry's names of one version; touched by the readers' threads only.
        self._masker: tuple[int, Masker] | None = None

    # ---- beginning and end

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._loop(), name="model_service")

        def opened(numbers: Sequence[TicketNumber]) -> None:
            try:
                loop.call_soon_threadsafe(self._take, numbers)
            except RuntimeError:
                # The loop was closed: nobody asks any more.
                return

        self._writer.on_opened = opened

    async def stop(self) -> None:
        """What waits is dropped, and the question that is out is no longer waited for."""
        self._writer.on_opened = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._endpoint.close()

    async def drain(self) -> None:
        """Wait until every ticket that was heard of is done with."""
        await self._waiting.join()

    def _take(self, numbers: Sequence[TicketNumber]) -> None:
        for number in numbers:
            try:
                self._waiting.put_nowait(number)
            except asyncio.QueueFull:
                answers.labels("dropped").inc()

    async def _loop(self) -> None:
        while True:
            number = await self._waiting.get()
            try:
                outcome = await self._consider(number)
            except (Overloaded, Stopped):
                outcome = "dropped"
            except Exception as error:
                # The loop must go on; the ticket is as it was.
                outcome = "error"
                _log.error(
                    "model.failed",
                    extra={"ticket": number, "error": type(error).__name__},
                    exc_info=error,
                )
            finally:
                self._waiting.task_done()
            answers.labels(outcome).inc()
            _log.info("model.considered", extra={"ticket": number, "outcome": outcome})

    # ---- one ticket

    async def _consider(self, number: TicketNumber) -> str:
        """What came of it, in the words of the counter."""
        if not self._breaker.allows():
            return "resting"
        question = await self._writer.read(lambda uow: self._question(uow, number))
        if question is None:
            return "kept_inside"
        day = self._clock.now().astimezone(self._zone).date()
        if not await self._writer.run(lambda uow: uow.advice.spend(day, self._daily)):
            return await self._keep(question, Outcome.OVER_BUDGET)
        heard = await self._endpoint.ask(*self._asked(question))
        self._judge(heard)
        if heard.came is not Came.WORDS:
            return await self._keep(question, _CAME[heard.came], heard.said)
        proposal = proposal_of(heard.said, question.sent, question.wants_draft)
        outcome = Outcome.INVALID if proposal is None else Outcome.IGNORED
        return await self._keep(question, outcome, heard.said, proposal)

    def _question(self, uow: UnitOfWork, number: TicketNumber) -> Question | None:
        return AdviceService(uow, self._clock).question(number, self._masker_of(uow))

    def _masker_of(self, uow: UnitOfWork) -> Masker:
        version = uow.people.registry_version()
        held = self._masker
        if held is None or held[0] != version:
            # Whoever has left is called by name all the same.
            firms = ((e.id, e.short_name, e.aliases, e.full_name) for e in uow.people.enterprises())
            held = (version, Masker(firms, (p.name for p in uow.people.people())))
            self._masker = held
        return held[1]

    def _asked(self, question: Question) -> tuple[str, str]:
        """The standing order, and the message as data: a JSON string cannot end its own quotes."""
        told: dict[str, object] = {"text": question.hidden.text}
        if question.wants_draft:
            told["policies"] = [
                {"title": p.title, "date": p.day.isoformat(), "text": p.text}
                for p in question.policies
            ]
        order = self._draft_order if question.wants_draft else self._order
        return order, json.dumps(told, ensure_ascii=False)

    def _judge(self, heard: Heard) -> None:
        if heard.came in (Came.LATE, Came.FAILED):
            if self._breaker.failed():
                _log.warning("model.resting", extra={"why": heard.came.value})
        else:
            self._breaker.succeeded()

    async def _keep(
        self,
        question: Question,
        outcome: Outcome,
        said: str = "",
        proposal: Proposal | None = None,
    ) -> str:
        kept = await self._writer.run(
            lambda uow: AdviceService(uow, self._clock).keep(
                question, self._endpoint.model, outcome, said, proposal
            )
        )
        if kept is Outcome.USED:
            self._wake_sender()
        return kept.value


def _orders() -> tuple[str, str]:
    """The standing order without and with a draft asked for."""
    folder = resources.files("bot.model_service")
    order = (folder / "prompt.txt").read_text(encoding="utf-8").strip()
    draft = (folder / "prompt_draft.txt").read_text(encoding="utf-8").rstrip()
    order = order.replace("{categories}", " ".join(f"{c.value}={n}" for c, n in LABELS.items()))
    return order.replace("{draft}", ""), order.replace("{draft}", draft)
