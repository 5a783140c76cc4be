"""import tickets FILE: a ledger that `export tickets` wrote, back into a database."""

import argparse
from pathlib import Path

NAME = "import"
HELP = "把导出的台账读回来"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", required=True)
    tickets = actions.add_parser("tickets", help="诉求台账，须是 export tickets 导出的")
    tickets.add_argument("file", type=Path)
    tickets.add_argument("--dry-run", action="store_true", help="只看结果，不保存")


def run(args: argparse.Namespace) -> int:
    import sys

    from bot.files import UnreadableFile, read_rows
    from bot.offline import opened
    from handlers.services.ledgers import LedgerService
    from handlers.texts import ledgers as say

    try:
        rows = read_rows(args.file)
    except UnreadableFile as error:
        print(error, file=sys.stderr)
        return 2
    header = rows[0][1] if rows else []
    if say.RECORD not in header:
        print("这不是导出的台账：没有「数据」列。", file=sys.stderr)
        return 2
    with opened(keep=not args.dry_run) as (uow, _):
        done = LedgerService(uow).take(
            (number, dict(zip(header, cells, strict=False))) for number, cells in rows[1:]
        )
    for number, reason in done.rejected:
        print(say.rejected(number, reason))
    print(say.imported(done.taken, done.same, len(done.rejected)))
    return 1 if done.rejected else 0
