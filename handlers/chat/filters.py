"""When a route applies: small values that combine with &, | and ~."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from handlers.chat.events import ChatKind, InboundEvent
from handlers.domain.people import OFFICE_ROLES, STAFF_ROLES, Role


@dataclass(frozen=True, slots=True)
class Scene:
    """What a filter may look at; `role` is None for somebody the registry does not know."""

    event: InboundEvent
    role: Role | None


@dataclass(frozen=True, slots=True)
class Filter:
    test: Callable[[Scene], bool]
    name: str

    def __call__(self, scene: Scene) -> bool:
        return self.test(scene)

    def __and__(self, other: "Filter") -> "Filter":
        return Filter(lambda s: self(s) and other(s), f"{self.name} & {other.name}")

    def __or__(self, other: "Filter") -> "Filter":
        return Filter(lambda s: self(s) or other(s), f"{self.name} | {other.name}")

    def __invert__(self) -> "Filter":
        return Filter(lambda s: not self(s), f"~{self.name}")


def Who(*roles: Role) -> Filter:
    """The speaker has one of these roles."""
    wanted = frozenset(roles)
    return Filter(lambda s: s.role in wanted, "|".join(roles))


Anybody: Final = Filter(lambda s: True, "anybody")
Staff: Final = Who(*sorted(STAFF_ROLES))
Office: Final = Who(*sorted(OFFICE_ROLES))
Leading: Final = Who(*sorted({*OFFICE_ROLES, Role.LEADER}))
InGroup: Final = Filter(lambda s: s.event.chat_kind is ChatKind.GROUP, "in group")
Direct: Final = ~InGroup
Mentioned: Final = Filter(
    lambda s: s.event.mention_bot or s.event.chat_kind is ChatKind.DIRECT, "mentioned"
)
