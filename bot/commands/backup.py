"""backup: a checked copy of the whole database in one file."""

import argparse
from pathlib import Path

NAME = "backup"
HELP = "把整个数据库备份成一个核对过的文件，机器人不用停"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="文件", type=Path, help="备份写到哪里")


def run(args: argparse.Namespace) -> int:
    import sys

    from bot.progress import counted
    from bot.settings import load
    from storage.backup import InTheWay, Unusable, backup

    try:
        made = backup(load().database_url, args.out, counted("已备份", "张表"))
    except InTheWay:
        print(f"{args.out} 已经有了，请换个文件名。", file=sys.stderr)
        return 2
    except Unusable as error:
        print(f"数据库核对不通过（{error}），没有留下备份，请运行 doctor。", file=sys.stderr)
        return 1
    print(
        f"已备份到 {args.out}：{made.tickets} 件工单，{made.size / 1024 / 1024:.1f} MB，核对无误。"
    )
    print("设置文件 .env 不在备份里，请另外保存。")
    return 0
