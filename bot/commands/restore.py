"""restore: put a backup in the place of the database."""

import argparse
from pathlib import Path

NAME = "restore"
HELP = "用备份恢复数据库；已有数据时要加 --force，原来的会先备份"

_WHY = {
    "in_use": "它正被使用，请用 backup 命令做出的备份",
    "audit": "操作日志对不上",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="文件", type=Path, help="backup 做出的备份")
    parser.add_argument("--force", action="store_true", help="覆盖已有的数据")


def run(args: argparse.Namespace) -> int:
    import sys

    from bot.progress import counted
    from bot.settings import load
    from storage.backup import InTheWay, Unusable, restore

    if not args.file.is_file():
        print(f"没有找到 {args.file}，请核对路径。", file=sys.stderr)
        return 2
    try:
        done = restore(args.file, load().database_url, args.force, counted("已恢复", "张表"))
    except InTheWay:
        print(
            "数据库里已有数据，没有恢复。确定要覆盖请加 --force，原来的会先备份。", file=sys.stderr
        )
        return 2
    except Unusable as error:
        why = _WHY.get(str(error), "文件不完整，或不是本程序的备份")
        print(f"{args.file} 不能用：{why}。数据库没有改动。", file=sys.stderr)
        return 1
    print(f"已恢复：{done.tickets} 件工单。")
    if done.kept is not None:
        print(f"原来的数据备份在 {done.kept}。")
    if done.unsent:
        print(f"其中 {done.unsent} 条消息备份时还没发出，启动后会发出。")
    return 0
