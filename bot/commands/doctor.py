"""doctor: one line per check with its cure."""

import argparse
from collections.abc import Iterator

NAME = "doctor"
HELP = "检查设置和运行环境，逐条给出解决办法"


def configure(parser: argparse.ArgumentParser) -> None:
    return None


def run(args: argparse.Namespace) -> int:
    bad = 0
    for name, fault in _checks():
        if fault:
            bad += 1
            print(f"✗ {name}：{fault}")
        else:
            print(f"✓ {name}")
    print("全部正常。" if not bad else f"有 {bad} 项需要处理。")
    return 1 if bad else 0


def _checks() -> Iterator[tuple[str, str]]:
    from datetime import UTC, datetime
    from pathlib import Path
    from shutil import disk_usage

    from sqlalchemy.exc import SQLAlchemyError

    from bot import app as application
    from bot.platform import ConfigError
    from bot.settings import load
    from storage.db import engine_for
    from storage.migrate import current, head

    try:
        settings = load(application.platform_settings())
    except ConfigError as error:
        yield "设置", "；".join(error.problems)
        return
    yield "设置", ""
    try:
        platforms = application.build_platforms(settings)
    except ConfigError as error:
        yield "聊天平台", "；".join(error.problems)
        platforms = {}
    else:
        real = [n for n in platforms if n != "sandbox"]
        yield "聊天平台", "" if platforms else "没有打开任何平台，请填写企业微信或通用接口的设置。"
        for name in real:
            yield f"平台 {name} 的凭据", ""
    if any(n != "sandbox" for n in platforms):
        yield (
            "回调地址",
            "" if settings.public_url else "没有 LHG_PUBLIC_URL，请填写外网地址，平台才能回调。",
        )
    try:
        engine = engine_for(settings.database_url)
        have = current(engine)
        engine.dispose()
    except (SQLAlchemyError, OSError) as error:
        yield "数据库", f"连不上（{type(error).__name__}），请核对 LHG_DATABASE_URL。"
    else:
        yield "数据库", ""
        yield "数据库版本", "" if have == head() else "不是最新，请运行 migrate。"
    now = datetime.now(UTC)
    yield "系统时钟", "" if now.year >= 2026 else "系统时间不对，请校时。"
    env = Path(".env")
    loose = env.exists() and env.stat().st_mode & 0o077
    yield ".env 权限", "其他用户可读，请运行 chmod 600 .env。" if loose else ""
    free = disk_usage(".").free
    yield "磁盘空间", "" if free > 500_000_000 else "不足 500 MB，请清理。"
