"""calendar import FILE, calendar show YEAR."""

import argparse
import json
from pathlib import Path

NAME = "calendar"
HELP = "导入或查看年度放假安排"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    take = actions.add_parser("import", help="导入 .csv .xlsx .json")
    take.add_argument("file", type=Path)
    take.add_argument("--dry-run", action="store_true", help="只看结果，不保存")
    show = actions.add_parser("show", help="查看一年的安排")
    show.add_argument("year", type=int)


def run(args: argparse.Namespace) -> int:
    from bot.files import UnreadableFile, read_rows
    from bot.offline import opened
    from handlers.domain.calendar import year_of
    from handlers.domain.calendar_table import KIND_NAMES, STATUS_NAMES, from_plain, from_rows
    from handlers.domain.workdays import BadCalendar
    from handlers.services.calendars import CalendarService
    from handlers.texts import calendar as say

    if args.action == "show":
        with opened(keep=False) as (uow, _):
            calendar = uow.calendar.current()
        for line in year_of(calendar, args.year):
            print(f"{line.on} {KIND_NAMES[line.kind]} {STATUS_NAMES[line.status]} {line.name}")
        if args.year not in calendar.published:
            print(say.missing(args.year))
        return 0
    try:
        if args.file.suffix.lower() == ".json":
            table = from_plain(json.loads(args.file.read_text(encoding="utf-8-sig")))
        else:
            table = from_rows(read_rows(args.file))
        with opened(keep=not args.dry_run) as (uow, clock):
            done = CalendarService(uow, clock).save_years(table, "command line")
    except UnreadableFile as error:
        print(error)
        return 2
    except (OSError, ValueError):
        print(f"打不开 {args.file.name}，请核对路径和格式。")
        return 2
    except BadCalendar as error:
        print(say.faults(error.faults))
        return 2
    print(say.saved(done.lines, done.recounted, args.dry_run))
    return 0
