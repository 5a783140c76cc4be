"""demo: SQLite, the sample registry, the sandbox and a clock that can be moved."""

import argparse
from pathlib import Path

NAME = "demo"
HELP = "演示：自带样例企业的网页聊天，打开就能用"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8080, help="端口，默认 8080")
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="数据目录")
    parser.add_argument("--clock", help="时钟从何时开始，例如 2026-11-24T09:00:00+08:00")
    parser.add_argument("--speed", type=float, default=1.0, help="时钟快慢，默认 1")
    parser.add_argument("--no-browser", action="store_true", help="不打开浏览器")
    parser.add_argument("--empty", action="store_true", help="不装样例企业")


def run(args: argparse.Namespace) -> int:
    import os
    import secrets
    import sys
    import webbrowser
    from datetime import UTC, datetime, timedelta
    from hashlib import sha256
    from zoneinfo import ZoneInfo

    from bot import app as application
    from bot import logs, registry
    from bot.clock import MovableClock
    from bot.platform import ConfigError
    from bot.platforms.sandbox import SandboxPlatform
    from bot.run import serve
    from bot.sandbox import AHEAD
    from bot.seed import load_sample
    from handlers.domain.people import Token
    from storage.db import engine_for, writer_connection
    from storage.migrate import upgrade
    from storage.uow import Shared, UnitOfWork

    start = None
    if args.clock:
        try:
            start = datetime.fromisoformat(args.clock)
        except ValueError:
            raise ConfigError(["--clock 请写完整时间，例如 2026-11-24T09:00:00+08:00。"]) from None
        if start.tzinfo is None:
            start = start.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        start = start.astimezone(UTC)
    data: Path = args.data
    data.mkdir(parents=True, exist_ok=True)
    overrides = {
        "LHG_DATABASE_URL": f"sqlite:///{data / 'lhg.db'}",
        "LHG_LISTEN": f"127.0.0.1:{args.port}",
        "LHG_SANDBOX": "1",
    }
    settings = application.read_settings(overrides=overrides)
    registry.routers()
    logs.configure("text", level=30)
    clock = MovableClock(start, args.speed)
    upgrade(settings.database_url)
    token_file = data / "token"
    if not token_file.exists():
        token_file.touch(mode=0o600)
        token_file.write_text(secrets.token_urlsafe(24))
    token = settings.bootstrap_token or token_file.read_text().strip()
    engine = engine_for(settings.database_url)
    connection = writer_connection(engine)
    with connection.begin():
        uow = UnitOfWork(connection, Shared(clock.now))
        if start is None:
            # What happened on a day that the clock was moved to stays past.
            ahead = float(uow.notes.get(SandboxPlatform.name, AHEAD) or 0)
            if ahead > 0:
                clock.set(clock.now() + timedelta(seconds=ahead))
        if not args.empty:
            load_sample(uow, clock)
        digest = sha256(token.encode()).hexdigest()
        if uow.tokens.by_secret(digest) is None:
            uow.tokens.add(Token("demo", "write", None, clock.now()), digest)
    connection.close()
    engine.dispose()

    def ready(port: int) -> None:
        address = f"http://127.0.0.1:{port}"
        print(f"演示已启动：{address}/sandbox/")
        print(f"接口令牌：{token}")
        print("按 Ctrl+C 结束。", flush=True)
        screen = sys.platform != "linux" or os.environ.get("DISPLAY")
        if not args.no_browser and (screen or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(f"{address}/sandbox/")

    serve(lambda: application.build(settings, clock), ready)
    return 0
