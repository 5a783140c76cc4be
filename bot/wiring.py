"""The one table "type -> how to make it" that injection reads, for routes and jobs alike."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, get_type_hints

from handlers.chat.events import InboundEvent
from handlers.chat.router import Book, Router, WiringError
from handlers.domain.schedule import Schedule, ScheduleKind
from handlers.domain.workdays import WorkCalendar
from handlers.ports import NO_LINKS, Clock, Job, Links, Work
from handlers.services.announcements import Announcing
from handlers.services.attachments import Attachments
from handlers.services.briefs import BriefService
from handlers.services.callbacks import CallBackService
from handlers.services.campaigns import CampaignService
from handlers.services.corrections import Corrections
from handlers.services.drafting import Drafting
from handlers.services.duty import DutyService
from handlers.services.examples import Examples
from handlers.services.groups import GroupService
from handlers.services.handover import HandOver
from handlers.services.leaves import LeaveService
from handlers.services.moves import Asked, Moves
from handlers.services.people import PeopleService, Speaker
from handlers.services.policies import PolicyService
from handlers.services.reminders import ReminderService
from handlers.services.reminding import Reminding
from handlers.services.schedules import ScheduleService
from handlers.services.signups import SignUps
from handlers.services.slips import SlipService
from handlers.services.speech import FIRST_ONLY, Second, SpeechService
from handlers.services.surveys import Surveys
from handlers.services.tickets import TicketService
from handlers.services.turn import BotName, Tools, Turn
from handlers.services.uploads import Uploads
from handlers.services.visits import VisitService
from handlers.understanding import FirmNames, Lexicon
from handlers.understanding.lexicon import shipped
from storage.uow import UnitOfWork


@dataclass(slots=True)
class Firms:
    """The index of firm names, built again when the registry changes."""

    version: int = -1
    index: FirmNames = field(default_factory=lambda: FirmNames(()))

    def of(self, work: Work) -> FirmNames:
        version = work.people.registry_version()
        if version != self.version:
            self.index = FirmNames(
                (e.id, e.short_name, e.aliases, e.full_name)
                for e in work.people.enterprises()
                if e.active
            )
            self.version = version
        return self.index


@dataclass(slots=True)
class Words:
    """The lexicon in force, made again when the office changes a word."""

    held: tuple[int, Lexicon] | None = None

    def of(self, work: Work) -> Lexicon:
        version = work.words.version()
        held = self.held
        if held is None or held[0] != version:
            changes = ((row.word, row.category, row.weight) for row in work.words.rows())
            held = (version, shipped().with_changes(changes))
            # One assignment: readers share it with other threads.
            self.held = held
        return held[1]


def _tickets(turn: Turn) -> TicketService:
    tools = turn.tools
    return TicketService(tools.work, tools.clock, tools.calendar, tools.prefix)


def _people(turn: Turn) -> PeopleService:
    return PeopleService(turn.tools.work, turn.tools.clock, turn.tools.firms)


def _timed(service: Callable[[Work, Clock, WorkCalendar], Any]) -> Callable[[Turn], Any]:
    """What needs the stores, the clock and the calendar, and nothing else."""
    return lambda turn: service(turn.tools.work, turn.tools.clock, turn.tools.calendar)


def _moves(turn: Turn) -> Moves:
    tools = turn.tools
    return Moves(
        tools.work, tools.clock, tools.calendar, _tickets(turn), _people(turn), tools.lexicon
    )


def _surveys(turn: Turn) -> Surveys:
    tools = turn.tools
    return Surveys(tools.work, tools.clock, tools.calendar, tools.firms, tools.lexicon, tools.links)


def _policies(turn: Turn) -> PolicyService:
    tools = turn.tools
    return PolicyService(tools.work, tools.clock, tools.calendar, _tickets(turn))


def _visits(turn: Turn) -> VisitService:
    tools = turn.tools
    return VisitService(
        tools.work, tools.clock, tools.calendar, _tickets(turn), tools.firms, tools.lexicon
    )


def _campaigns(turn: Turn) -> CampaignService:
    tools = turn.tools
    return CampaignService(
        tools.work, tools.clock, tools.calendar, _tickets(turn), tools.firms, tools.lexicon
    )


def _speech(turn: Turn) -> SpeechService:
    tools = turn.tools
    moves = _moves(turn)
    return SpeechService(
        tools.work,
        tools.clock,
        moves.tickets,
        moves,
        _people(turn),
        tools.firms,
        tools.book,
        _policies(turn),
        _visits(turn),
        tools.second,
        tools.lexicon,
    )


def _drafting(turn: Turn) -> Drafting:
    tools = turn.tools
    announcing = Announcing(tools.work, tools.clock, tools.calendar, tools.links)
    return Drafting(
        turn.asked,
        turn.event,
        announcing,
        Uploads(tools.work, tools.clock, announcing),
        tools.calendar,
        tools.clock,
        tools.work,
        tools.firms,
    )


PROVIDERS: Final[Mapping[Any, Callable[[Turn], Any]]] = {
    Asked: lambda turn: turn.asked,
    InboundEvent: lambda turn: turn.event,
    Speaker: lambda turn: turn.speaker,
    Work: lambda turn: turn.tools.work,
    Clock: lambda turn: turn.tools.clock,
    WorkCalendar: lambda turn: turn.tools.calendar,
    Book: lambda turn: turn.tools.book,
    BotName: lambda turn: BotName(turn.tools.bot_names[0] if turn.tools.bot_names else ""),
    TicketService: _tickets,
    PeopleService: _people,
    Moves: _moves,
    BriefService: _timed(BriefService),
    CallBackService: lambda turn: CallBackService(
        turn.tools.work, turn.tools.clock, _tickets(turn)
    ),
    SlipService: lambda turn: SlipService(
        turn.tools.work, turn.tools.clock, turn.tools.calendar, turn.tools.links
    ),
    Attachments: lambda turn: Attachments(turn.tools.work, turn.tools.links),
    Announcing: lambda turn: Announcing(
        turn.tools.work, turn.tools.clock, turn.tools.calendar, turn.tools.links
    ),
    Drafting: _drafting,
    FirmNames: lambda turn: turn.tools.firms,
    Reminding: _timed(Reminding),
    LeaveService: _timed(LeaveService),
    DutyService: _timed(DutyService),
    HandOver: _timed(HandOver),
    GroupService: _timed(GroupService),
    ScheduleService: _timed(ScheduleService),
    SignUps: lambda turn: SignUps(
        turn.tools.work, turn.tools.clock, turn.tools.firms, turn.tools.lexicon
    ),
    Surveys: _surveys,
    SpeechService: _speech,
    PolicyService: _policies,
    VisitService: _visits,
    CampaignService: _campaigns,
    Corrections: lambda turn: Corrections(turn.tools.work, turn.tools.clock, _moves(turn)),
    Examples: lambda turn: Examples(turn.tools.work, turn.tools.clock),
}


def _make(wanted: Any, turn: Turn) -> Any:
    return PROVIDERS[wanted](turn)


def book_of(routers: list[Router]) -> Book:
    """All routes, checked; raises WiringError."""
    return Book(routers, PROVIDERS)


@dataclass(slots=True)
class Wiring:
    """Makes the tools of a unit of work."""

    book: Book
    clock: Clock
    bot_names: tuple[str, ...]
    prefix: str = "LHG"
    directly: frozenset[str] = frozenset()
    links: Links = NO_LINKS
    firms: Firms = field(default_factory=Firms)
    words: Words = field(default_factory=Words)

    def tools(self, work: UnitOfWork, second: Second = FIRST_ONLY) -> Tools:
        return Tools(
            work,
            work.clock,
            work.calendar.current(),
            self.book,
            self.firms.of(work),
            self.words.of(work),
            _make,
            self.prefix,
            self.bot_names,
            self.directly,
            second,
            self.links,
        )

    def schedules(self, work: UnitOfWork) -> ScheduleService:
        return ScheduleService(work, self.clock, work.calendar.current())

    def signups(self, work: UnitOfWork) -> SignUps:
        return SignUps(work, self.clock, self.firms.of(work), self.words.of(work))

    def surveys(self, work: UnitOfWork) -> Surveys:
        return Surveys(
            work, self.clock, work.calendar.current(), self.firms.of(work), self.words.of(work),
            self.links,
        )  # fmt: skip

    def uploads(self, work: Work) -> Uploads:
        return Uploads(work, self.clock, self.announcing(work))

    def announcing(self, work: Work) -> Announcing:
        return Announcing(work, self.clock, work.calendar.current(), self.links)

    def run_planned(self, key: str, job: Job | None, work: UnitOfWork) -> None:
        """Make the run of a schedule that is due: a job's, or the reminder that somebody set."""

        def run(schedule: Schedule, planned: datetime) -> None:
            if job is not None:
                self._run(job, work)
            elif schedule.kind is ScheduleKind.REMINDER:
                Reminding(work, self.clock, work.calendar.current()).fire(schedule, planned)
            elif schedule.kind is ScheduleKind.ANNOUNCEMENT:
                self.announcing(work).start(schedule, planned)

        self.schedules(work).run_due(key, run)

    def run_job(self, job: Job, work: UnitOfWork) -> None:
        """Run a job, unless another process is at it."""
        if work.jobs.alone(job.key):
            self._run(job, work)

    def _run(self, job: Job, work: UnitOfWork) -> None:
        """With what its parameters ask for."""
        assert job.function is not None
        calendar = work.calendar.current()
        tickets = TicketService(work, self.clock, calendar, self.prefix)
        made: dict[Any, Any] = {
            Work: work,
            UnitOfWork: work,
            Clock: self.clock,
            WorkCalendar: calendar,
            TicketService: tickets,
            ReminderService: ReminderService(work, self.clock, calendar, tickets),
            CallBackService: CallBackService(work, self.clock, tickets),
            BriefService: BriefService(work, self.clock, calendar),
            SignUps: self.signups(work),
            Surveys: self.surveys(work),
            Announcing: self.announcing(work),
            PolicyService: PolicyService(work, self.clock, calendar, tickets),
            GroupService: GroupService(work, self.clock, calendar),
        }
        job.function(**{n: made[t] for n, t in wants(job).items()})


JOB_PROVIDES: Final = frozenset(
    {
        Work,
        UnitOfWork,
        Clock,
        WorkCalendar,
        TicketService,
        ReminderService,
        BriefService,
        CallBackService,
        SignUps,
        Surveys,
        Announcing,
        PolicyService,
        GroupService,
    }
)


def wants(job: Job) -> dict[str, Any]:
    """The parameters of a job by type; raises WiringError for one that nobody provides."""
    assert job.function is not None
    hints = get_type_hints(job.function)
    found = {name: hints.get(name) for name in inspect.signature(job.function).parameters}
    missing = [f"job {job.name}: {n}: {t}" for n, t in found.items() if t not in JOB_PROVIDES]
    if missing:
        raise WiringError(missing)
    return found
