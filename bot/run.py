"""Start an App and serve it until it is told to stop."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

from aiohttp import web

from bot.app import App
from bot.platform import ConfigError
from bot.settings import cannot_listen

_log = logging.getLogger("bot.run")
_SWITCH_SECONDS = 0.0005


async def _serve(app: App, ready: Callable[[int], None]) -> None:
    await app.start()
    runner = web.AppRunner(app.web, access_log=None, shutdown_timeout=3.0)
    await runner.setup()
    site = web.TCPSite(runner, app.settings.host, app.settings.port)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        try:
            await site.start()
        except OSError as error:
            raise ConfigError([cannot_listen(app.settings, error)]) from error
        server = site._server
        sockets = [] if server is None else list(getattr(server, "sockets", []) or [])
        ready(sockets[0].getsockname()[1] if sockets else app.settings.port)
        _log.info("started", extra={"port": app.settings.port})
        await stop.wait()
    finally:
        await runner.cleanup()
        await app.stop()
        _log.info("stopped")


def serve(build: Callable[[], App], ready: Callable[[int], None]) -> None:
    """Run until SIGINT or SIGTERM; uvloop where it is there."""
    # The writer's thread works in Python: with the default 5 ms the loop answers in steps of 5 ms.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:

        async def main() -> None:
            await _serve(build(), ready)

        runner.run(main())
