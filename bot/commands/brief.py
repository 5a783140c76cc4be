"""brief [--date D] [--for PERSON] [--format text|png|xlsx|docx] OUT."""

import argparse
from datetime import date
from pathlib import Path

NAME = "brief"
HELP = "生成日调度：文字、图片、表格或打印件"
_FORMATS = ("text", "png", "xlsx", "docx")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--date", type=date.fromisoformat, help="哪一天，例如 2026-11-24；不写是今天"
    )
    parser.add_argument("--for", dest="person", default="", help="给谁看：姓名或编号；不写是全部")
    parser.add_argument("--format", choices=_FORMATS, help="不写按文件名的结尾")
    parser.add_argument("out", type=Path, help="写到哪个文件；- 直接显示文字")


def run(args: argparse.Namespace) -> int:
    import sys

    from bot.offline import opened
    from handlers.services.briefs import BriefService

    ending = args.out.suffix.lower().lstrip(".")
    form = args.format or (ending if ending in _FORMATS else "text")
    with opened(keep=False) as (uow, clock):
        briefs = BriefService(uow, clock, uow.calendar.current())
        today = clock.now().astimezone(uow.calendar.current().zone).date()
        on = args.date or today
        if on > today:
            print("这一天的日调度还没有，请写今天或以前的日期。", file=sys.stderr)
            return 2
        person = briefs.person(args.person) if args.person else None
        if args.person and (person is None or not person.is_staff):
            print(f"没有找到这位同事：{args.person}，请写姓名或编号。", file=sys.stderr)
            return 2
        mine = briefs.mine(person)
        since, at = briefs.day_page(on)
        paper = briefs.paper(briefs.only(briefs.whole_page(since, at), mine), mine)
    if form == "text":
        from handlers.texts.briefs import as_text

        text = as_text(paper)
        if str(args.out) == "-":
            print(text)
            return 0
        args.out.write_text(text + "\n", encoding="utf-8")
    else:
        try:
            args.out.write_bytes(_made(form, paper))
        except ModuleNotFoundError as error:
            if error.name != "docx":
                raise
            print("docx 需要另装：pip install 'laohonggang-bot[docs]'。", file=sys.stderr)
            return 2
    print(f"已生成：{args.out}")
    return 0


def _made(form: str, paper):  # type: ignore[no-untyped-def]  # imported lazily
    if form == "png":
        from bot.papers.picture import png

        return png(paper)
    if form == "xlsx":
        from bot.papers.workbook import brief_book

        return brief_book(paper)
    from bot.papers.prints import docx

    return docx(paper)
