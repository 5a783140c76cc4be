"""Asking the encoder: a thread of its own, few questions waiting, and an end to patience."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from prometheus_client import Counter, Histogram

from bot import metrics
from bot.second_stage.session import NotUsable, Reads, shipped
from handlers.understanding import SecondOpinion

_log = logging.getLogger("bot.second_stage")

asked = Counter(
    "lhg_second_opinions",
    "Questions to the second reader, by what came of them",
    ["outcome"],
    registry=metrics.registry,
)
took = Histogram(
    "lhg_second_opinion_seconds",
    "What a second opinion took in its thread",
    registry=metrics.registry,
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 1.0),
)

LIMIT_SECONDS: Final = 0.15
# The very first question waits for the model to be loaded as well.
LOADING_SECONDS: Final = 1.0
# At 11 ms each no more than these can be answered within the limit.
MOST_WAITING: Final = 12


class Encoder:
    """Loaded in its own thread when it is first asked, so that it costs nothing until then."""

    def __init__(
        self,
        load: Callable[[], Reads] = shipped,
        limit: float | None = LIMIT_SECONDS,
        loading: float | None = LOADING_SECONDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._load = load
        self._limit = limit
        self._loading = loading
        self._most_waiting = most_waiting
        # One thread: it starts with the first question.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._reader: Reads | None = None
        self._unusable = False
        self._waiting = 0

    async def ask(self, text: str, role: str | None) -> SecondOpinion | None:
        """The opinion of a message, or None where there is none in time; never raises.

        `role` is the sender's role as the corpus names it, None for whoever is not known.
        """
        if self._unusable:
            return None
        if self._waiting >= self._most_waiting:
            asked.labels("busy").inc()
            return None
        limit = self._limit if self._reader is not None else self._loading
        self._waiting += 1
        try:
            running = self._thread.submit(self._opinion, text, role)
        except RuntimeError:
            # The thread was stopped with the process.
            self._waiting -= 1
            return None
        loop = asyncio.get_running_loop()
        future = asyncio.wrap_future(running, loop=loop)
        future.add_done_callback(self._answered)
        # Waiting ends at the limit; a question that has not begun by then is never read.
        done, _ = await asyncio.wait([future], timeout=limit)
        if not done:
            running.cancel()
            asked.labels("late").inc()
            return None
        opinion = None if future.cancelled() else future.result()
        asked.labels("none" if opinion is None else "answered").inc()
        return opinion

    def _answered(self, future: "asyncio.Future[SecondOpinion | None]") -> None:
        self._waiting -= 1

    def opinion(self, text: str, role: str | None) -> SecondOpinion | None:
        """As `ask` without a limit, for commands that read files and for measurements."""
        return self._thread.submit(self._opinion, text, role).result()

    def preload(self) -> None:
        """Load in the background, before anybody asks."""
        self._thread.submit(self._ready)

    def close(self) -> None:
        """What has not begun is dropped; what runs takes its 20 ms."""
        self._unusable = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    # ---- in the encoder's thread

    def _ready(self) -> Reads | None:
        if self._reader is None and not self._unusable:
            try:
                self._reader = self._load()
            except NotUsable as error:
                self._unusable = True
                _log.warning("second_stage.not_usable", extra={"error": str(error)})
        return self._reader

    def _opinion(self, text: str, role: str | None) -> SecondOpinion | None:
        reader = self._ready()
        if reader is None:
            return None
        started = time.perf_counter()
        try:
            found = reader.opinion(text, role)
        except Exception as error:
            # The library raises classes of its own; the first reader's word stands then.
            _log.warning("second_stage.failed", extra={"error": type(error).__name__})
            return None
        took.observe(time.perf_counter() - started)
        return found
