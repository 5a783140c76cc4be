"""doctor: one line per check with its cure."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.platform import Platform, Probe
    from bot.settings import Settings

NAME = "doctor"
# Something to see to soon; nothing fails by it yet.
_WARNING = "! "
HELP = "检查设置和运行环境，逐条给出解决办法"


def configure(parser: argparse.ArgumentParser) -> None:
    return None


def run(args: argparse.Namespace) -> int:
    bad = 0
    for name, fault in _checks(getattr(args, "file", Path(".env"))):
        if fault:
            bad += 1
            print(f"✗ {name}：{fault}")
        else:
            print(name if name.startswith(_WARNING) else f"✓ {name}")
    print("全部正常。" if not bad else f"有 {bad} 项需要处理。")
    return 1 if bad else 0


def _checks(env: Path) -> Iterator[tuple[str, str]]:
    from datetime import UTC, datetime
    from shutil import disk_usage

    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from bot import app as application
    from bot import registry
    from bot.platform import ConfigError
    from handlers.texts import calendar as say_calendar
    from storage.db import engine_for
    from storage.migrate import current, head

    try:
        settings = application.read_settings(env)
    except ConfigError as error:
        for problem in error.problems:
            yield "设置", problem
        return
    yield "设置", ""
    platforms = application.build_platforms(settings)
    yield (
        "聊天平台",
        ""
        if platforms
        else f"还没有接入，请先填好其中一个的设置：{'、'.join(registry.titles().values())}。",
    )
    if any(n != "sandbox" for n in platforms):
        yield "回调地址", public_address(settings.public_url)
    yield from _far_ends(settings.public_url, platforms)
    yield "理解模型", _model(settings.values)
    yield _second_reader(settings.values), ""
    yield _model_service(settings.values), ""
    try:
        engine = engine_for(settings.database_url)
        have = current(engine)
        missing = _missing_year(engine) if have == head() else None
        engine.dispose()
    except (SQLAlchemyError, OSError) as error:
        yield "数据库", f"连不上（{type(error).__name__}），请核对 LHG_DATABASE_URL。"
    else:
        yield "数据库", ""
        yield _processes(settings.database_url), ""
        if have is None:
            yield "数据库版本：还是空的，第一次运行 serve 时建好", ""
        else:
            yield "数据库版本", "" if have == head() else "不是最新，请运行 migrate。"
        if have == head():
            yield _corrections(settings), ""
        if missing is None or missing > datetime.now(UTC).year:
            note = "" if missing is None else say_calendar.missing(missing)
            yield (f"{_WARNING}工作日历：{note}" if note else "工作日历"), ""
        else:
            yield "工作日历", say_calendar.missing(missing)
    now = datetime.now(UTC)
    yield "系统时钟", "" if now.year >= 2026 else "系统时间不对，请校时。"
    yield ".env 权限", _loose(env)
    database = make_url(settings.database_url)
    if database.get_backend_name() == "sqlite" and database.database:
        # The registry and what firms say are in there.
        yield "数据库文件权限", _loose(Path(database.database))
    yield "字体", _font()
    free = disk_usage(".").free
    yield "磁盘空间", "" if free > 500_000_000 else "不足 500 MB，请清理。"


def public_address(url: str) -> str:
    from urllib.parse import urlsplit

    if not url:
        return "没有 LHG_PUBLIC_URL，请填写外网地址，平台才能回调。"
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost"):
        return ""
    return "LHG_PUBLIC_URL 请用 https 开头的地址，平台的回调域名和网页登录都要求 https。"


def _far_ends(public_url: str, platforms: "Mapping[str, Platform]") -> Iterator[tuple[str, str]]:
    """The platforms' credentials, and our own address as it is seen from here."""
    import asyncio

    from bot.client import Client
    from bot.platform import Probe, Probing, SendError

    async def tried() -> list[Probe]:
        found: list[Probe] = []
        client = Client()
        try:
            for platform in platforms.values():
                if isinstance(platform, Probing):
                    found += await platform.probe()
            if public_url and any(p.hooks and n != "sandbox" for n, p in platforms.items()):
                try:
                    answer = await client.send("GET", f"{public_url}/healthz", repeatable=True)
                    fault = "" if isinstance(answer, dict) and answer.get("ok") else "不是本系统"
                except SendError as error:
                    fault = error.code
                told = "请先启动 serve，再核对域名解析、反向代理和防火墙。"
                found.append(Probe("回调地址可达", f"打不开（{fault}），{told}" if fault else ""))
        finally:
            await client.close()
            for platform in platforms.values():
                await platform.close()
        return found

    probes = asyncio.run(tried())
    for probe in probes:
        yield probe.what, probe.fault
    told = [probe for probe in probes if probe.ahead is not None]
    if told:
        yield far_clock(max(told, key=lambda p: abs(p.ahead or 0.0)))


# Signatures and links are judged by the clock; a few seconds are the way there and back.
_MOST_AHEAD = 60.0


def far_clock(probe: "Probe") -> tuple[str, str]:
    """What a far end's clock says of ours."""
    ahead = probe.ahead or 0.0
    if abs(ahead) <= _MOST_AHEAD:
        return "时钟与平台一致", ""
    way, minutes = ("慢" if ahead > 0 else "快"), max(1, round(abs(ahead) / 60))
    told = f"本机比平台{way}约 {minutes} 分钟（对照{probe.what}），签名会被拒绝，请打开时间同步。"
    return "时钟与平台一致", told


def _processes(url: str) -> str:
    """How many processes may be and are at the database; nothing is wrong with any number."""
    from storage.locks import at_work

    count = at_work(url)
    if count is None:
        return "进程：SQLite 只能运行一个"
    if count.processes and not count.names:
        return (
            f"{_WARNING}进程：正在运行 {count.processes} 个，暂时没有一个负责发送和计时，请稍后再查"
        )
    return f"进程：可以同时运行几个，现在有 {count.processes} 个"


def _model(values: Mapping[str, str]) -> str:
    from bot.app import model_of
    from bot.platform import ConfigError

    try:
        model_of(values["LHG_MODEL"])
    except ConfigError as error:
        return error.problems[0]
    return ""


# When training anew is worth the while: so many new examples, or so many of one mix-up.
ENOUGH = 50
ENOUGH_OF_ONE = 10


def _corrections(settings: "Settings") -> str:
    """A hint, no fault: how many corrections wait to be learned from."""
    from bot.offline import opened
    from handlers.texts.corrections import mix_up

    with opened(settings, keep=False) as (uow, _):
        gathered = uow.corrections.gathered()
    told = f"更正：已有 {gathered.examples} 条"
    if gathered.of_pair >= ENOUGH_OF_ONE:
        told += f"（其中 {gathered.of_pair} 条{mix_up(*gathered.pair)}）"
    if gathered.examples >= ENOUGH or gathered.of_pair >= ENOUGH_OF_ONE:
        return f"{told}，可以运行 train --from-corrections"
    return f"{told}，还不用重新训练"


def _missing_year(engine: Any) -> int | None:
    """The year whose days off nobody has told the bot yet; the next one from 1 November."""
    from datetime import UTC, datetime

    from handlers.domain.calendar import missing_year
    from storage.uow import Shared, UnitOfWork

    with engine.connect() as connection:
        calendar = UnitOfWork(connection, Shared()).calendar.current()
    return missing_year(calendar, datetime.now(UTC).astimezone(calendar.zone).date())


def _second_reader(values: Mapping[str, str]) -> str:
    """Nothing is wrong without it: the first reader works alone."""
    from bot.second_stage import is_installed

    if values["LHG_ENCODER"] == "0":
        return "第二级理解：没有打开（LHG_ENCODER=0），只用第一级"
    if not is_installed():
        return "第二级理解：没有安装，只用第一级；要用请运行 pip install '.[encoder]'"
    return "第二级理解：已打开"


def _model_service(values: Mapping[str, str]) -> str:
    if not values["LHG_LLM_BASE_URL"]:
        return "外部模型服务：没有打开，不问任何外部模型"
    model, most = values["LHG_LLM_MODEL"], values["LHG_LLM_DAILY"]
    return f"外部模型服务：已打开（{model}，每天最多 {most} 次），消息打码后发往 LHG_LLM_BASE_URL"


def _font() -> str:
    """Pictures and prints take the shipped one; names are what it must not lack."""
    from bot.papers.fonts import missing

    try:
        lacks = missing(["堃昇喆珺玥瑄龑䶮"])
    except OSError:
        return "读不了自带的字体，请重新安装。"
    return f"自带的字体缺字：{''.join(sorted(lacks))}，请重新安装。" if lacks else ""


def _loose(path: Path) -> str:
    if path.exists() and path.stat().st_mode & 0o077:
        return f"其他用户可读，请运行 chmod 600 {path}。"
    return ""
