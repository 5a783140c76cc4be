"""campaign import FILE --name N, campaign export FILE --name N."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.clock import SystemClock
    from handlers.services.campaigns import CampaignService
    from storage.uow import UnitOfWork

NAME = "campaign"
HELP = "导入或导出专项清单"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    take = actions.add_parser("import", help="导入 .xlsx .xls .csv，重复导入不会重复")
    take.add_argument("file", type=Path)
    take.add_argument("--name", required=True, help="专项名称")
    take.add_argument("--states", help="没有这个专项时新建，写状态：未签,已签")
    take.add_argument("--rounds", type=int, default=1, help="新建时分几轮")
    take.add_argument("--unit", default="", help="新建时用的单位：户、家")
    take.add_argument("--owner", help="新建时的负责人")
    take.add_argument("--dry-run", action="store_true", help="只看结果，不保存")
    take.add_argument("--report", type=Path, help="把结果写成 JSON 文件")
    give = actions.add_parser("export", help="导出 .xlsx 或 .csv")
    give.add_argument("file", type=Path)
    give.add_argument("--name", required=True, help="专项名称")


def run(args: argparse.Namespace) -> int:
    import json

    from bot.files import UnreadableFile, read_rows, write_table
    from bot.offline import opened
    from handlers.domain.errors import Refusal
    from handlers.services.campaigns import rows_of
    from handlers.texts import campaigns as say
    from handlers.texts.common import refused

    if args.action == "export":
        if args.file.suffix.lower() not in (".xlsx", ".csv"):
            print(say.EXPORT_ENDING, file=sys.stderr)
            return 2
        with opened(keep=False) as (uow, clock):
            campaign = uow.campaigns.named(args.name)
            if campaign is None:
                print(say.no_campaign(args.name), file=sys.stderr)
                return 2
            rows = service(uow, clock).rows(campaign)
            write_table(args.file, say.columns(campaign), rows)
        print(f"已导出 {len(rows)} 行：{args.file}")
        return 0
    try:
        cells = read_rows(args.file)
        with opened(keep=not args.dry_run) as (uow, clock):
            made = service(uow, clock)
            campaign = uow.campaigns.named(args.name)
            if campaign is None:
                if not args.states:
                    print(say.no_campaign(args.name), file=sys.stderr)
                    return 2
                owner = uow.people.by_name(args.owner)[:1] if args.owner else ()
                states = args.states.replace("，", ",").replace("/", ",").split(",")
                campaign = made.create(
                    args.name,
                    states,
                    "command line",
                    owner[0] if owner else None,
                    rounds=args.rounds,
                    unit=args.unit,
                )
            taken = made.take(campaign, rows_of(cells, campaign), "command line")
    except UnreadableFile as error:
        print(error, file=sys.stderr)
        return 2
    except ValueError:
        print(say.NO_HEADER, file=sys.stderr)
        return 2
    except Refusal as refusal:
        print(refused(refusal, clock.now()), file=sys.stderr)
        return 2
    for number, reason in (*taken.rejected, *taken.remarks):
        print(say.rejected(number, reason))
    refused_rows = len(taken.rejected)
    print(
        say.imported(
            args.name, taken.created, taken.changed, taken.unchanged, refused_rows, args.dry_run
        )
    )
    if args.report is not None:
        plain = {
            "created": taken.created,
            "changed": taken.changed,
            "unchanged": taken.unchanged,
            "rejected": [{"row": n, "reason": r} for n, r in taken.rejected],
            "remarks": [{"row": n, "reason": r} for n, r in taken.remarks],
        }
        args.report.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0


def service(uow: "UnitOfWork", clock: "SystemClock") -> "CampaignService":
    from handlers.services.campaigns import CampaignService
    from handlers.services.tickets import TicketService
    from handlers.understanding import FirmNames

    calendar = uow.calendar.current()
    firms = FirmNames(
        (e.id, e.short_name, e.aliases, e.full_name) for e in uow.people.enterprises() if e.active
    )
    return CampaignService(uow, clock, calendar, TicketService(uow, clock, calendar), firms)
