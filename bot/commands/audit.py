"""audit verify: walk the hash chain."""

import argparse

NAME = "audit"
HELP = "核对操作日志有没有被改动"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("verify", help="核对哈希链")


def run(args: argparse.Namespace) -> int:
    from bot.settings import load
    from storage.db import engine_for
    from storage.migrate import upgrade
    from storage.uow import Shared, UnitOfWork

    settings = load()
    upgrade(settings.database_url)
    engine = engine_for(settings.database_url)
    with engine.connect() as connection:
        uow = UnitOfWork(connection, Shared())
        broken = uow.audit.verify()
        count = len(uow.audit.lines(1)) and uow.audit.lines(1)[0]["id"]
    engine.dispose()
    if broken is not None:
        print(f"日志从第 {broken} 条起对不上，可能被改动或缺失。")
        return 1
    print(f"日志完整，共 {count} 条。")
    return 0
