"""For whom something is: all firms, or by area, grid, tag and scale, or by name; minus exceptions.

What is given of one kind widens, each further kind narrows: 长洪、东港 tagged 危化 are the hazardous
firms of two areas. Firms by name come on top, exceptions go last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import AREAS, Enterprise


@dataclass(frozen=True, slots=True)
class Audience:
    all: bool = False
    areas: tuple[str, ...] = ()
    grids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    firms: tuple[EnterpriseId, ...] = ()
    but: tuple[EnterpriseId, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.all or self.narrows or self.firms)

    @property
    def narrows(self) -> bool:
        return bool(self.areas or self.grids or self.tags or self.scales)


HAZARDOUS: Final = "危化"
KEY: Final = "重点"
_MOST: Final = 500


def area_named(name: str) -> str | None:
    """The area by its whole name or its short form (长洪)."""
    return next(
        (a for a in AREAS if name and (a == name or a.removesuffix("管理区") == name)), None
    )


def tags_of(firm: Enterprise) -> frozenset[str]:
    """What a firm can be picked by besides place and size."""
    found = {firm.industry, firm.group}
    if firm.hazardous:
        found.add(HAZARDOUS)
    if firm.is_key:
        found.add(KEY)
    return frozenset(t for t in found if t)


def members(audience: Audience, firms: Iterable[Enterprise]) -> tuple[Enterprise, ...]:
    """The firms meant, each once, by their ids."""
    wide = audience.all or audience.narrows
    found = []
    for firm in firms:
        if not firm.active or firm.id in audience.but:
            continue
        fits = (
            wide
            and (not audience.areas or firm.area in audience.areas)
            and (not audience.grids or firm.grid in audience.grids)
            and (not audience.scales or firm.scale in audience.scales)
            and (not audience.tags or bool(tags_of(firm) & set(audience.tags)))
        )
        if fits or firm.id in audience.firms:
            found.append(firm)
    return tuple(sorted(found, key=lambda f: f.id))


def to_plain(audience: Audience) -> dict[str, Any]:
    return {
        "all": audience.all,
        "areas": list(audience.areas),
        "grids": list(audience.grids),
        "tags": list(audience.tags),
        "scales": list(audience.scales),
        "enterprises": list(audience.firms),
        "except": list(audience.but),
    }


def from_plain(plain: Any) -> Audience:
    """As the API gives it; raises BadInput('audience', field=…)."""
    if not isinstance(plain, dict):
        raise BadInput("audience", field="audience")
    for key in plain:
        if key not in {"all", "areas", "grids", "tags", "scales", "enterprises", "except"}:
            raise BadInput("audience", field=str(key)[:20])

    def texts(key: str) -> tuple[str, ...]:
        given = plain.get(key) or []
        if not isinstance(given, list) or len(given) > _MOST:
            raise BadInput("audience", field=key)
        if not all(isinstance(one, str) and one and len(one) <= 40 for one in given):
            raise BadInput("audience", field=key)
        return tuple(dict.fromkeys(given))

    areas = []
    for name in texts("areas"):
        area = area_named(name)
        if area is None:
            raise BadInput("audience", field="areas")
        areas.append(area)
    grids = plain.get("grids") or []
    if not isinstance(grids, list) or not all(
        isinstance(g, int) and not isinstance(g, bool) and 0 < g < 100 for g in grids
    ):
        raise BadInput("audience", field="grids")
    everybody = plain.get("all", False)
    if not isinstance(everybody, bool):
        raise BadInput("audience", field="all")
    found = Audience(
        everybody,
        tuple(areas),
        tuple(dict.fromkeys(grids)),
        texts("tags"),
        texts("scales"),
        tuple(EnterpriseId(f) for f in texts("enterprises")),
        tuple(EnterpriseId(f) for f in texts("except")),
    )
    if found.is_empty:
        raise BadInput("audience_needed")
    return found
