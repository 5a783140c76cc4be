"""Composition root: builds every object once, starts and stops them in order."""

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import health, model_service, pages, registry, second_stage
from bot.clock import MovableClock, SystemClock
from bot.dispatcher import Dispatcher, Pace
from bot.drafts import Drafts
from bot.fetcher import Fetcher
from bot.fetcher import Pace as FetchPace
from bot.ingress import MOST_BYTES, Ingress
from bot.leading import LEADER, Ownership
from bot.lines import Alarm, Hears, Lines
from bot.links import SignedLinks
from bot.login import Login
from bot.model_service import ModelService
from bot.notes import DatabaseNotes
from bot.platform import ConfigError, Line, Noting, Platform, Section, Setting, Starts
from bot.second_stage import Encoder
from bot.settings import CORE, Settings, load, no_model
from bot.ticker import Ticker
from bot.wiring import Wiring, book_of, wants
from bot.worker import Worker
from bot.writer import Writer
from handlers.services.lines import LineAlarm
from handlers.understanding.model import Model, unpack
from handlers.understanding.reader import use
from storage.db import engine_for
from storage.locks import holding
from storage.uow import Shared, UnitOfWork

_log = logging.getLogger("bot.app")


def platform_settings() -> list[Setting]:
    """Every key that the platforms read."""
    return [s for module in registry.platforms().values() for s in module.SETTINGS]


def secrets_of(settings: Settings) -> list[str]:
    """The values that must never be shown, whatever they stand in."""
    known = [s.key for s in (*CORE, *platform_settings()) if s.secret]
    return [settings.values[key] for key in known if settings.values[key]]


def read_settings(
    env_file: Path | None = None, overrides: Mapping[str, str] | None = None
) -> Settings:
    """The whole configuration, checked; raises ConfigError with the mistakes of every part."""
    return load(platform_settings(), env_file, overrides, _platform_problems)


def _platform_problems(section: Section) -> Sequence[str]:
    try:
        _platforms(section)
    except ConfigError as error:
        return error.problems
    return ()


def build_platforms(settings: Settings) -> dict[str, Platform]:
    """The platforms that are on; raises ConfigError with all their problems."""
    return _platforms(Section(settings.values, settings.bot_names, settings.public_url))


def _platforms(section: Section) -> dict[str, Platform]:
    found: dict[str, Platform] = {}
    problems: list[str] = []
    for name, module in registry.platforms().items():
        try:
            platform = module.build(section)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        if platform is not None:
            found[name] = platform
    if problems:
        raise ConfigError(problems)
    return found


def model_of(path: str) -> Model | None:
    """The model of LHG_MODEL, None for the shipped one.

    Raises ConfigError: a bot that reads with another model than it was told would mislead.
    """
    if not path:
        return None
    try:
        model = unpack(Path(path).read_bytes())
        model.probabilities(())
    except (OSError, ValueError, LookupError, TypeError, zlib.error) as error:
        raise ConfigError([no_model(path, error)]) from error
    return model


@dataclass(slots=True)
class App:
    """One running bot."""

    settings: Settings
    clock: SystemClock | MovableClock
    platforms: dict[str, Platform]
    writer: Writer
    wiring: Wiring
    worker: Worker
    dispatcher: Dispatcher
    fetcher: Fetcher
    ticker: Ticker
    lines: Lines
    web: web.Application
    engine: Any
    ownership: Ownership
    second: Encoder | None = None
    model: ModelService | None = None

    async def start(self) -> None:
        """Take the database, then the loops; what was left over is worked on first."""
        self.ownership.start()
        self.writer.start()
        await self.writer.run(lambda uow: self.wiring.announcing(uow).after_a_break())
        self.worker.start()
        self.dispatcher.start()
        self.fetcher.start()
        for platform in self.platforms.values():
            if isinstance(platform, Starts):
                await platform.start()
        await self.ticker.seed()
        self.ticker.start()
        self.lines.led(self.ownership.leads())
        if self.model is not None:
            self.model.start()
        if self.second is not None:
            # In its own thread, so that the first unsure message does not wait for it.
            self.second.preload()

    async def stop(self) -> None:
        await self.lines.stop()
        await self.ticker.stop()
        await self.worker.stop()
        if self.second is not None:
            self.second.close()
        if self.model is not None:
            await self.model.stop()
        await self.fetcher.stop()
        await self.dispatcher.stop()
        await self.writer.stop()
        for platform in self.platforms.values():
            await platform.close()
        self.engine.dispose()
        await self.ownership.stop()


def _alarm(writer: Writer, clock: SystemClock | MovableClock, dispatcher: Dispatcher) -> Alarm:
    """Tells whoever is on duty that a line is lost; other ways to that person may be open."""

    async def alarm(line: Line) -> None:
        await writer.run(lambda uow: LineAlarm(uow, clock).taken_over(line.name, line.title))
        dispatcher.wake()

    return alarm


def _hears(writer: Writer, clock: SystemClock | MovableClock, dispatcher: Dispatcher) -> Hears:
    """Notes that a line hears; after a long silence its groups are told that it did not."""

    async def hears(platform: Platform, line: Line) -> None:
        # A clock that is moved says nothing of how long nobody heard.
        now = datetime.now(UTC)

        def note(uow: UnitOfWork) -> bool:
            key = f"heard:{line.name}"
            since = uow.notes.get(platform.name, key)
            uow.notes.put(platform.name, key, now.isoformat())
            if not since:
                return False
            return LineAlarm(uow, clock).back(
                platform.name, line.name, datetime.fromisoformat(since), now
            )

        if await writer.run(note):
            dispatcher.wake()

    return hears


def build(
    settings: Settings,
    clock: SystemClock | MovableClock | None = None,
    platforms: dict[str, Platform] | None = None,
    pace: Pace | None = None,
    *,
    fetch_pace: FetchPace = FetchPace(),
    patient: bool = False,
    model_patience: model_service.Patience = model_service.Patience(),
) -> App:
    """Everything wired and checked, nothing started; raises ConfigError or WiringError.

    `patient`: the second reader's opinion is waited for however long it takes, so that the same
    messages always come to the same.
    """
    clock = clock or SystemClock()
    use(model_of(settings.values["LHG_MODEL"]))
    on = build_platforms(settings) if platforms is None else platforms
    book = book_of(registry.routers())
    jobs = registry.jobs()
    for job in jobs:
        wants(job)
    engine = engine_for(settings.database_url)
    directly = frozenset(n for n, p in on.items() if p.can.direct)
    writer = Writer(engine, Shared(clock.now, sorted(directly)))
    for platform in on.values():
        if isinstance(platform, Noting):
            platform.notes = DatabaseNotes(writer, platform.name)
    address = settings.public_url or settings.own_url
    links = SignedLinks(settings.secret_key, address, clock.now)
    wiring = Wiring(book, clock, settings.bot_names, settings.ticket_prefix, directly, links)
    # A clock that is moved cannot be another process's too.
    sole = isinstance(clock, MovableClock)
    ownership = Ownership(holding(settings.database_url, sole))
    dispatcher = Dispatcher(writer, on, clock.now, pace or Pace(), ownership.leads, ownership.ring)
    drafts = Drafts(writer, wiring.uploads, dispatcher.wake)
    fetcher = Fetcher(writer, on, ownership.leads, fetch_pace, drafts.take_in)
    section = Section(settings.values, settings.bot_names, settings.public_url)
    second = second_stage.build(section, patient)
    worker = Worker(writer, wiring, dispatcher.wake, second)
    model = model_service.build(
        section, writer, clock, settings.zone, dispatcher.wake, model_patience
    )
    ticker = Ticker(jobs, writer, wiring, settings.zone, ownership.leads)

    application = web.Application(client_max_size=MOST_BYTES, middlewares=[pages.spoken])
    ingress = Ingress(on, worker, writer)
    lines = Lines(on, ingress, _alarm(writer, clock, dispatcher), _hears(writer, clock, dispatcher))

    def led(leads: bool) -> None:
        dispatcher.woken()
        fetcher.led()
        ticker.led(leads)
        lines.led(leads)

    ownership.want(LEADER, led)
    ownership.on_bell(dispatcher.woken)
    app = App(
        settings,
        clock,
        on,
        writer,
        wiring,
        worker,
        dispatcher,
        fetcher,
        ticker,
        lines,
        application,
        engine,
        ownership,
        second,
        model,
    )
    application.add_routes(ingress.routes())
    application.add_routes(pages.routes(writer, clock, links, settings.templates))
    login = Login(writer, on, registry.titles(), settings.secret_key, address)
    application.add_routes(login.routes())
    application.add_routes(health.routes(writer, ticker.keeps_time, ownership.leads, lines.states))
    from bot import api

    application.add_routes(api.routes(app))
    if "sandbox" in on:
        from bot import sandbox

        sandbox.attach(app)
    return app
