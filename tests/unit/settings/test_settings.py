"""Settings: every mistake at once, in Chinese, with the key; secrets stay hidden."""

from pathlib import Path

import pytest

from bot import app as application
from bot.platform import ConfigError
from bot.settings import Settings, load

AES_KEY = "k" * 43
CALLBACK = {
    "WECOM_AIBOT_ID": "bot",
    "WECOM_AIBOT_TOKEN": "token",
    "WECOM_AIBOT_AES_KEY": AES_KEY,
}
DINGTALK = {"DINGTALK_CLIENT_ID": "ding1", "DINGTALK_CLIENT_SECRET": "secret"}
FEISHU = {
    "FEISHU_APP_ID": "cli_a1f0",
    "FEISHU_APP_SECRET": "secret",
    "FEISHU_VERIFICATION_TOKEN": "token",
    "FEISHU_ENCRYPT_KEY": "key",
}
APP = {
    "WECOM_CORP_ID": "corp",
    "WECOM_APP_AGENT_ID": "1000002",
    "WECOM_APP_SECRET": "secret",
    "WECOM_APP_TOKEN": "token",
    "WECOM_APP_AES_KEY": AES_KEY,
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for setting in application.platform_settings():
        monkeypatch.delenv(setting.key, raising=False)
    monkeypatch.delenv("LHG_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def read(**overrides: str) -> Settings:
    return application.read_settings(overrides=overrides)


def problems(**overrides: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        read(**overrides)
    return error.value.problems


def platforms(**overrides: str) -> set[str]:
    return set(application.build_platforms(read(**overrides)))


def test_without_any_setting_everything_has_its_default() -> None:
    settings = read()
    assert settings.database_url == "sqlite:///data/lhg.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.bot_names == ("小港",)
    assert platforms() == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LHG_DATABASE_URL", "mysql://x"),
        ("LHG_LISTEN", "8080"),
        ("LHG_LISTEN", "127.0.0.1:99999"),
        ("LHG_PUBLIC_URL", "lhg.example.cn"),
        ("LHG_SECRET_KEY", "short"),
        ("LHG_TIMEZONE", "Beijing"),
        ("LHG_TIMEZONE", "../../etc/passwd"),
        ("LHG_BOT_NAME", " ， "),
        ("LHG_TICKET_PREFIX", "L-1"),
        ("LHG_LOG_FORMAT", "xml"),
        ("GENERIC_SECRET", "short"),
        ("GENERIC_OUT_URL", "ftp://x"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(key: str, value: str) -> None:
    told = problems(**{key: value})
    assert all(p.endswith("。") for p in told)
    assert key in "".join(told)


def test_mistakes_of_the_core_and_of_every_platform_are_told_together() -> None:
    told = "".join(
        problems(LHG_LOG_FORMAT="xml", GENERIC_OUT_URL="http://127.0.0.1/", WECOM_AIBOT_ID="bot")
    )
    for key in ("LHG_LOG_FORMAT", "GENERIC_SECRET", "WECOM_AIBOT_TOKEN", "WECOM_AIBOT_AES_KEY"):
        assert key in told


@pytest.mark.parametrize(
    ("name", "whole"),
    [("wecom", CALLBACK), ("wecom", APP), ("feishu", FEISHU), ("dingtalk", DINGTALK)],
)
def test_a_platform_is_on_with_all_its_settings_and_half_of_them_names_the_missing(
    name: str, whole: dict[str, str]
) -> None:
    assert platforms(**whole) == {name}
    # Without its corporation the app's own keys are still half an app; the id alone is nothing.
    for missing in whole:
        rest = {k: v for k, v in whole.items() if k != missing}
        assert missing in "".join(problems(**rest))


def test_each_missing_key_of_feishu_is_told_with_the_page_it_stands_on() -> None:
    told = problems(FEISHU_APP_ID="cli_a1f0")
    assert len(told) == 3
    assert all("开发者后台「" in one for one in told)
    assert "cli_" in "".join(problems(**{**FEISHU, "FEISHU_APP_ID": "a1f0"}))
    assert "https" in "".join(problems(**FEISHU, FEISHU_API_BASE="open.example.cn"))


def test_the_address_of_feishu_alone_turns_nothing_on() -> None:
    assert platforms(FEISHU_API_BASE="https://open.example.cn") == set()


def test_by_its_long_connection_feishu_needs_the_application_and_nothing_else() -> None:
    app = {k: FEISHU[k] for k in ("FEISHU_APP_ID", "FEISHU_APP_SECRET")}
    assert platforms(**app, FEISHU_LONG_CONNECTION="1") == {"feishu"}
    assert platforms(**FEISHU, FEISHU_LONG_CONNECTION="1") == {"feishu"}
    for missing in app:
        rest = {k: v for k, v in app.items() if k != missing}
        (told,) = problems(**rest, FEISHU_LONG_CONNECTION="1")
        assert missing in told
    assert len(problems(FEISHU_LONG_CONNECTION="1")) == 2
    assert "FEISHU_LONG_CONNECTION" in "".join(problems(**FEISHU, FEISHU_LONG_CONNECTION="yes"))
    assert platforms(FEISHU_LONG_CONNECTION="0") == set()


def test_addresses_and_ways_of_dingtalk_alone_turn_nothing_on() -> None:
    assert platforms(DINGTALK_API_BASE="https://api.example.cn", DINGTALK_STREAM="0") == set()


def test_the_corporation_alone_turns_nothing_on() -> None:
    assert platforms(WECOM_CORP_ID="corp") == set()


def test_both_ways_of_the_aibot_at_once_are_refused() -> None:
    assert "只能选一种" in "".join(problems(**CALLBACK, WECOM_AIBOT_SECRET="secret"))


def test_no_secret_is_shown() -> None:
    key = "s" * 40
    shown = repr(
        read(
            LHG_SECRET_KEY=key,
            LHG_BOOTSTRAP_TOKEN="bootstrap-canary",
            GENERIC_SECRET="generic-canary-0123",
            LHG_DATABASE_URL="postgresql://u:password-canary@127.0.0.1/x",
        )
    )
    assert key not in shown
    assert "canary" not in shown


def test_the_environment_wins_over_the_file_and_both_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LHG_BOT_NAME=小明\nLHG_TICKET_PREFIX=abc\n", encoding="utf-8")
    monkeypatch.setenv("LHG_BOT_NAME", "小红，小蓝")
    settings = read()
    assert settings.bot_names == ("小红", "小蓝")
    assert settings.ticket_prefix == "ABC"


def test_a_file_of_a_windows_editor_is_read_or_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"\xef\xbb\xbf" + "LHG_BOT_NAME=小明\n".encode())
    assert load(env_file=path).bot_names == ("小明",)
    path.write_bytes("LHG_BOT_NAME=小明\n".encode("gbk"))
    with pytest.raises(ConfigError) as error:
        load(env_file=path)
    assert "UTF-8" in error.value.problems[0]
