"""The writer: one thread that owns the write connection, many pieces of work to a commit."""

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

from handlers.domain.ids import TicketNumber
from storage.db import writer_connection
from storage.uow import Batch, Shared, UnitOfWork

_T = TypeVar("_T")
_log = logging.getLogger("bot.writer")

MOST_PER_COMMIT: Final = 128
SOON_SECONDS: Final = 0.02


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


class Writer:
    """Runs pieces of work one after another, each in a SAVEPOINT, and commits them together.

    A piece that raises loses only itself. Its future is settled after COMMIT, so whoever waits
    knows that the work is on disk.
    """

    def __init__(self, engine: Engine, shared: Shared, most_waiting: int = 2000) -> None:
        self._engine = engine
        self._shared = shared
        # The simple queue is one lock in C: the other's condition wakes both threads for each piece.
        self._queue: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._most_waiting = most_waiting
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
    ) -> "asyncio.Future[_T]":
        """Queue a piece of work; raises Overloaded when too many wait.

        `instead` is done, in the same commit, where `work` raised and was rolled back.
        """
        if self._thread is None:
            raise Stopped
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        if self._queue.qsize() >= self._most_waiting:
            raise Overloaded
        self._queue.put(_Piece(work, future, loop, instead))
        return future

    def submit_soon(self, work: Callable[[UnitOfWork], _T]) -> "asyncio.Future[_T]":
        """Queue a piece that nobody waits for: it rides along with the next commit.

        At the latest after `SOON_SECONDS` it gets a commit of its own; raises Stopped.
        """
        if self._thread is None:
            raise Stopped
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._soon.append(_Piece(work, future, loop))
        if not self._nudging:
            self._nudging = True
            loop.call_later(SOON_SECONDS, self._nudge)
        return future

    def _nudge(self) -> None:
        self._nudging = False
        if self._soon and self._thread is not None and self._queue.empty():
            self.submit(lambda uow: None)

    async def run(self, work: Callable[[UnitOfWork], _T]) -> _T:
        """Run `work` in a unit of work and return once it is on disk; raise what it raised."""
        return await self.submit(work)

    async def read(self, work: Callable[[UnitOfWork], _T]) -> _T:
        """Run a reading on a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def read_now(self, work: Callable[[UnitOfWork], _T]) -> _T:
        with self._engine.connect() as connection:
            return work(UnitOfWork(connection, self._reading))

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

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
            while self._soon and len(batch) < 2 * MOST_PER_COMMIT:
                batch.append(self._soon.popleft())
            if batch:
                connection = self._commit(connection, batch)
        if connection is not None:
            connection.close()

    def _commit(self, connection: Connection | None, batch: list[_Piece]) -> Connection | None:
        """Run and settle a batch; the connection to go on with, None where it is lost."""
        settled: list[tuple[_Piece, Any, BaseException | None]] = []
        opened: tuple[TicketNumber, ...] = ()
        try:
            connection = connection or writer_connection(self._engine)
            shared = Batch()
            with connection.begin():
                for piece in batch:
                    settled.append(self._one(connection, shared, piece))
                self._tidy(connection, shared)
            opened = tuple(shared.opened)
        except Exception as error:  # the whole commit failed: nobody's work is on disk
            _log.error("writer.commit_failed", extra={"error": type(error).__name__})
            settled = [(piece, None, error) for piece in batch]
            if connection is not None:
                # What state it is in is unknown; the thread must outlive it.
                connection.invalidate()
                connection.close()
                connection = None
        tell = self.on_opened
        if opened and tell is not None:
            tell(opened)
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

    def _tidy(self, connection: Connection, shared: Batch) -> None:
        """What the batch left to do once for all of it; its failure costs nobody's work."""
        _, failure = self._in_savepoint(connection, shared, UnitOfWork.tidy)
        if failure is not None:
            _log.error("writer.tidy_failed", extra={"error": type(failure).__name__})

    def _one(
        self, connection: Connection, shared: Batch, piece: _Piece
    ) -> tuple[_Piece, Any, Exception | None]:
        result, failure = self._in_savepoint(connection, shared, piece.work)
        instead = piece.instead
        if failure is not None and instead is not None:
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
                return work(uow), None
        except Exception as error:
            return None, error


def _settle(results: list[tuple[Any, Any, BaseException | None]]) -> None:
    for future, result, failure in results:
        if future.cancelled():
            continue
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)
