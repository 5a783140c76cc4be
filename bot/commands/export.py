"""export tickets|visits|surveys --from --to --format xlsx|csv OUT."""

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.clock import SystemClock
    from storage.uow import UnitOfWork


NAME = "export"
HELP = "导出台账"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", required=True)
    for what, about in (("tickets", "诉求台账"), ("visits", "走访台账"), ("surveys", "摸排汇总")):
        one = actions.add_parser(what, help=about)
        one.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="从哪一天起；不写是全部"
        )
        one.add_argument(
            "--to", dest="last", type=date.fromisoformat, help="到哪一天为止，含当天；不写到今天"
        )
        one.add_argument("--format", choices=("xlsx", "csv"), help="不写按文件名的结尾")
        one.add_argument("out", type=Path, help="写到哪个文件")


def run(args: argparse.Namespace) -> int:
    import sys
    from datetime import datetime, time, timedelta

    from bot.offline import opened

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
        ledger = _tickets if args.what == "tickets" else _visits
        title, columns, hidden, rows = ledger(uow, clock, since, until)
    if form == "xlsx":
        from bot.papers.workbook import book
        from handlers.texts.ledgers import cell

        table = (title, columns, [[cell(c, r[c]) for c in columns] for r in rows])
        args.out.write_bytes(book([table], hidden))
    else:
        from bot.files import write_csv

        write_csv(args.out, columns, rows)
    print(f"已导出 {len(rows)} {'件' if args.what == 'tickets' else '次'}：{args.out}")
    return 0


_Ledger = tuple[str, tuple[str, ...], frozenset[str], list[dict[str, str]]]


def _tickets(
    uow: "UnitOfWork", clock: "SystemClock", since: "datetime", until: "datetime"
) -> _Ledger:
    from handlers.services.ledgers import LedgerService
    from handlers.texts import ledgers as say

    return say.LEDGER, say.COLUMNS, say.HIDDEN, LedgerService(uow).rows(since, until)


def _visits(
    uow: "UnitOfWork", clock: "SystemClock", since: "datetime", until: "datetime"
) -> _Ledger:
    from handlers.services.tickets import TicketService
    from handlers.services.visits import VisitService
    from handlers.texts import visits as say
    from handlers.understanding import FirmNames

    calendar = uow.calendar.current()
    tickets = TicketService(uow, clock, calendar)
    service = VisitService(uow, clock, calendar, tickets, FirmNames(()))
    return say.BOOK, say.COLUMNS, frozenset(), service.rows(since, until)


def _surveys(
    out: Path,
    form: str,
    uow: "UnitOfWork",
    clock: "SystemClock",
    since: "datetime",
    until: "datetime",
) -> int:
    from handlers.ports import NO_LINKS
    from handlers.services.surveys import Surveys
    from handlers.texts import surveys as say
    from handlers.understanding import FirmNames
    from handlers.understanding.lexicon import shipped

    calendar = uow.calendar.current()
    service = Surveys(uow, clock, calendar, FirmNames(()), shipped(), NO_LINKS)
    found = [s for s in uow.surveys.opened_since(since) if s.opened_at and s.opened_at < until]
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
