"""migrate: bring the schema up to date."""

import argparse

NAME = "migrate"
HELP = "把数据库升级到当前版本"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", default="head", help="升级到指定版本，默认最新")


def run(args: argparse.Namespace) -> int:
    import sys

    from bot.settings import load
    from storage.migrate import OlderRevision, UnknownRevision, head, upgrade

    settings = load()
    try:
        upgrade(settings.database_url, args.to)
    except UnknownRevision:
        print(f"没有版本 {args.to}，请写 head 或 {head()} 这样的版本号。", file=sys.stderr)
        return 2
    except OlderRevision as error:
        print(f"数据库已是 {error}，不能退回 {args.to}；要退回请用备份。", file=sys.stderr)
        return 2
    print("数据库已是最新。" if args.to == "head" else f"数据库已升级到 {args.to}。")
    return 0
