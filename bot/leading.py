"""Which of several processes on one database does what only one may do.

Each name has one owner. Who owns LEADER runs the ticker, sends, and holds the platforms' lines. The
owner is found by a lock that its connection to
PostgreSQL holds: when the process dies or the connection drops, the lock is free and another
process has it within seconds. On SQLite there is one process, and it owns everything.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from bot import metrics
from storage.locks import Holding

_log = logging.getLogger("bot.leading")

LEADER: Final = "leader"
_BEAT_SECONDS: Final = 1.0
# An owner that has not heard from the server for so long does not trust its locks. The server
# frees them later than that (storage/locks.py), so two owners never overlap.
_TRUST_SECONDS: Final = 5.0


class Ownership:
    """`want` names before `start`; ask `owns` whenever it matters."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._wanted: dict[str, Callable[[bool], None]] = {}
        self._owned: frozenset[str] = frozenset()
        self._trusted_until = 0.0
        self._on_bell: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def shared(self) -> bool:
        """Whether other processes may be at the same database."""
        return self._holding.shared

    def want(self, name: str, changed: Callable[[bool], None] = lambda owned: None) -> None:
        """Own `name` as soon as nobody else does.

        `changed` is called in the loop when that begins or ends after the start.
        """
        self._wanted[name] = changed

    def on_bell(self, rung: Callable[[], None]) -> None:
        """What is called, in the loop, when another process rings."""
        self._on_bell = rung

    def owns(self, name: str) -> bool:
        if name not in self._owned:
            return False
        return not self._holding.shared or time.monotonic() < self._trusted_until

    def leads(self) -> bool:
        return self.owns(LEADER)

    def ring(self) -> None:
        """Wake the other processes: there is something for the leader to do."""
        self._holding.ring()

    def start(self) -> None:
        """Take what is free at once; raises DatabaseError where the database is another's."""
        self._holding.open()
        self._owned = self._take(frozenset())
        self._beat()
        self._tell_metrics()
        if self._holding.shared:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._hold, name="ownership", daemon=True)
            self._thread.start()

    async def stop(self) -> None:
        """What was ours is free when this returns."""
        self._stopping.set()
        if self._thread is not None:
            self._holding.ring()
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._owned = frozenset()
        self._holding.close()

    # ---- the thread

    def _hold(self) -> None:
        connected = True
        while not self._stopping.is_set():
            try:
                if not connected:
                    self._holding.open()
                    connected = True
                owned = self._take(self._owned)
                rung = self._beat()
                self._became(owned)
                if rung:
                    self._call(self._on_bell)
                self._holding.listen(_BEAT_SECONDS)
            except Exception as error:
                # Whatever it was, the locks may be gone; the process goes on without them.
                _log.warning("ownership.lost", extra={"error": type(error).__name__})
                self._became(frozenset())
                self._holding.close()
                connected = False
                self._stopping.wait(_BEAT_SECONDS)

    def _take(self, owned: frozenset[str]) -> frozenset[str]:
        free = [name for name in self._wanted if name not in owned]
        return owned | {name for name in free if self._holding.take(name)}

    def _beat(self) -> bool:
        # From before the question: the server heard of us no earlier than then.
        asked = time.monotonic()
        rung = self._holding.beat()
        self._trusted_until = asked + _TRUST_SECONDS
        return rung

    def _became(self, owned: frozenset[str]) -> None:
        before, self._owned = self._owned, owned
        if before == owned:
            return
        self._tell_metrics()
        for name in sorted(before ^ owned):
            _log.info("ownership.changed", extra={"name_of": name, "owned": name in owned})
            self._call(lambda n=name: self._wanted[n](n in owned))  # type: ignore[misc]

    def _tell_metrics(self) -> None:
        metrics.leads.set(LEADER in self._owned)

    def _call(self, function: Callable[[], None]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            # The loop was closed: nobody is to be told any more.
            self._stopping.set()
