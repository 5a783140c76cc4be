"""roster import FILE, roster export FILE."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handlers.domain.rota import RotaRow

NAME = "roster"
HELP = "导入或导出企业名册和人员表，导入值班表"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    take = actions.add_parser("import", help="导入 .xlsx .xls .csv")
    take.add_argument("file", type=Path)
    take.add_argument("--dry-run", action="store_true", help="只看结果，不保存")
    take.add_argument("--report", type=Path, help="把结果写成 JSON 文件")
    give = actions.add_parser("export", help="导出 .xlsx 或 .csv")
    give.add_argument("file", type=Path)
    give.add_argument("--people", action="store_true", help="导出人员表")


def run(args: argparse.Namespace) -> int:
    from bot.files import UnreadableFile, read_rows, write_table
    from bot.offline import opened
    from handlers.chat.outbound import Content
    from handlers.domain.roster import COLUMNS, PEOPLE_COLUMNS, cleaned
    from handlers.domain.rota import from_rows
    from handlers.ports import Outgoing
    from handlers.services.roster import RosterService
    from handlers.texts import roster as say

    if args.action == "export":
        with opened() as (uow, clock):
            service = RosterService(uow, clock)
            rows = service.people_rows() if args.people else service.rows()
            write_table(args.file, PEOPLE_COLUMNS if args.people else COLUMNS, rows)
        print(f"{say.EXPORTED} {len(rows)} 行：{args.file}")
        return 0
    if args.report is not None and not args.report.parent.is_dir():
        print(f"没有文件夹 {args.report.parent}，请核对报告路径。")
        return 2
    try:
        rows_read = read_rows(args.file)
        rota = from_rows(rows_read)
        if rota is not None:
            return _take_rota(args, rota)
        sheet = cleaned(rows_read)
    except UnreadableFile as error:
        print(error)
        return 2
    except ValueError:
        print(say.NO_HEADER)
        return 2
    with opened(keep=not args.dry_run) as (uow, clock):
        report = RosterService(uow, clock).take(sheet)
        duty = uow.people.duty_person()
        open_questions = report.remarks or report.rejected
        if open_questions and duty is not None and (report.changed or report.created):
            uow.outbox.put(Outgoing(Content(say.told_office(report)), person=duty.id))
    for name in report.created:
        print(say.created(name))
    for name, columns in report.changed:
        print(say.changed(name, columns))
    for one in (*report.remarks, *report.rejected):
        print(say.remark(one))
    print(say.summary(report, args.dry_run))
    if args.report is not None:
        plain = {
            "created": list(report.created),
            "changed": [{"name": n, "columns": list(c)} for n, c in report.changed],
            "unchanged": report.unchanged,
            "remarks": [{**asdict(r), "reason": say.why(r.problem)} for r in report.remarks],
            "rejected": [{**asdict(r), "reason": say.why(r.problem)} for r in report.rejected],
        }
        args.report.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0


def _take_rota(args: argparse.Namespace, rows: "Sequence[RotaRow]") -> int:
    from bot.offline import opened
    from handlers.services.duty import DutyService
    from handlers.texts import leaves as say

    with opened(keep=not args.dry_run) as (uow, clock):
        done = DutyService(uow, clock, uow.calendar.current()).take(rows, "command line")
    rejected = [
        {"row": row, "name": name, "reason": say.refused_row(row, name, why)}
        for row, name, why in done.rejected
    ]
    for one in rejected:
        print(one["reason"])
    print(say.taken(done.changed, done.unchanged, len(rejected), args.dry_run))
    if args.report is not None:
        plain = {"changed": done.changed, "unchanged": done.unchanged, "rejected": rejected}
        args.report.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0
