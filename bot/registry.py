"""Finds platforms, chat commands and jobs by listing their folders."""

import importlib
import pkgutil
from types import ModuleType
from typing import Final

import bot.platforms
import handlers.commands
import handlers.jobs
from handlers.chat.router import Router
from handlers.ports import Job

# Behind those that say their place.
_LAST: Final = 100


class RegistryError(Exception):
    """Two modules claim one name, or a module lacks what its folder promises."""


def _modules(package: ModuleType) -> list[str]:
    return sorted(
        name for _, name, _ in pkgutil.iter_modules(package.__path__) if not name.startswith("_")
    )


def _loaded(package: ModuleType) -> list[ModuleType]:
    return [importlib.import_module(f"{package.__name__}.{name}") for name in _modules(package)]


def routers() -> list[Router]:
    """The router of every module in handlers/commands."""
    found: dict[str, Router] = {}
    for module in _loaded(handlers.commands):
        router = getattr(module, "router", None)
        if not isinstance(router, Router):
            raise RegistryError(f"{module.__name__} exposes no router")
        if router.name in found:
            raise RegistryError(f"two routers are called {router.name}")
        found[router.name] = router
    return list(found.values())


def jobs() -> list[Job]:
    """The job of every module in handlers/jobs."""
    found: dict[str, Job] = {}
    for module in _loaded(handlers.jobs):
        job = getattr(module, "job", None)
        if not isinstance(job, Job) or job.function is None:
            raise RegistryError(f"{module.__name__} exposes no job")
        if job.name in found:
            raise RegistryError(f"two jobs are called {job.name}")
        found[job.name] = job
    return list(found.values())


def platforms() -> dict[str, ModuleType]:
    """The modules of bot/platforms by name, as an office asks for them.

    Each exposes SETTINGS and build, and may say its PLACE among the others.
    """
    found: dict[str, ModuleType] = {}
    for name in _modules(bot.platforms):
        module = importlib.import_module(f"bot.platforms.{name}")
        if not hasattr(module, "SETTINGS") or not hasattr(module, "build"):
            raise RegistryError(f"{module.__name__} exposes no SETTINGS or build")
        found[name] = module
    return dict(sorted(found.items(), key=lambda one: (getattr(one[1], "PLACE", _LAST), one[0])))


def titles() -> dict[str, str]:
    """What people call each platform."""
    return {name: getattr(module, "TITLE", name) for name, module in platforms().items()}
