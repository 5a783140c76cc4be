"""entrances: an address for each firm whose people come from outside a platform's own members."""

import argparse
from pathlib import Path

NAME = "entrances"
HELP = "导出各企业的专属入口链接（如微信客服）"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help=".xlsx 或 .csv")


def run(args: argparse.Namespace) -> int:
    import asyncio
    import sys

    from bot.app import build_platforms, read_settings
    from bot.files import write_table
    from bot.offline import opened
    from bot.platform import Entrances, SendError

    settings = read_settings()
    with opened(settings, keep=False) as (uow, _):
        firms = [(str(e.id), e.short_name) for e in uow.people.enterprises() if e.active]
    platforms = build_platforms(settings)

    async def found() -> list[dict[str, str]]:
        rows = []
        try:
            for name, platform in platforms.items():
                if isinstance(platform, Entrances):
                    rows += [
                        {"企业编号": i, "企业": firm, "平台": name, "入口": url}
                        for i, firm, url in await platform.entrances(firms)
                    ]
        finally:
            for platform in platforms.values():
                await platform.close()
        return rows

    try:
        rows = asyncio.run(found())
    except SendError as error:
        print(f"平台没有给出入口（{error.code}），请先运行 doctor 检查凭据。", file=sys.stderr)
        return 1
    if not rows:
        print("没有平台提供入口：微信客服需要先配置企业微信自建应用。", file=sys.stderr)
        return 1
    write_table(args.out, ("企业编号", "企业", "平台", "入口"), rows)
    print(f"已写入 {len(rows)} 行。")
    return 0
