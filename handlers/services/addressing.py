"""Whom and when an announcement is meant for, in the words people use: 长洪 危化, 下一个工作日14:00."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from handlers.domain.announcement import Audience, area_named, tags_of
from handlers.domain.category import LABELS
from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId
from handlers.domain.moment import Granularity
from handlers.domain.people import Enterprise
from handlers.domain.schedule import days_in
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Work
from handlers.understanding import FirmNames
from handlers.understanding.times import find_time

_GRID: Final = re.compile(r"(?:第?(\d{1,2})号?网格|网格(\d{1,2})号?)")
_EVERYBODY: Final = re.compile(r"(?:全部|全体|所有|各)(?:重点)?(?:企业|公司|单位)?|全园区|不限")
# A shorter name may be a part of another word.
_WHOLE: Final = 3
_BUT: Final = re.compile(r"(?:，|,|\s)*(?:除了?|不含|不包括|排除)(.+?)(?:以外|之外|外)?$")
_FILLER: Final = re.compile(
    r"[\s、,，;；和及与的各家类]+|管理区|片区|企业|公司|单位|园区|标签|关心|关注"
)


def when_in(text: str, now: datetime, calendar: WorkCalendar) -> tuple[datetime | None, str]:
    """The instant of 下一个工作日14:00, or the rule of 每周一 9:00; neither for 马上."""
    plain = text.strip()
    if not plain or re.fullmatch(r"(?:马上|立即|立刻|现在|通过后)(?:就)?发?(?:送)?", plain):
        return None, ""
    comes_round = days_in(plain)
    if comes_round is not None:
        days, to = comes_round
        moment = find_time(plain[to:].lstrip(" 的,，"), now, calendar, calendar.zone)
        if moment is None:
            raise BadInput("announce_time", text=plain[:20])
        return None, f"{days} {moment.start.astimezone(calendar.zone):%H:%M}"
    moment = find_time(plain, now, calendar, calendar.zone)
    if moment is None:
        raise BadInput("announce_time", text=plain[:20])
    start = moment.start.astimezone(calendar.zone)
    if moment.granularity not in (Granularity.MINUTE, Granularity.HOUR, Granularity.HALFDAY):
        # A day alone: at its beginning of work.
        opens = calendar.windows_of(start.date())
        if not opens:
            raise BadInput("announce_time", text=plain[:20])
        start = calendar.next_open(start.replace(hour=0, minute=0, second=0, microsecond=0))
    return start.replace(second=0, microsecond=0).astimezone(now.tzinfo), ""


def audience_in(text: str, work: Work, firms: FirmNames) -> Audience:
    """长洪 危化, 全部企业除泓曜精密, 网格5、网格6, 用工类, 泓曜精密; raises BadInput for what is unclear."""
    known = work.people.enterprises()
    excepted: tuple[EnterpriseId, ...] = ()
    but = _BUT.search(text)
    if but is not None and but.start() > 0:
        excepted = _named_firms(but.group(1), firms, known)
        text = text[: but.start()]
    areas: list[str] = []
    grids: list[int] = []
    tags: list[str] = []
    scales: list[str] = []
    interests = []
    for match in _GRID.finditer(text):
        grids.append(int(match.group(1) or match.group(2)))
    # A firm's whole name first: 瑞翔新材料 is one firm, not the trade of 新材料.
    whole, left = _whole_names(_GRID.sub(" ", text), known)
    scale_words = {e.scale for e in known if e.scale}
    # The longest words first: 危化品仓储 is a trade, 危化 a mark.
    marks = sorted({t for e in known for t in tags_of(e)}, key=len, reverse=True)
    for area in sorted({e.area for e in known if e.area}):
        for name in (area, area.removesuffix("管理区")):
            if name and name in left and area_named(name) == area:
                areas.append(area)
                left = left.replace(name, " ")
    for mark in marks:
        if mark in left:
            (scales if mark in scale_words else tags).append(mark)
            left = left.replace(mark, " ")
    for category, label in LABELS.items():
        if re.search(rf"{label}(?:类|问题|困难|的)|(?:关心|关注){label}", left):
            interests.append(category)
            left = left.replace(label, " ")
    everybody = False
    if not (areas or grids or tags or scales or interests or whole):
        everybody = _EVERYBODY.search(left) is not None
    left = _EVERYBODY.sub(" ", left)
    named = whole
    rest = [part for part in re.split(_FILLER, left) if part]
    if rest:
        named = tuple(dict.fromkeys((*whole, *_named_firms("、".join(rest), firms, known))))
    return Audience(
        everybody,
        tuple(areas),
        tuple(dict.fromkeys(grids)),
        tuple(tags),
        tuple(scales),
        tuple(interests),
        named,
        excepted,
    )


def _whole_names(text: str, known: Sequence[Enterprise]) -> tuple[tuple[EnterpriseId, ...], str]:
    """The firms whose names stand there whole, in their order, and what is left of the text."""
    names: dict[str, list[EnterpriseId]] = {}
    for firm in known:
        for name in {firm.full_name, firm.short_name}:
            names.setdefault(name, []).append(firm.id)
    found: dict[int, EnterpriseId] = {}
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= _WHOLE and len(names[name]) == 1 and (at := text.find(name)) >= 0:
            found[at] = names[name][0]
            text = text.replace(name, " " * len(name))
    return tuple(dict.fromkeys(found[at] for at in sorted(found))), text


def _named_firms(
    text: str, firms: FirmNames, known: Sequence[Enterprise]
) -> tuple[EnterpriseId, ...]:
    whole, text = _whole_names(text, known)
    found = list(whole)
    for part in re.split(r"[\s、,，;；和及与]+", text.strip()):
        if not part:
            continue
        matches = firms.match(part)
        if len(matches) > 1:
            raise BadInput("which_firm", names="、".join(firms.short(m) for m in matches[:5]))
        if not matches:
            raise BadInput("announce_audience", text=part[:20])
        found.append(EnterpriseId(matches[0]))
    return tuple(dict.fromkeys(found))
