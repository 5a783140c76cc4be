"""Events become work: remembered and worked on in one commit, retried by a loop when that fails."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from bot import metrics
from bot.platform import Outcome
from bot.wiring import Wiring
from bot.writer import Overloaded, Writer
from handlers.chat.events import ChatRef, InboundEvent, UserRef
from handlers.chat.outbound import Delivery
from handlers.services.speech import FIRST_ONLY, OpinionWanted, Second
from handlers.services.turn import Taken, take
from handlers.understanding import SecondOpinion
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.worker")

MOST_ATTEMPTS: Final = 5
_FIRST_RETRY_SECONDS: Final = 2.0
_IDLE_SECONDS: Final = 1.0
# How long other processes leave an event to the one that asks for an opinion on it.
_OPINION_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an event. `duplicate`: it was here before and nothing was done again.

    `due`: a message of it may be sent at once. `wanted`: it is kept until there is an opinion.
    """

    inbox_id: int | None
    duplicate: bool = False
    worked: bool = False
    toast: str = ""
    rows: tuple[int, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    due: bool = False
    wanted: OpinionWanted | None = None

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.deliveries, self.toast)


class Behind(Exception):
    """An earlier event of the chat waits for an opinion: this one comes after it."""


class SecondStage(Protocol):
    """A slower reader that is asked about what the first one is unsure of."""

    async def ask(self, text: str, role: str | None) -> SecondOpinion | None:
        """Its opinion, or None where it is not there, busy or too slow."""
        ...


class Worker:
    """`wake_sender` is called when there may be something to send."""

    def __init__(
        self,
        writer: Writer,
        wiring: Wiring,
        wake_sender: Callable[[], None] = lambda: None,
        second: SecondStage | None = None,
    ) -> None:
        self._writer = writer
        self._wiring = wiring
        self._second = second
        # The chats with an event whose second opinion is awaited: the next one stays behind it.
        self._asking: dict[ChatRef, asyncio.Future[Done]] = {}
        # The same chats as the writer's thread knows them, from the instant the opinion is wanted.
        self._undecided: set[ChatRef] = set()
        self._wake_sender = wake_sender
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        # How often an event failed in this process; touched by the writer's thread only.
        self._failures: dict[int, int] = {}

    def wake_sender(self) -> None:
        self._wake_sender()

    def submit(self, event: InboundEvent, hold: float = 0.0) -> "asyncio.Future[Done]":
        """Remember an event and work on it in the same commit; raises Overloaded.

        `hold`: seconds for which its answers wait for the platform's own response.
        """
        return self.submit_made(event.chat, lambda uow: event, hold, event.sender)

    async def _considered(
        self,
        chat: ChatRef,
        make: Callable[[UnitOfWork], InboundEvent | None],
        hold: float,
        second: SecondStage,
        touched: frozenset[str],
    ) -> Done:
        """Ask the second reader where the first one is unsure, and do the work once more."""
        while True:
            while (ahead := self._asking.get(chat)) is not None:
                await asyncio.wait([ahead])
            again: Callable[[SecondOpinion | None], asyncio.Future[Done]]
            try:
                done = await self._submit(make, hold, Second(may_be_asked=True), touched)
                if done.wanted is None or done.inbox_id is None:
                    return done
                wanted = done.wanted
                again = partial(self._resume, chat, done.inbox_id, hold, touched)
            except Behind:
                continue
            except OpinionWanted as error:
                wanted = error
                again = partial(self._submit_with, make, hold, touched)
            asked: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
            self._asking[chat] = asked
            try:
                return await again(await second.ask(wanted.text, wanted.role))
            finally:
                self._undecided.discard(chat)
                if self._asking.get(chat) is asked:
                    del self._asking[chat]
                asked.cancel()

    def _submit_with(
        self,
        make: Callable[[UnitOfWork], InboundEvent | None],
        hold: float,
        touched: frozenset[str],
        opinion: SecondOpinion | None,
    ) -> "asyncio.Future[Done]":
        return self._submit(make, hold, Second(False, opinion), touched)

    def _resume(
        self,
        chat: ChatRef,
        inbox_id: int,
        hold: float,
        touched: frozenset[str],
        opinion: SecondOpinion | None,
    ) -> "asyncio.Future[Done]":
        """Work on an event that was kept until there was an opinion."""

        def work(uow: UnitOfWork) -> Done:
            event = uow.inbox.take_up(inbox_id)
            if event is None:
                # We took so long that another process did it.
                return Done(inbox_id, duplicate=True)
            done = self._turn(uow, inbox_id, event, hold, Second(False, opinion))
            metrics.counter_of(metrics.received, event.platform).inc()
            return done

        def instead(uow: UnitOfWork, error: Exception) -> Done:
            self._failed(uow, inbox_id, chat.platform, error)
            return Done(inbox_id)

        future = self._writer.submit(work, instead, touched)
        future.add_done_callback(self._after)
        return future

    def submit_made(
        self,
        chat: ChatRef,
        make: Callable[[UnitOfWork], InboundEvent | None],
        hold: float = 0.0,
        user: UserRef | None = None,
    ) -> "asyncio.Future[Done]":
        """As `submit`, for an event that is only known once other rows are written with it.

        `make` gives None for what was here before.
        """
        touched = self._writer.touched(chat, user)
        if self._second is None:
            return self._submit(make, hold, FIRST_ONLY, touched)
        return asyncio.ensure_future(self._considered(chat, make, hold, self._second, touched))

    def _submit(
        self,
        make: Callable[[UnitOfWork], InboundEvent | None],
        hold: float,
        second: Second,
        touched: frozenset[str],
    ) -> "asyncio.Future[Done]":
        future = self._writer.submit(
            lambda uow: self._piece(uow, make(uow), hold, second),
            lambda uow, error: self._instead(uow, make(uow), error),
            touched,
        )
        future.add_done_callback(self._after)
        return future

    def _after(self, future: "asyncio.Future[Done]") -> None:
        if future.cancelled() or future.exception() is not None:
            return
        done = future.result()
        if done.due:
            self._wake_sender()
        if not done.duplicate and not done.worked and done.wanted is None:
            self._wake.set()

    def _piece(
        self, uow: UnitOfWork, event: InboundEvent | None, hold: float, second: Second
    ) -> Done:
        taken = None if event is None else uow.inbox.take(event)
        if event is None or taken is None:
            if event is not None:
                metrics.counter_of(metrics.duplicates, event.platform).inc()
            return Done(None, duplicate=True)
        inbox_id, must_wait = taken
        if second.may_be_asked and event.chat in self._undecided:
            raise Behind
        if must_wait:
            metrics.counter_of(metrics.received, event.platform).inc()
            uow.inbox.put_back(inbox_id, event)
            return Done(inbox_id)
        try:
            done = self._turn(uow, inbox_id, event, hold, second)
        except OpinionWanted:
            self._undecided.add(event.chat)
            raise
        metrics.counter_of(metrics.received, event.platform).inc()
        return done

    def _instead(self, uow: UnitOfWork, event: InboundEvent | None, error: Exception) -> Done:
        """The event stays remembered whatever happens."""
        if isinstance(error, OpinionWanted) and event is not None and self._writer.beside_others:
            # Other processes are to see it, so that they put what comes later behind it.
            taken = uow.inbox.take(event)
            if taken is None:
                return Done(None, duplicate=True)
            uow.inbox.put_back(taken[0], event, time.time() + _OPINION_SECONDS)
            return Done(taken[0], wanted=error)
        if isinstance(error, OpinionWanted | Behind):
            # No failure: nothing is kept, and the event comes again, with an opinion or after one.
            raise error
        taken = None if event is None else uow.inbox.take(event)
        if event is None or taken is None:
            return Done(None, duplicate=True)
        metrics.counter_of(metrics.received, event.platform).inc()
        uow.inbox.put_back(taken[0], event)
        self._failed(uow, taken[0], event.platform, error)
        return Done(taken[0])

    def _turn(
        self,
        uow: UnitOfWork,
        inbox_id: int,
        event: InboundEvent,
        hold: float,
        second: Second = FIRST_ONLY,
    ) -> Done:
        uow.outbox.hold_seconds = hold
        uow.outbox.prefer = event.platform
        taken: Taken = take(event, inbox_id, self._wiring.tools(uow, second))
        deliveries = tuple(uow.outbox.answering)
        return Done(inbox_id, False, True, taken.toast, taken.rows, deliveries, uow.outbox.due)

    def _failed(self, uow: UnitOfWork, inbox_id: int, platform: str, error: Exception) -> None:
        name = type(error).__name__
        metrics.failed.labels(name).inc()
        before = self._failures.get(inbox_id, 0)
        # Later events of the chat wait for this one, so the pauses stay short: 2, 4, 8, 16 s.
        next_try = time.time() + _FIRST_RETRY_SECONDS * 2**before
        dead = uow.inbox.failed(inbox_id, name, next_try, MOST_ATTEMPTS)
        if dead:
            self._failures.pop(inbox_id, None)
        else:
            self._failures[inbox_id] = before + 1
        # The reference number is the inbox id: it leads to the row without telling what was said.
        _log.error(
            "event.dead" if dead else "event.failed",
            extra={"reference": inbox_id, "platform": platform, "error": name},
            exc_info=error,
        )

    # ---- what was left over

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name="worker")

    async def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def catch_up(self) -> int:
        """Work on every event whose time has come; how many there were."""
        count = 0
        for _ in range(100_000):
            if not await self._writer.read(lambda uow: uow.inbox.pending(1)):
                break
            worked = await self._writer.run(self._next)
            if worked == 0:
                break
            count += worked
            self._wake_sender()
        return count

    def _next(self, uow: UnitOfWork) -> int:
        pending = uow.inbox.pending(20)
        for inbox_id, event in pending:
            part = UnitOfWork(uow.connection, uow.shared, uow.batch)
            try:
                with part.savepoint():
                    self._turn(part, inbox_id, event, 0.0)
                    part.inbox.done(inbox_id)
            except Exception as error:
                self._failed(uow, inbox_id, event.platform, error)
            else:
                self._failures.pop(inbox_id, None)
        return len(pending)

    async def _loop(self) -> None:
        while not self._stopping:
            try:
                await self.catch_up()
            except Overloaded:
                pass
            except Exception as error:
                # The loop must go on; the events are still in the inbox.
                _log.error("worker.turn_failed", extra={"error": type(error).__name__})
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
            except TimeoutError:
                pass
