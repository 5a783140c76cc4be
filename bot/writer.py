"""The writer: one thread that owns the write connection, many pieces of work to a commit.

On PostgreSQL several processes have one each; storage/turns.py says how they keep apart.
"""

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from handlers.chat.events import ChatRef, UserRef
from handlers.domain.ids import TicketNumber
from storage.db import numbers_connection, reader_connection, writer_connection
from storage.turns import Alone
from storage.uow import Batch, Shared, UnitOfWork

_T = TypeVar("_T")
_log = logging.getLogger("bot.writer")

MOST_PER_COMMIT: Final = 128
SOON_SECONDS: Final = 0.02
# What touches rows that no other piece of work looks at for long.
NOTHING: Final[frozenset[str]] = frozenset()


class Overloaded(Exception):
    """The queue is full: the platform is asked to come again."""


class Stopped(Exception):
    """The writer is not running."""


_Instead = Callable[[UnitOfWork, Exception], Any]


@dataclass(frozen=True, slots=True)
class _Piece:
    """`instead` is done in place of `work` when that raised and was rolled back."""

    work: Callable[[UnitOfWork], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    instead: _Instead | None = None
    touched: frozenset[str] | None = None


# A piece with its result or its failure.
_Settled = tuple[_Piece, Any, BaseException | None]


class Writer:
    """Runs pieces of work one after another, each in a SAVEPOINT, and commits them together.

    A piece that raises loses only itself. Its future is settled after COMMIT, so whoever waits
    knows that the work is on disk.
    """

    def __init__(self, engine: Engine, shared: Shared, most_waiting: int = 2000) -> None:
        self._engine = engine
        self._shared = shared
        # Whether other processes may write to the same database.
        self.beside_others: Final = engine.dialect.name == "postgresql"
        self._numbers: Connection | None = None
        # The simple queue is one lock in C: the other's condition wakes both threads for each piece.
        self._queue: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._most_waiting = most_waiting
        # How many pieces were queued, and of how many the end was told.
        self._given = self._ended = 0
        self._soon: deque[_Piece] = deque()
        self._nudging = False
        self._thread: threading.Thread | None = None
        # Called in the writer's thread, after the commit, with the tickets that were opened in it.
        self.on_opened: Callable[[Sequence[TicketNumber]], None] | None = None
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="reader")
        # Readers may be behind the writer's transaction, so they keep caches of their own; only the
        # registry's snapshot, which is large and replaced as a whole, is one for all.
        self._reading = Shared(
            shared.now, shared.directly, shared.registry, policies=shared.policies
        )

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(
        self,
        work: Callable[[UnitOfWork], _T],
        instead: Callable[[UnitOfWork, Exception], _T] | None = None,
        touched: frozenset[str] | None = None,
    ) -> "asyncio.Future[_T]":
        """Queue a piece of work; raises Overloaded when too many wait.

        `instead` is done, in the same commit, where `work` raised and was rolled back. `touched`
        names whose things it changes (Shared.touched, or NOTHING); without it no other process
        writes meanwhile. It may be begun more than once; what came of it counts once.
        """
        if self._thread is None:
            raise Stopped
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        if self._queue.qsize() >= self._most_waiting:
            raise Overloaded
        self._given += 1
        self._queue.put(_Piece(work, future, loop, instead, touched))
        return future

    def submit_soon(self, work: Callable[[UnitOfWork], _T]) -> "asyncio.Future[_T]":
        """Queue a piece that nobody waits for: it rides along with the next commit.

        At the latest after `SOON_SECONDS` it gets a commit of its own; raises Stopped.
        """
        if self._thread is None:
            raise Stopped
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._soon.append(_Piece(work, future, loop, None, NOTHING))
        if not self._nudging:
            self._nudging = True
            loop.call_later(SOON_SECONDS, self._nudge)
        return future

    def _nudge(self) -> None:
        self._nudging = False
        if self._soon and self._thread is not None and self._queue.empty():
            self.submit(lambda uow: None, touched=NOTHING)

    async def run(
        self, work: Callable[[UnitOfWork], _T], touched: frozenset[str] | None = None
    ) -> _T:
        """Run `work` in a unit of work and return once it is on disk; raise what it raised."""
        return await self.submit(work, touched=touched)

    async def read(self, work: Callable[[UnitOfWork], _T]) -> _T:
        """Run a reading on a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def read_now(self, work: Callable[[UnitOfWork], _T]) -> _T:
        with reader_connection(self._engine) as connection:
            return work(UnitOfWork(connection, self._reading))

    def touched(self, chat: ChatRef, user: UserRef | None = None) -> frozenset[str]:
        """See Shared.touched."""
        return self._shared.touched(chat, user)

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def busy(self) -> bool:
        """Whether a piece of work waits, is being done, or has not told its end yet."""
        return self._given > self._ended

    async def stop(self) -> None:
        """Finish what is queued, then end."""
        thread = self._thread
        if thread is None:
            return
        self._thread = None
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, thread.join)
        self._readers.shutdown()

    # ---- the thread

    def _work(self) -> None:
        connection: Connection | None = None
        running = True
        while running:
            batch: list[_Piece] = []
            piece = self._queue.get()
            while piece is not None:
                batch.append(piece)
                if len(batch) >= MOST_PER_COMMIT:
                    break
                try:
                    piece = self._queue.get_nowait()
                except queue.Empty:
                    break
            running = piece is not None
            taken = len(batch)
            while self._soon and len(batch) < 2 * MOST_PER_COMMIT:
                batch.append(self._soon.popleft())
            if batch:
                connection = self._commit(connection, batch)
            self._ended += taken
        for open_one in (connection, self._numbers):
            if open_one is not None:
                open_one.close()

    def _commit(self, connection: Connection | None, batch: list[_Piece]) -> Connection | None:
        """Run and settle a batch; the connection to go on with, None where it is lost."""
        settled: list[_Settled] = []
        opened: list[TicketNumber] = []
        rest = batch
        beside = self.beside_others and all(piece.touched is not None for piece in batch)
        try:
            connection = connection or writer_connection(self._engine)
            while rest:
                done, numbers = self._transaction(connection, rest, beside)
                settled += done
                opened += numbers
                # What another process was in the way of is done again with none beside.
                rest, beside = rest[len(done) :], False
        except Exception as error:  # that commit failed: nobody's work of it is on disk
            _log.error("writer.commit_failed", extra={"error": type(error).__name__})
            settled += [(piece, None, error) for piece in rest]
            for lost in (connection, self._numbers):
                if lost is not None:
                    # What state it is in is unknown; the thread must outlive it.
                    lost.invalidate()
                    lost.close()
            connection = self._numbers = None
        tell = self.on_opened
        if opened and tell is not None:
            tell(tuple(opened))
        loops: dict[asyncio.AbstractEventLoop, list[tuple[Any, Any, BaseException | None]]] = {}
        for piece, result, failure in settled:
            loops.setdefault(piece.loop, []).append((piece.future, result, failure))
        for loop, results in loops.items():
            try:
                loop.call_soon_threadsafe(_settle, results)
            except RuntimeError:
                # Its loop was closed: nobody waits any more.
                continue
        return connection

    def _transaction(
        self, connection: Connection, pieces: Sequence[_Piece], beside: bool
    ) -> tuple[list[_Settled], list[TicketNumber]]:
        """One commit; of `pieces` those that did not come through have to be done alone."""
        if self._numbers is None:
            self._numbers = numbers_connection(self._engine)
        shared = Batch(late=True, numbers=self._numbers)
        settled: list[_Settled] = []
        with connection.begin():
            if self.beside_others:
                names = frozenset().union(*(p.touched or () for p in pieces)) if beside else None
                shared.turn.take(connection, names)
            for piece in pieces:
                result = self._one(connection, shared, piece)
                if shared.turn.lost:
                    # The order of pieces stays: those behind it wait for it.
                    break
                settled.append(result)
            shared.turn.lost = False
            if not beside:
                # Beside others it would pass over a lower number that is not committed yet.
                self._tidy(connection, shared)
            shared.finish(connection)
        self._shared.tickets.keep(shared.tickets)
        return settled, shared.opened

    def _tidy(self, connection: Connection, shared: Batch) -> None:
        """What the batch left to do once for all of it; its failure costs nobody's work."""
        _, failure = self._in_savepoint(connection, shared, UnitOfWork.tidy)
        if failure is not None:
            _log.error("writer.tidy_failed", extra={"error": type(failure).__name__})

    def _one(self, connection: Connection, shared: Batch, piece: _Piece) -> _Settled:
        result, failure = self._in_savepoint(connection, shared, piece.work)
        instead = piece.instead
        if failure is not None and instead is not None and not shared.turn.lost:
            first = failure
            result, failure = self._in_savepoint(
                connection, shared, lambda uow: instead(uow, first)
            )
        return piece, result, failure

    def _in_savepoint(
        self, connection: Connection, shared: Batch, work: Callable[[UnitOfWork], Any]
    ) -> tuple[Any, Exception | None]:
        uow = UnitOfWork(connection, self._shared, shared)
        try:
            with uow.savepoint():
                result = work(uow)
                if shared.turn.lost:
                    # Whoever was told did not pass it on.
                    raise Alone
                return result, None
        except Exception as error:
            shared.turn.failed(error)
            return None, error


def _settle(results: list[tuple[Any, Any, BaseException | None]]) -> None:
    for future, result, failure in results:
        if future.cancelled():
            continue
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)
