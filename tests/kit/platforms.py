"""A platform as the product builds it: settings with their defaults, every module asked."""

from collections.abc import Mapping
from typing import Any

from bot.app import build_platforms, platform_settings
from bot.platform import Platform
from bot.settings import load

NOWHERE = "http://127.0.0.1:9"


def platforms(values: Mapping[str, str]) -> dict[str, Platform]:
    """Those that are on; raises ConfigError."""
    return build_platforms(load(platform_settings(), overrides=values))


def built(name: str, values: Mapping[str, str]) -> Any:
    """One of them, with all that only its own tests may know."""
    return platforms(values)[name]
