"""A movable clock goes on, and what falls due on the way is done at its own instant."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from storage.uow import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.app import App

# A year of a busy office has fewer; beyond it something does not get done and must not hold time.
_MOST_STOPS: Final = 50_000


def next_instant(uow: UnitOfWork) -> datetime | None:
    """When the next thing is due: a rung of the ladder, a plan, a message that waits for its time,
    the next batch of an announcement, the end of a survey or of a sign-up."""
    due = (
        uow.tickets.next_due(),
        uow.schedules.next_at(),
        uow.outbox.next_opening(),
        uow.signups.next_at(),
        uow.surveys.next_at(),
        uow.announcements.next_at(),
    )
    return min((at for at in due if at is not None), default=None)


async def passes(app: "App", until: datetime, platforms: "Iterable[str] | None" = None) -> None:
    """Move the clock to `until`, stopping at each due instant; raises ValueError for the past."""
    from bot.clock import MovableClock

    clock = app.clock
    assert isinstance(clock, MovableClock)
    if until < clock.now():
        raise ValueError("the clock only goes forward")
    wanted = None if platforms is None else list(platforms)
    overdue: datetime | None = None
    for _ in range(_MOST_STOPS):
        at = await app.writer.read(next_instant)
        now = clock.now()
        if at is None or at > until or (at <= now and at == overdue):
            break
        overdue = at if at <= now else None
        if at > now:
            clock.set(at)
        await _work(app, wanted)
    if until > clock.now():
        clock.set(until)
    await _work(app, wanted)


async def _work(app: "App", platforms: list[str] | None) -> None:
    await app.ticker.run_all()
    await app.dispatcher.drain(platforms)
