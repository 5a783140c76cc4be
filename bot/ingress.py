"""Webhooks: verify, decode, remember and work, acknowledge; answer inside the response if it can."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web

from bot import metrics
from bot.platform import (
    Answered,
    Decoded,
    HttpAnswer,
    Platform,
    RawRequest,
    Rejected,
    Resolving,
)
from bot.wire import problem
from bot.worker import Done, Worker
from bot.writer import Overloaded, Stopped, Writer
from handlers.texts.hooks import refused_request
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.ingress")

MOST_BYTES: Final = 1024 * 1024
# What the platform's own response does not take within this time after its budget goes slowly.
_HOLD_MARGIN: Final = 5.0


def _response(answer: HttpAnswer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        charset="utf-8" if answer.content_type != "application/octet-stream" else None,
        headers=dict(answer.headers),
    )


class NotTaken(Exception):
    """Events that are not on disk, or not known to be: the platform is to bring them again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ingress:
    def __init__(self, platforms: Mapping[str, Platform], worker: Worker, writer: Writer) -> None:
        self._platforms = platforms
        self._resolving = {n: p for n, p in platforms.items() if isinstance(p, Resolving)}
        self._worker = worker
        self._writer = writer
        # Rows that wait to be written down as carried or released, many to one piece of work.
        self._unsettled: deque[tuple[int, bool]] = deque()
        self._settling = False

    def routes(self) -> list[web.RouteDef]:
        found = []
        for name, platform in self._platforms.items():
            for hook in platform.hooks:
                path = f"/hooks/{name}/{hook}" if hook else f"/hooks/{name}"
                found.append(web.get(path, self._handler(platform, hook)))
                found.append(web.post(path, self._handler(platform, hook)))
        return found

    def _handler(self, platform: Platform, hook: str):  # type: ignore[no-untyped-def]  # aiohttp's own type
        async def handle(request: web.Request) -> web.Response:
            started = time.perf_counter()
            try:
                return await self._handle(platform, hook, request)
            finally:
                metrics.histogram_of(metrics.acknowledged, platform.name).observe(
                    time.perf_counter() - started
                )

        return handle

    async def _handle(self, platform: Platform, hook: str, request: web.Request) -> web.Response:
        length = request.content_length
        if length is not None and length > MOST_BYTES:
            return self._refuse(platform, 413, "too_large")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._refuse(platform, 413, "too_large")
        raw = RawRequest(request.method, hook, request.query, request.headers, body, time.time())
        try:
            decoded = platform.decode(raw)
        except Rejected as refusal:
            return self._refuse(platform, refusal.status, refusal.reason)
        if decoded.unsupported:
            metrics.unsupported.labels(platform.name, decoded.unsupported[:40]).inc()
        if not decoded.events:
            return _response(decoded.ack)
        return await self._work(request, platform, decoded)

    def _refuse(self, platform: Platform, status: int, reason: str) -> web.Response:
        metrics.rejected.labels(platform.name, reason).inc()
        if not platform.can.refusals_are_read:
            return web.Response(status=status)
        return problem(status, reason, refused_request(reason))

    async def _work(
        self, request: web.Request, platform: Platform, decoded: Decoded
    ) -> web.Response:
        try:
            answered, done = await self.take(platform, decoded)
        except NotTaken as refusal:
            if refusal.reason == "too_slow" and decoded.late is not None:
                return _response(decoded.late)
            return self._refuse(platform, 503, refusal.reason)
        response = _response(answered.http)
        carried = answered.carried
        try:
            # Written before it is recorded: a crash between the two repeats an answer, and the
            # other order would lose it.
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            carried = frozenset()
        except asyncio.CancelledError:
            carried = frozenset()
            raise
        finally:
            self.settle(done, carried)
        return response

    async def take(self, platform: Platform, decoded: Decoded) -> tuple[Answered, list[Done]]:
        """Remember the events, work on them, and make the answer; raises NotTaken.

        Whoever calls says with `settle` which rows the answer carried.
        """
        budget = platform.can.budget_seconds
        hold = budget + _HOLD_MARGIN if decoded.answer is not None else 0.0
        events = decoded.events
        if platform.name in self._resolving:
            events = tuple([await self._resolving[platform.name].resolved(e) for e in events])
        try:
            pieces = [self._worker.submit(event, hold) for event in events]
        except (Overloaded, Stopped):
            raise NotTaken("overloaded") from None
        try:
            _, late = await asyncio.wait(pieces, timeout=budget)
        except asyncio.CancelledError:
            self._unwaited(pieces)
            raise
        if late:
            # On disk or not yet: only a stored event may be acknowledged. What becomes of it goes
            # the slow way, as the platform's next try will only find that it was here before.
            self._unwaited(pieces)
            raise NotTaken("too_slow")
        done: list[Done] = []
        for piece in pieces:
            error = piece.exception()
            if isinstance(error, Overloaded | Stopped):
                raise NotTaken("overloaded")
            if error is not None:
                _log.error("ingress.not_stored", extra={"error": type(error).__name__})
                raise NotTaken("not_stored")
            done.append(piece.result())
        return self._answer(decoded, done), done

    def _answer(self, decoded: Decoded, done: list[Done]) -> Answered:
        first = next((one for one in done if one.worked), None)
        if decoded.answer is None or first is None or not (first.deliveries or first.toast):
            return Answered(decoded.ack)
        return decoded.answer(first.outcome)

    def _unwaited(self, pieces: Iterable["asyncio.Future[Done]"]) -> None:
        for piece in pieces:
            piece.add_done_callback(self._too_late)

    def _too_late(self, piece: "asyncio.Future[Done]") -> None:
        if not piece.cancelled() and piece.exception() is None:
            self.settle([piece.result()], frozenset())

    def settle(self, done: list[Done], carried: frozenset[int]) -> None:
        """Rows that the response carried are sent; the others may go the slow way now."""
        rows = [row for one in done for row in one.rows]
        if not rows:
            return
        self._unsettled.extend((row, row in carried) for row in rows)
        if self._settling:
            return
        try:
            future = self._writer.submit_soon(self._write_down)
        except Stopped:
            # The hold runs out by itself; the row is then sent a second time at worst.
            return
        self._settling = True
        future.add_done_callback(self._settled)

    def _write_down(self, uow: UnitOfWork) -> bool:
        """Whether a row may be sent now; runs in the writer's thread."""
        self._settling = False
        carried: list[int] = []
        released: list[int] = []
        while self._unsettled:
            row, was_carried = self._unsettled.popleft()
            (carried if was_carried else released).append(row)
        uow.outbox.carried(carried)
        uow.outbox.release(released)
        return bool(released)

    def _settled(self, future: "asyncio.Future[bool]") -> None:
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            _log.warning("ingress.not_settled", extra={"error": type(error).__name__})
        elif future.result():
            self._worker.wake_sender()
