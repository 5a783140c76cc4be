"""Environment and .env -> one frozen Settings; every mistake is reported at once."""

import errno
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

from bot.platform import ConfigError, Section, Setting

CORE: Final = (
    Setting(
        "LHG_DATABASE_URL",
        "数据库：默认 SQLite 文件；多进程用 postgresql://",
        default="sqlite:///data/lhg.db",
    ),
    Setting("LHG_LISTEN", "监听地址和端口", default="127.0.0.1:8080"),
    Setting("LHG_PUBLIC_URL", "外网访问地址，卡片和链接里用"),
    Setting("LHG_SECRET_KEY", "签名密钥，至少 32 个字符", secret=True),
    Setting("LHG_TIMEZONE", "时区", default="Asia/Shanghai"),
    Setting("LHG_OFFICE_NAME", "办公室名称", default="老洪港管理办公室"),
    Setting("LHG_BOT_NAME", "机器人在群里的名字，多个用逗号隔开", default="小港"),
    Setting("LHG_TICKET_PREFIX", "工单编号前缀，2 到 8 个字母", default="LHG"),
    Setting("LHG_BOOTSTRAP_TOKEN", "首次设置用的接口令牌，有全部权限", secret=True),
    Setting("LHG_TEMPLATES", "自己改过的单据模板放在哪个文件夹；空则用自带的"),
    Setting("LHG_LOG_FORMAT", "日志格式：json 或 text", default="json"),
    Setting("LHG_MODEL", "重新训练过的理解模型文件；空则用随产品的", default=""),
    Setting("LHG_ENCODER", "拿不准的消息再读一遍（要装 encoder 组件）：1 开，0 关", default="1"),
    Setting("LHG_LLM_BASE_URL", "外部模型服务地址（到 /v1 为止）；空则不用"),
    Setting("LHG_LLM_API_KEY", "外部模型服务的密钥", secret=True),
    Setting("LHG_LLM_MODEL", "外部模型名称"),
    Setting("LHG_LLM_DAILY", "每天最多问外部模型几次", default="300"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process was told. Secrets stay out of `repr`."""

    database_url: str = field(repr=False)
    host: str
    port: int
    public_url: str
    zone: ZoneInfo
    office_name: str
    bot_names: tuple[str, ...]
    ticket_prefix: str
    log_format: str
    bootstrap_token: str = field(repr=False)
    secret_key: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    templates: Path | None = None

    @property
    def own_url(self) -> str:
        """Where this machine itself finds the process, for a link that nobody outside follows."""
        everywhere = self.host in ("0.0.0.0", "::", "")  # noqa: S104  # only compared
        host = "127.0.0.1" if everywhere else self.host
        return f"http://{host}:{self.port}"


def raw_values(
    env_file: Path | None = None, overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The .env file, then the environment, then what a command sets itself."""
    found: dict[str, str] = {}
    path = env_file or Path(".env")
    if path.exists():
        try:
            # Windows editors put a mark in front, which would become part of the first key.
            # A secret may hold ${…}; it means itself.
            read = dotenv_values(path, encoding="utf-8-sig", interpolate=False)
        except UnicodeDecodeError:
            raise ConfigError([f"{path} 不是 UTF-8 编码，请另存为 UTF-8。"]) from None
        found.update({k: v for k, v in read.items() if v is not None})
    found.update(os.environ)
    found.update(overrides or {})
    return found


def load(
    platform_settings: Sequence[Setting] = (),
    env_file: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    also: Callable[[Section], Sequence[str]] = lambda section: (),
) -> Settings:
    """Raises ConfigError with a Chinese sentence for each mistake, those that `also` finds included."""
    raw = raw_values(env_file, overrides)
    known = {s.key: s for s in (*CORE, *platform_settings)}
    values = {key: raw.get(key, "").strip() or s.default for key, s in known.items()}
    problems: list[str] = []
    host, port = _listen(values["LHG_LISTEN"], problems)
    zone = ZoneInfo("Asia/Shanghai")
    try:
        zone = ZoneInfo(values["LHG_TIMEZONE"])
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"LHG_TIMEZONE={values['LHG_TIMEZONE']} 不是时区名，请写 Asia/Shanghai。")
    url = values["LHG_DATABASE_URL"]
    if not re.match(r"^(sqlite:///|postgres(ql)?(\+psycopg)?://)", url):
        problems.append(
            "LHG_DATABASE_URL 请写 sqlite:///文件路径 或 postgresql://用户:密码@主机/库名。"
        )
    if not re.fullmatch(r"[A-Za-z]{2,8}", values["LHG_TICKET_PREFIX"]):
        problems.append("LHG_TICKET_PREFIX 请写 2 到 8 个字母，例如 LHG。")
    if values["LHG_LOG_FORMAT"] not in ("json", "text"):
        problems.append("LHG_LOG_FORMAT 请写 json 或 text。")
    if values.get("LHG_SANDBOX", "0") not in ("0", "1"):
        problems.append("LHG_SANDBOX 请写 1（打开网页沙盒）或 0（关闭）。")
    names = tuple(n.strip() for n in re.split(r"[,，]", values["LHG_BOT_NAME"]) if n.strip())
    if not names:
        problems.append("LHG_BOT_NAME 请写机器人在群里的名字，例如 小港。")
    public = values["LHG_PUBLIC_URL"]
    if public and not re.match(r"^https?://[^\s/]+", public):
        problems.append("LHG_PUBLIC_URL 请写完整地址，例如 https://lhg.example.cn。")
    secret_key = values["LHG_SECRET_KEY"]
    if secret_key and len(secret_key) < 32:
        problems.append("LHG_SECRET_KEY 太短，请写至少 32 个随机字符。")
    if values["LHG_TEMPLATES"] and not Path(values["LHG_TEMPLATES"]).is_dir():
        problems.append("LHG_TEMPLATES 请写一个已有的文件夹，或者留空。")
    problems.extend(_readers(values))
    problems.extend(also(Section(values, names, public)))
    if problems:
        raise ConfigError(problems)
    return Settings(
        database_url=url,
        host=host,
        port=port,
        public_url=public.rstrip("/"),
        zone=zone,
        office_name=values["LHG_OFFICE_NAME"],
        bot_names=names,
        ticket_prefix=values["LHG_TICKET_PREFIX"].upper(),
        log_format=values["LHG_LOG_FORMAT"],
        bootstrap_token=values["LHG_BOOTSTRAP_TOKEN"],
        secret_key=secret_key,
        values=values,
        templates=Path(values["LHG_TEMPLATES"]) if values["LHG_TEMPLATES"] else None,
    )


def _readers(values: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings of the second reader and of the model service."""
    problems = []
    if values["LHG_ENCODER"] not in ("0", "1"):
        problems.append("LHG_ENCODER 请写 1（开）或 0（关）。")
    if not re.fullmatch(r"\d{1,6}", values["LHG_LLM_DAILY"]):
        problems.append("LHG_LLM_DAILY 请写每天最多的次数，例如 300。")
    url, key, model = (values[f"LHG_LLM_{k}"] for k in ("BASE_URL", "API_KEY", "MODEL"))
    if url and not re.match(r"^https?://[^\s/]+", url):
        problems.append("LHG_LLM_BASE_URL 请写完整地址，以 http:// 或 https:// 开头，到 /v1 为止。")
    # A service inside the house may need no key.
    missing = [k for k, v in (("LHG_LLM_BASE_URL", url), ("LHG_LLM_MODEL", model)) if not v]
    if (url or key or model) and missing:
        problems.append(f"外部模型服务还缺 {'、'.join(missing)}；不用请把 LHG_LLM_ 各项都留空。")
    return problems


def _listen(text: str, problems: list[str]) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})", text)
    if match is None or not 0 <= int(match.group(2)) < 65536:
        problems.append(f"LHG_LISTEN={text} 请写 地址:端口，例如 127.0.0.1:8080。")
        return "127.0.0.1", 8080
    return match.group(1).strip("[]"), int(match.group(2))


def cannot_listen(settings: Settings, error: OSError) -> str:
    """Why the address of LHG_LISTEN cannot be had."""
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"{address} 已被占用，请停掉占用的程序，或换一个端口。"
    return f"不能监听 {address}（{error.strerror}），请核对 LHG_LISTEN。"


def no_model(path: str, error: Exception) -> str:
    """Why the file of LHG_MODEL cannot be read with."""
    why = "不是这个版本的模型文件"
    if isinstance(error, OSError):
        why = f"打不开（{error.strerror}）"
    return f"LHG_MODEL={path} {why}，请核对路径，或留空用随产品的模型。"
