"""The only sender: claim, look again, throttle, send, record.

Of several processes on one database the one that leads sends, so that a destination's windows are
counted in one place; whoever begins to lead first reads what was sent lately.
"""

import asyncio
import heapq
import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot import metrics
from bot.platform import (
    Attaches,
    Expired,
    Gone,
    Limit,
    Outdated,
    Permanent,
    Platform,
    Recalls,
    Receipt,
    Say,
    SendError,
    Splitting,
    Transient,
    Unreachable,
    Unsure,
)
from bot.throttle import Throttle
from bot.writer import NOTHING, Overloaded, Writer
from handlers.chat.events import ChatKind
from handlers.chat.outbound import Enclosure
from handlers.domain.ladder import stands
from handlers.ports import Lane, Notice, StillSending, StillTrue
from handlers.services.enclosing import Enclosing
from handlers.services.notices import Gate
from handlers.services.reaching import Reaching
from storage.repos.queue import Claimed, TakenBack
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.dispatcher")

BATCH: Final = 50
LEASE_SECONDS: Final = 60.0
SEND_SECONDS: Final = 15.0
# Waiting twice as long each time: an hour without the far end gives nothing up.
MOST_ATTEMPTS: Final = 13
LONGEST_SECONDS: Final = 24 * 3600.0
_IDLE_SECONDS: Final = 1.0
# A lane that must wait longer than this gives its rows back, so that no lease runs out on it.
_PATIENCE_SECONDS: Final = 5.0
# What was asked longer ago than this is asked again before it is sent.
_FRESH_SECONDS: Final = 1.0
# The longest window of any platform, in seconds.
_LONGEST_WINDOW: Final = 3600.0
_LED_ELSEWHERE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02
# So many times the far end's own word of when to come again is taken as it is.
_BELIEVED: Final = 2
_GONE: Final = Receipt()
_RECORD_PAUSES: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

_Key = tuple[int, int]


@dataclass(slots=True)
class _Hold:
    """A claimed row; `until` (monotonic) is when its lease ends, `checked` when it was still true.

    `say` sends it, where something had to be brought there before.
    """

    row: Claimed
    until: float
    checked: float
    say: Say | None = None


@dataclass(slots=True)
class _Lane:
    platform: str
    rows: list[tuple[int, int, _Hold]] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None
    blocked_until: float = 0.0
    # Rows of this lane that went back to the outbox, with the wall time of their next try:
    # nothing behind one of them may go first.
    held: dict[_Key, float] = field(default_factory=dict)


def _leave(lane: _Lane, hold: _Hold) -> None:
    lane.rows = [entry for entry in lane.rows if entry[2] is not hold]
    heapq.heapify(lane.rows)


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard the dispatcher tries; tests make it short."""

    send_seconds: float = SEND_SECONDS
    first_retry: float = 2.0
    longest_retry: float = 3600.0
    attempts: int = MOST_ATTEMPTS
    patience: float = _PATIENCE_SECONDS
    lease: float = LEASE_SECONDS
    # Bringing a file and sending it fit into a lease.
    bring_seconds: float = 40.0


def _key(row: Claimed) -> _Key:
    return row.priority, row.delivery.id


def still_true(row: Claimed, uow: UnitOfWork, now: datetime) -> str:
    """Why a row must not be sent any more; empty while it is still true."""
    if row.takes_back is not None:
        return ""
    if _to_archive(row, uow):
        return "archived"
    if row.delivery.to.kind is ChatKind.GROUP and row.ticket is not None:
        if uow.tickets.is_confidential(row.ticket):
            return "confidential"
    return _stale(row.not_after, row.still, uow, now)


# What is just being said is taken back once it is known by what name.
_NOT_SAID_YET: Final = 1.0
_SAME_BREATH: Final = timedelta(minutes=1)


def _to_archive(row: Claimed, uow: UnitOfWork) -> bool:
    """Whether it would speak in a group that was archived before it was said."""
    to, said_at = row.delivery.to, row.delivery.created_at
    if to.kind is not ChatKind.GROUP:
        return False
    chat = uow.chats.chat(to.chat)
    if chat is None or chat.archived_at is None:
        return False
    # The goodbye itself is said in the same breath.
    return said_at is None or said_at > chat.archived_at + _SAME_BREATH


def _stale(
    not_after: datetime | None,
    still: StillTrue | StillSending | None,
    uow: UnitOfWork,
    now: datetime,
) -> str:
    if not_after is not None and now > not_after:
        return "expired"
    if still is None:
        return ""
    if isinstance(still, StillSending):
        return uow.announcements.why_not(still)
    ticket = uow.tickets.find(still.number)
    if ticket is None:
        return "no_ticket"
    if still.states and ticket.state not in still.states:
        return "state_changed"
    if still.owner_id is not None and ticket.owner_id != still.owner_id:
        return "owner_changed"
    if still.max_version is not None and ticket.version > still.max_version:
        return "ticket_changed"
    if still.max_level is not None and ticket.level > still.max_level:
        return "level_changed"
    if still.rung is not None:
        calendar, policy = uow.calendar.current(), uow.office.policy()
        if not stands(ticket, still.rung, calendar, policy):
            return "clock_stopped"
    return ""


def _drop(uow: UnitOfWork, row: Claimed, why: str, now: datetime) -> None:
    uow.outbox.superseded(row.delivery.id, why)
    if row.still is not None:
        uow.audit.add(now, "system", "message.dropped", str(row.ticket or ""), {"why": why})


def _give_up(uow: UnitOfWork, row: Claimed, why: str) -> None:
    """It will not arrive; of a file nobody needs to hear that, for its page has it."""
    if row.delivery.content.file is None:
        uow.outbox.dead(row.delivery.id, why)
        return
    uow.outbox.superseded(row.delivery.id, f"left_to_page:{why}")
    metrics.files_left.labels(row.platform).inc()


def _admitted(uow: UnitOfWork, rows: Sequence[Claimed], now: datetime) -> list[Claimed]:
    """What may go now: notices to one person keep to the hours and the caps."""
    notices = [row.notice for row in rows if row.notice is not None]
    if not notices:
        return list(rows)

    def drop(notice: Notice, why: str) -> None:
        uow.outbox.superseded(notice.id, why)
        subject = str(notice.ticket or "")
        uow.audit.add(now, "system", "message.dropped", subject, {"why": why})

    gate = Gate(
        uow.outbox,
        uow.office.policy(),
        now,
        lambda notice: _stale(notice.not_after, notice.still, uow, now),
        drop,
    )
    good = gate.admit(notices)
    return [row for row in rows if row.notice is None or row.delivery.id in good]


class Dispatcher:
    """One task per lane, so that a slow destination delays no other."""

    def __init__(
        self,
        writer: Writer,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        pace: Pace = Pace(),
        leads: Callable[[], bool] = lambda: True,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._leads = leads
        self._ring = ring
        # Whether the windows hold what was sent before this process led.
        self._took_over = False
        self._taking_over = asyncio.Lock()
        self._writer = writer
        self._platforms = platforms
        self._splitting = {n: p for n, p in platforms.items() if isinstance(p, Splitting)}
        self._attaching = {n: p for n, p in platforms.items() if isinstance(p, Attaches)}
        self._now = now
        self._pace = pace
        self._throttle = Throttle()
        self._lanes: dict[str, _Lane] = {}
        # Ids of rows in the lanes: one whose lease ran out all the same is not taken twice.
        self._mine: set[int] = set()
        self._wake = asyncio.Event()
        self._halt = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self.last_turn = 0.0

    def start(self) -> None:
        self._loop_task = asyncio.create_task(self._loop(), name="dispatcher")

    def wake(self) -> None:
        """There may be something to send: by us, or by the process that leads."""
        self._wake.set()
        if not self._leads():
            self._ring()

    def woken(self) -> None:
        """As `wake`, told by another process."""
        self._wake.set()

    async def stop(self) -> None:
        """Finish what is being sent; the rest stays in the outbox."""
        self._halt.set()
        self._wake.set()
        if self._loop_task is not None:
            await self._loop_task
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._pace.send_seconds + 1.0)
            for task in late:
                task.cancel()

    @property
    def _stopping(self) -> bool:
        return self._halt.is_set()

    async def drain(self, platforms: Iterable[str] | None = None) -> None:
        """Send everything that is due and come back when nothing of it is under way."""
        if not self._leads():
            await self._drained_elsewhere(platforms)
            return
        for _ in range(10_000):
            claimed = await self._turn(platforms)
            # The loop's own turn may have claimed rows just before: they count as under way.
            if await self._settled(platforms) == 0 and claimed == 0:
                return

    async def _drained_elsewhere(self, platforms: Iterable[str] | None) -> None:
        """Wait until the process that leads has sent what is due."""
        wanted = list(self._platforms if platforms is None else platforms)
        until = time.monotonic() + _LED_ELSEWHERE_SECONDS
        self._ring()
        while await self._writer.read(lambda uow: uow.outbox.is_due(wanted)):
            if time.monotonic() > until or self._stopping:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _take_over(self) -> None:
        """Go on where the sender before us stopped; a restart is the same."""
        now, started = self._now(), time.monotonic()
        longest = self._pace.send_seconds + 1.0
        left, sent = await self._writer.run(
            lambda uow: (
                uow.outbox.left_behind(longest),
                uow.outbox.sent_since(now - timedelta(seconds=_LONGEST_WINDOW)),
            )
        )
        stamps = [
            (started - (now - at).total_seconds(), self._platforms[to.chat.platform].limits(to))
            for to, at in sent
            if to.chat.platform in self._platforms
        ]
        unsure: set[int] = set()
        for row, claimed, again in left:
            if row.platform not in self._platforms:
                continue
            lane = self._lane(row)
            lane.held.setdefault(_key(row), again)
            if claimed and id(lane) not in unsure:
                # Of each lane one message may have gone out that nobody wrote down.
                unsure.add(id(lane))
                to = row.delivery.to
                stamps.append((started, self._platforms[row.platform].limits(to)))
        self._throttle.begin_anew(stamps)
        self._took_over = True

    async def _settled(self, platforms: Iterable[str] | None) -> int:
        """Wait for every lane of these platforms that is at work; how many there were."""
        wanted = self._platforms if platforms is None else frozenset(platforms)
        lanes = [lane.task for lane in self._lanes.values() if lane.platform in wanted]
        tasks = [task for task in lanes if task is not None and not task.done()]
        if tasks:
            await asyncio.wait(tasks)
        return len(tasks)

    async def _loop(self) -> None:
        while not self._stopping:
            if not self._leads():
                self._took_over = False
            try:
                claimed = await self._turn(None) if self._leads() else 0
            except Overloaded:
                claimed = 0
            except Exception as error:
                # The loop must outlive whatever a turn ran into; the rows are still there.
                _log.error("dispatcher.turn_failed", extra={"error": type(error).__name__})
                claimed = 0
            self.last_turn = time.monotonic()
            if claimed < BATCH and not self._stopping:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
                except TimeoutError:
                    pass

    async def _turn(self, platforms: Iterable[str] | None) -> int:
        wanted = list(self._platforms) if platforms is None else list(platforms)
        if not wanted:
            return 0
        if not self._took_over:
            async with self._taking_over:
                if not self._took_over:
                    await self._take_over()
        now = self._now()
        wall, started = time.time(), time.monotonic()
        dropped: list[Claimed] = []

        def claim(uow: UnitOfWork) -> list[Claimed]:
            dropped.clear()
            good, ended = [], []
            for row in uow.outbox.claim(BATCH, self._pace.lease, wanted):
                if row.delivery.id in self._mine:
                    continue
                if row.begun and self._told_once(row):
                    dropped.append(row)
                    _give_up(uow, row, "unsure:ended")
                    continue
                said = row.takes_back
                if said is not None and said.state is Lane.SENDING:
                    dropped.append(row)
                    uow.outbox.defer(row.delivery.id, wall + _NOT_SAID_YET)
                    continue
                why = self._why_not(row, uow, now)
                if why:
                    ended.append((row, why))
                    continue
                good.append(row)
            admitted = _admitted(uow, good, now)
            if len(admitted) < len(good):
                # Joined or put off: what they became is looked at in the next turn.
                going = {row.delivery.id for row in admitted}
                dropped.extend(row for row in good if row.delivery.id not in going)
            for row, why in ended:
                dropped.append(row)
                _drop(uow, row, why, now)
            return admitted

        rows = await self._writer.run(claim, NOTHING)
        for row in (*dropped, *rows):
            self._lane(row).held.pop(_key(row), None)
        for row in rows:
            self._take(row, wall, started)
        return len(rows) + len(dropped)

    def _why_not(self, row: Claimed, uow: UnitOfWork, now: datetime) -> str:
        if row.takes_back is not None:
            return "" if row.takes_back.state is Lane.SENT else "not_said"
        why = still_true(row, uow, now)
        if not why and row.is_update and not self._can_update(row):
            why = "cannot_update"
        return why

    def _take(self, row: Claimed, wall: float, started: float) -> None:
        lane = self._lane(row)
        # Claims come in order, so what was due before this row and did not come with it is not
        # ours any more: another process has it, or it has ended.
        for key in [k for k, due in lane.held.items() if k < _key(row) and due <= wall]:
            del lane.held[key]
        self._mine.add(row.delivery.id)
        heapq.heappush(lane.rows, (*_key(row), _Hold(row, started + self._pace.lease, started)))
        if lane.task is None or lane.task.done():
            lane.task = asyncio.create_task(self._run_lane(lane), name="lane")

    def _lane(self, row: Claimed) -> _Lane:
        name = f"{row.platform}|{self._platforms[row.platform].lane(row.delivery)}"
        if row.delivery.content.file is not None:
            # It was put after its words had arrived; no other words wait until it is brought.
            name = f"{name}|files"
        return self._lanes.setdefault(name, _Lane(row.platform))

    def _parts(self, row: Claimed) -> int:
        """How many messages the far end counts for this one."""
        splitting = self._splitting.get(row.platform)
        return 1 if splitting is None else splitting.parts(row.delivery)

    def _told_once(self, row: Claimed) -> bool:
        """An announcement, where the far end would show a repeat: rather not at all than twice."""
        known = self._platforms[row.platform].can.repeats_known
        return isinstance(row.still, StillSending) and not known

    def _can_update(self, row: Claimed) -> bool:
        return bool(row.delivery.update_ref) and self._platforms[row.platform].can.update_cards

    async def _run_lane(self, lane: _Lane) -> None:
        try:
            await self._work_lane(lane)
        except Exception as error:
            # The database refused: the rows come back when their leases end.
            _log.error("dispatcher.lane_failed", extra={"error": type(error).__name__})
            self._mine.difference_update(number for _, number, _ in lane.rows)
            lane.rows = []

    async def _work_lane(self, lane: _Lane) -> None:
        while lane.rows:
            hold = lane.rows[0][2]
            row = hold.row
            platform = self._platforms[row.platform]
            limits = platform.limits(row.delivery.to)
            now = time.monotonic()
            ahead = [due for key, due in lane.held.items() if key < _key(row)]
            if ahead:
                # One before it waits in the outbox for another try: it goes there too.
                due = min(ahead) - time.time()
                back = max(lane.blocked_until - now, 0.0 if math.isinf(due) else due, 0.0)
                await self._give_back(lane, back + 0.002)
                continue
            may_go = self._leads() and not self._stopping
            if row.delivery.content.file is not None and hold.say is None and may_go:
                # Before anything is looked at: it may take a while.
                await self._bring(lane, hold, row.delivery.content.file)
                continue
            ready = self._throttle.ready_at(limits, now, self._parts(row))
            late = max(ready, now) + self._pace.send_seconds > hold.until
            if ready - now > self._pace.patience or late or not may_go:
                await self._give_back(lane, ready - now)
                continue
            if ready > now:
                await self._pause(ready - now)
                continue
            if now - hold.checked > _FRESH_SECONDS and (row.still or row.not_after):
                if await self._gone_stale(row):
                    _leave(lane, hold)
                hold.checked = time.monotonic()
                continue
            heapq.heappop(lane.rows)
            await self._send(platform, lane, hold, limits)

    async def _bring(self, lane: _Lane, hold: _Hold, file: Enclosure) -> None:
        """A file is brought before its message is sent; what this meets is tried again."""

        async def body() -> bytes:
            found = await self._writer.read(lambda uow: uow.files.body(file.digest))
            if found is None:
                raise Gone("no_file")
            return bytes(found)

        failure: SendError | None = None
        try:
            attaching = self._attaching.get(hold.row.platform)
            if attaching is None:
                raise Permanent("no_files")
            bringing = attaching.attach(hold.row.delivery, file, body)
            hold.say = await asyncio.wait_for(bringing, self._pace.bring_seconds)
            # It took its time: whether it is still true is asked again.
            hold.checked = -math.inf
        except TimeoutError:
            failure = Transient("not_brought")
        except Unsure as error:
            # Nobody has been told anything yet.
            failure = Transient(error.code)
        except SendError as error:
            failure = error
        except Exception as error:
            _log.error("dispatcher.send_raised", extra={"error": type(error).__name__})
            failure = Transient(type(error).__name__)
        if failure is not None:
            _leave(lane, hold)
            # What bringing meets says nothing of how many messages its receiver takes.
            await self._conclude(lane, hold.row, (), Receipt(), failure)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        try:
            await asyncio.wait_for(self._halt.wait(), seconds)
        except TimeoutError:
            pass

    async def _gone_stale(self, row: Claimed) -> bool:
        """Whether a row that had to wait is no longer true; it is dropped then."""
        now = self._now()
        why = await self._writer.read(lambda uow: still_true(row, uow, now))
        if why:
            self._mine.discard(row.delivery.id)
            await self._record(lambda uow: _drop(uow, row, why, now))
        return bool(why)

    async def _give_back(self, lane: _Lane, wait: float) -> None:
        """Rows that cannot go soon return to the outbox in their order."""
        rows, lane.rows = [entry[2].row for entry in lane.rows], []
        next_try = time.time() + max(0.0, wait)
        self._mine.difference_update(row.delivery.id for row in rows)

        def put_back(uow: UnitOfWork) -> None:
            for row in rows:
                uow.outbox.defer(row.delivery.id, next_try)

        await self._hold_back(lane, rows, next_try, put_back)

    async def _hold_back(
        self,
        lane: _Lane,
        rows: Sequence[Claimed],
        next_try: float,
        put_back: Callable[[UnitOfWork], None],
    ) -> None:
        """Nothing of the lane passes these rows while they are on their way to the outbox and back."""
        keys = [_key(row) for row in rows]
        lane.held.update(dict.fromkeys(keys, math.inf))
        await self._record(put_back)
        lane.held.update((key, next_try) for key in keys if key in lane.held)
        # Look again when their time comes, not at the next idle turn.
        asyncio.get_running_loop().call_later(max(0.0, next_try - time.time()), self._wake.set)

    async def _record(self, work: Callable[[UnitOfWork], None]) -> None:
        """Write down what happened; a full queue is waited for, else the message goes twice."""
        for pause in _RECORD_PAUSES:
            try:
                return await self._writer.run(work, NOTHING)
            except Overloaded:
                await asyncio.sleep(pause)
        return await self._writer.run(work, NOTHING)

    async def _send(
        self, platform: Platform, lane: _Lane, hold: _Hold, limits: tuple[Limit, ...]
    ) -> None:
        row = hold.row
        if self._told_once(row):
            await self._record(lambda uow: uow.outbox.begun(row.delivery.id))
        parts = self._parts(row)
        self._throttle.begin(limits, parts)
        failure: SendError | None = None
        receipt = Receipt()
        try:
            going = self._deliver(platform, row) if hold.say is None else hold.say()
            receipt = await asyncio.wait_for(going, self._pace.send_seconds)
        except TimeoutError:
            failure = Unsure("timeout")
        except SendError as error:
            failure = error
        except Exception as error:
            # A platform's own bug must not stop the others' lanes.
            _log.error("dispatcher.send_raised", extra={"error": type(error).__name__})
            failure = Transient(type(error).__name__)
        finally:
            self._throttle.end(limits, time.monotonic(), parts)
        if row.takes_back is not None and isinstance(failure, Unsure):
            # A message that is gone already stays gone.
            failure = Unsure(failure.code, repeatable=True)
        await self._conclude(lane, row, limits, receipt, failure)

    async def _deliver(self, platform: Platform, row: Claimed) -> Receipt:
        if row.takes_back is None:
            return await platform.send(row.delivery)
        return await self._take_back(platform, row, row.takes_back)

    async def _take_back(self, platform: Platform, row: Claimed, said: TakenBack) -> Receipt:
        """By the platform's own recall, else by another card in its place; raises a SendError."""
        if isinstance(platform, Recalls) and said.refs and said.sent_at is not None:
            age = (self._now() - said.sent_at).total_seconds()
            if age < platform.recall_seconds:
                try:
                    await platform.recall(row.delivery.to, said.refs)
                except Permanent as error:
                    # Its card is replaced, else its text is said.
                    _log.info("message.stays", extra={"code": error.code})
                else:
                    return _GONE
        if row.delivery.content.card is None or not self._can_update(row):
            raise Permanent("stays")
        return await platform.send(row.delivery)

    def _taken_back(self, uow: UnitOfWork, row: Claimed, receipt: Receipt | None) -> None:
        """Write down what became of a message that had to go; without a receipt it stays."""
        said, row_id = row.takes_back, row.delivery.id
        assert said is not None
        if receipt is None:
            how = "stays"
            told = uow.outbox.say_instead(row_id)
            uow.outbox.superseded(row_id, "said_instead" if told else "stays")
        elif receipt is _GONE:
            how = "recalled"
            uow.outbox.gone(row_id)
            if said.says_so:
                uow.outbox.say_instead(row_id)
        else:
            how = "replaced"
            uow.outbox.sent(row_id, "", receipt.card_ref)
        if row.ticket is not None:
            facts = {"how": how}
            uow.audit.add(self._now(), "system", "message.taken_back", str(row.ticket), facts)

    def _said(self, uow: UnitOfWork, row: Claimed, receipt: Receipt) -> None:
        """Write down that it arrived; the files of an announcement come after it."""
        uow.outbox.sent(row.delivery.id, receipt.ref, receipt.card_ref, receipt.more)
        attaching, to = self._attaching.get(row.platform), row.delivery.to
        if attaching is None or not isinstance(row.still, StillSending):
            return
        if row.delivery.content.file is None and not row.is_update:
            enclosing = Enclosing(uow, self._now())
            left = enclosing.follow(
                row.delivery.id, to, row.still, lambda file: attaching.takes(to, file)
            )
            metrics.files_left.labels(row.platform).inc(left)

    def _unreached(self, uow: UnitOfWork, row_id: int, failure: Unreachable) -> None:
        """To the person another way, else those who can see to it are told."""
        if not Reaching(uow, self._now()).lost(row_id, failure.why):
            _log.warning("message.dead", extra={"row": row_id, "code": failure.code})
            uow.outbox.dead(row_id, f"unreachable:{failure.code}")

    async def _conclude(
        self,
        lane: _Lane,
        row: Claimed,
        limits: tuple[Limit, ...],
        receipt: Receipt,
        failure: SendError | None,
    ) -> None:
        self._mine.discard(row.delivery.id)
        if failure is None:
            await self._went_out(row, receipt)
        else:
            await self._failed(lane, row, limits, failure)

    async def _went_out(self, row: Claimed, receipt: Receipt) -> None:
        metrics.sent.labels(row.platform).inc()
        if row.takes_back is not None:
            await self._record(lambda uow: self._taken_back(uow, row, receipt))
            self.wake()
            return
        await self._record(lambda uow: self._said(uow, row, receipt))
        if isinstance(row.still, StillSending):
            # Its files may go now.
            self.wake()

    async def _failed(
        self, lane: _Lane, row: Claimed, limits: tuple[Limit, ...], failure: SendError
    ) -> None:
        row_id, code, kind = row.delivery.id, failure.code, type(failure).__name__.lower()
        metrics.not_sent.labels(row.platform, kind).inc()
        has_words = row.delivery.content.file is None
        is_new = row.takes_back is None and not row.is_update
        if isinstance(failure, Unreachable) and is_new and has_words:
            unreached = failure
            await self._record(lambda uow: self._unreached(uow, row_id, unreached))
            self.wake()
            return
        wait = self._wait(row.attempts, failure)
        if isinstance(failure, Transient) and failure.retry_after is not None:
            cooled = [limit for limit in limits if limit.key.startswith(failure.cools)]
            self._throttle.cool(cooled, time.monotonic() + wait)
        final = isinstance(failure, Permanent) or (
            isinstance(failure, Unsure) and (not failure.repeatable or self._told_once(row))
        )
        if final or row.attempts + 1 >= self._pace.attempts or self._is_old(row):
            if row.takes_back is not None:
                await self._record(lambda uow: self._taken_back(uow, row, None))
                self.wake()
                return
            if row.is_update and isinstance(failure, Outdated):
                await self._record(lambda uow: uow.outbox.superseded(row_id, "cannot_update"))
                return
            level = logging.WARNING if has_words else logging.INFO
            _log.log(level, "message.dead", extra={"row": row_id, "code": code, "kind": kind})
            await self._record(lambda uow: _give_up(uow, row, f"{kind}:{code}"))
            return
        # The lane waits with its head, so that a ticket's messages keep their order.
        next_try = time.time() + wait
        lane.blocked_until = max(lane.blocked_until, time.monotonic() + wait)
        await self._hold_back(
            lane, [row], next_try, lambda uow: uow.outbox.retry(row_id, next_try, code)
        )

    def _is_old(self, row: Claimed) -> bool:
        """Tried for a day by both clocks: a moved demo clock ages nothing."""
        now = min(time.time(), self._now().timestamp())
        return row.attempts > 0 and now - row.created_wall > LONGEST_SECONDS

    def _wait(self, attempts: int, failure: SendError) -> float:
        if isinstance(failure, Expired):
            return self._pace.first_retry
        wait: float = min(self._pace.first_retry * 2**attempts, self._pace.longest_retry)
        if isinstance(failure, Transient) and failure.retry_after is not None:
            # Believed at first; who names a short wait again and again would use up the tries.
            more = wait if attempts >= _BELIEVED else 0.0
            return min(max(failure.retry_after, more), self._pace.longest_retry)
        return wait * random.uniform(0.8, 1.2)
