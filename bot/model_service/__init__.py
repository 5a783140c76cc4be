"""The optional outside model: it proposes a title, a category, a split, a draft; people decide.

Off unless LHG_LLM_BASE_URL and LHG_LLM_MODEL are filled in; then no connection is ever made.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from bot.model_service.breaker import Breaker
from bot.model_service.endpoint import Endpoint
from bot.model_service.service import ModelService, Patience
from bot.platform import Section
from bot.writer import Writer
from handlers.ports import Clock

__all__ = ["ModelService", "Patience", "build"]


def build(
    section: Section,
    writer: Writer,
    clock: Clock,
    zone: ZoneInfo,
    wake_sender: Callable[[], None] = lambda: None,
    patience: Patience = Patience(),
) -> ModelService | None:
    """The service, not started; None where it is off."""
    url, model = section.get("LHG_LLM_BASE_URL"), section.get("LHG_LLM_MODEL")
    if not url or not model:
        return None
    endpoint = Endpoint(url, section.get("LHG_LLM_API_KEY"), model, patience.limit)
    breaker = Breaker(patience.failures, patience.rest, patience.longest_rest)
    daily = int(section.get("LHG_LLM_DAILY"))
    return ModelService(endpoint, breaker, writer, clock, zone, daily, wake_sender)
