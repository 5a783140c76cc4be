"""One unit of work for a command of the command line, outside any running bot."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.clock import SystemClock
from bot.settings import Settings, load
from storage.db import engine_for, writer_connection
from storage.migrate import upgrade
from storage.uow import Shared, UnitOfWork


@contextmanager
def opened(
    settings: Settings | None = None, keep: bool = True
) -> Iterator[tuple[UnitOfWork, SystemClock]]:
    """A unit of work on the configured database; rolled back where `keep` is false."""
    settings = settings or load()
    upgrade(settings.database_url)
    engine = engine_for(settings.database_url)
    clock = SystemClock()
    connection = writer_connection(engine)
    try:
        transaction = connection.begin()
        try:
            yield UnitOfWork(connection, Shared(clock.now)), clock
        except BaseException:
            transaction.rollback()
            raise
        if keep:
            transaction.commit()
        else:
            transaction.rollback()
    finally:
        connection.close()
        engine.dispose()
