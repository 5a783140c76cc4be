"""init: write .env by asking."""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.platform import Setting

NAME = "init"
HELP = "一步步写好 .env 设置文件"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", type=Path, default=Path(".env"), help="写到哪里，默认 .env")


def run(args: argparse.Namespace) -> int:
    import os
    import secrets
    import sys
    from getpass import getpass

    from bot import registry
    from bot.commands import doctor
    from bot.settings import CORE

    target: Path = args.file
    if target.exists():
        print(f"{target} 已经存在，请先改名或直接编辑。", file=sys.stderr)
        return 2
    print("直接回车用默认值。")
    lines = []

    def asked(question: str, secret: bool = False) -> str:
        # A secret is not shown while it is typed at a terminal.
        ask = getpass if secret and sys.stdin.isatty() else input
        try:
            return ask(question).strip()
        except EOFError:
            return ""

    def settle(settings: "Iterable[Setting]") -> None:
        for setting in settings:
            default = setting.default
            if setting.key == "LHG_SECRET_KEY":
                default = secrets.token_urlsafe(32)
            shown = "自动生成" if setting.key == "LHG_SECRET_KEY" else default
            hint = f"（默认 {shown}）" if shown else ""
            value = asked(f"{setting.key}　{setting.why}{hint}：", setting.secret)
            lines.append(f"{setting.key}={_quoted(value or default)}")

    settle(CORE)
    titles = registry.titles()
    for name, module in registry.platforms().items():
        if asked(f"要接入{titles[name]}吗？要请输入 y，不要直接回车：").lower() in (
            "y",
            "yes",
            "是",
            "要",
        ):
            settle(module.SETTINGS)
        else:
            lines += [f"{s.key}={_quoted(s.default)}" for s in module.SETTINGS]
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print(f"已写好 {target}。下面检查一遍：")
    return doctor.run(args)


def _quoted(value: str) -> str:
    """As a .env file must hold it: a space, # or quote would cut or change it."""
    if re.fullmatch(r"[^\s#'\"\\]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
