"""export tickets|surveys --from --to --format xlsx|csv OUT."""

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

NAME = "export"
HELP = "导出台账"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", required=True)
    for what, about in (("tickets", "诉求台账"), ("surveys", "摸排汇总")):
        one = actions.add_parser(what, help=about)
        one.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="从哪一天起；不写是全部"
        )
        one.add_argument(
            "--to", dest="last", type=date.fromisoformat, help="到哪一天为止，含当天；不写到今天"
        )
        one.add_argument("--format", choices=("xlsx", "csv"), help="不写按文件名的结尾")
        one.add_argument("out", type=Path, help="写到哪个文件")
    templates = actions.add_parser("templates", help="单据模板，改好后把文件夹写进 LHG_TEMPLATES")
    templates.add_argument("out", type=Path, help="写到哪个文件夹")


def run(args: argparse.Namespace) -> int:
    import sys
    from datetime import datetime, time, timedelta

    from bot.offline import opened

    if args.what == "templates":
        return _templates(args.out)
    ending = args.out.suffix.lower().lstrip(".")
    form = args.format or ending
    if form not in ("xlsx", "csv"):
        print("请用 --format 写明 xlsx 或 csv。", file=sys.stderr)
        return 2
    with opened(keep=False) as (uow, clock):
        zone = uow.calendar.current().zone
        today = clock.now().astimezone(zone).date()
        first = args.first or date(1970, 1, 1)
        last = args.last or max(today, first)
        if last < first:
            print("--to 要不早于 --from。", file=sys.stderr)
            return 2
        since = datetime.combine(first, time(), zone)
        until = datetime.combine(last + timedelta(days=1), time(), zone)
        if args.what == "surveys":
            return _surveys(args.out, form, uow, clock, since, until)
        return _tickets(args.out, form, uow, since, until)


def _tickets(out: Path, form: str, uow: Any, since: "datetime", until: "datetime") -> int:
    from handlers.services.ledgers import LedgerService
    from handlers.texts import ledgers as say

    rows = LedgerService(uow).rows(since, until)
    if form == "xlsx":
        from bot.papers.workbook import book

        table = (say.LEDGER, say.COLUMNS, [[r[c] for c in say.COLUMNS] for r in rows])
        out.write_bytes(book([table], say.HIDDEN))
    else:
        from bot.files import write_csv

        write_csv(out, say.COLUMNS, rows)
    print(f"已导出 {len(rows)} 件：{out}")
    return 0


def _surveys(
    out: Path, form: str, uow: Any, clock: Any, since: "datetime", until: "datetime"
) -> int:
    from handlers.ports import NO_LINKS
    from handlers.services.surveys import Surveys
    from handlers.texts import surveys as say
    from handlers.understanding import FirmNames
    from handlers.understanding.lexicon import shipped

    calendar = uow.calendar.current()
    service = Surveys(uow, clock, calendar, FirmNames(()), shipped(), NO_LINKS)
    found = [s for s in uow.surveys.opened_since(since) if s.opened_at < until]
    found.reverse()
    if form == "xlsx":
        from bot.papers.workbook import book

        tables = [service.sheet(survey, None) for survey in found]
        out.write_bytes(book(tables or [(say.SHEET, say.LINE, [])]))
    else:
        from bot.files import write_csv

        write_csv(out, say.LINE, [line for survey in found for line in service.lines(survey)])
    print(say.exported(len(found), out))
    return 0


def _templates(folder: Path) -> int:
    from bot.papers.slips import template
    from handlers.texts.slips import TITLES

    folder.mkdir(parents=True, exist_ok=True)
    for kind, title in TITLES.items():
        path = folder / f"{title}.docx"
        if path.exists():
            print(f"已有 {path}，没有改动。")
            continue
        path.write_bytes(template(kind))
        print(f"已写出 {path}")
    return 0
