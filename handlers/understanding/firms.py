"""Firms by the names people use: short names, aliases, full names; ambiguity is kept."""

import re
from collections.abc import Iterable
from typing import Final

_NOISE: Final = re.compile(
    r"(有限责任公司|股份有限公司|有限公司|股份|集团|公司|科技|\(南通\)|（南通）|^江苏|^南通|\s)"
)
_SIMILAR: Final = 60


def bare(name: str) -> str:
    """A firm's name without what all firms share."""
    return _NOISE.sub("", name).strip().lower()


class FirmNames:
    """An index of (id, short name, aliases, full name)."""

    def __init__(self, firms: Iterable[tuple[str, str, tuple[str, ...], str]]) -> None:
        self._names: dict[str, set[str]] = {}
        self._short: Final[dict[str, str]] = {}
        for firm_id, short, aliases, full in firms:
            self._short[firm_id] = short
            for name in (short, *aliases, full, bare(full), bare(short)):
                if len(name) >= 2:
                    self._names.setdefault(name.lower(), set()).add(firm_id)
        names = sorted(self._names, key=len, reverse=True)
        self._find: Final = re.compile("|".join(re.escape(n) for n in names)) if names else None

    def short(self, firm_id: str) -> str:
        return self._short.get(firm_id, "")

    def find(self, text: str) -> tuple[str, ...]:
        """The firms that a text names, in order of appearance."""
        if self._find is None:
            return ()
        found: dict[str, None] = {}
        for match in self._find.finditer(text.lower()):
            for firm_id in sorted(self._names[match.group()]):
                found.setdefault(firm_id)
        return tuple(found)

    def match(self, name: str) -> tuple[str, ...]:
        """The firms that a name given on its own may mean; several are an ambiguity to ask about."""
        wanted = name.strip().lower()
        if len(wanted) < 2:
            return ()
        for form in (wanted, bare(wanted)):
            if form in self._names:
                return tuple(sorted(self._names[form]))
        core = bare(wanted)
        if len(core) < 2:
            return ()
        inside = {i for n, ids in self._names.items() if core in n or n in core for i in ids}
        if inside:
            return tuple(sorted(inside))
        from rapidfuzz import fuzz  # late: it costs start-up time and is the last resort

        scored = [
            (fuzz.ratio(core, n), firm_id) for n, ids in self._names.items() for firm_id in ids
        ]
        best = max((score for score, _ in scored), default=0)
        if best < _SIMILAR:
            return ()
        return tuple(sorted({firm_id for score, firm_id in scored if score >= best - 5}))
