"""policy import FILE."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

NAME = "policy"
HELP = "导入惠企政策：表格一行一项，文档一份一项"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    take = actions.add_parser("import", help="导入 .xlsx .xls .csv .docx .txt .jsonl")
    take.add_argument("file", type=Path)
    take.add_argument("--dry-run", action="store_true", help="只看结果，不保存")
    take.add_argument("--report", type=Path, help="把结果写成 JSON 文件")


def run(args: argparse.Namespace) -> int:
    from bot.files import UnreadableFile, read_paragraphs, read_rows
    from bot.offline import opened
    from handlers.domain.policy_sheet import from_items, from_paragraphs, from_rows
    from handlers.services.policies import PolicyService
    from handlers.services.policy_import import PolicyImport
    from handlers.services.tickets import TicketService
    from handlers.texts import policies as say

    if args.report is not None and not args.report.parent.is_dir():
        print(f"没有文件夹 {args.report.parent}，请核对报告路径。", file=sys.stderr)
        return 2
    try:
        if args.file.suffix.lower() in (".docx", ".txt"):
            sheet = from_paragraphs(read_paragraphs(args.file))
        elif args.file.suffix.lower() == ".jsonl":
            sheet = from_items(_items(read_paragraphs(args.file)))
        else:
            sheet = from_rows(read_rows(args.file))
    except UnreadableFile as error:
        print(error)
        return 2
    except ValueError:
        print(say.NO_TABLE)
        return 2
    with opened(keep=not args.dry_run) as (uow, clock):
        calendar = uow.calendar.current()
        policies = PolicyService(uow, clock, calendar, TicketService(uow, clock, calendar))
        done = PolicyImport(uow, policies).take(sheet, "command line")
    for name in done.created:
        print(say.created(name))
    for name in done.changed:
        print(say.changed(name))
    problems = [
        {**asdict(p), "reason": say.import_reason(p.problem, p.value)}
        for p in (*done.remarks, *done.rejected)
    ]
    for one in problems:
        print(say.import_line(one["row"], one["name"], one["reason"]))
    print(
        say.import_summary(
            len(done.created), len(done.changed), done.unchanged, len(done.rejected), args.dry_run
        )
    )
    if args.report is not None:
        plain = {
            "created": done.created,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "problems": problems,
        }
        args.report.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0


def _items(lines: list[tuple[int, str]]) -> list[dict[str, Any]]:
    """One object a line; raises UnreadableFile with the line's number."""
    from bot.files import UnreadableFile

    items = []
    for number, text in lines:
        if not text.strip():
            continue
        try:
            item = json.loads(text)
        except ValueError:
            item = None
        if not isinstance(item, dict):
            raise UnreadableFile(f"第{number}行看不懂，请写成一行一个 JSON 对象。")
        items.append(item)
    return items
