"""Polite complaint: the words by which a firm says that it is being put off (domain.md §16)."""

import re
from typing import Final

_HURT: Final = re.compile(
    r"踢皮球|推来推去|互相推|扯皮|又过去(?:了)?[一两二三几]?[个]?(?:周|月|星期|礼拜|天)|"
    r"上个?月(?:也|就)是?这么(?:讲|说)|没人管|不管不问|石沉大海|敷衍|应付我们|太失望|失望|"
    r"说了(?:好几|多少|几)(?:次|遍|回)|催了(?:好几|多少|几|[二三四五])(?:次|遍|回)|到底(?:有没有|还)"
)


def tone_of(text: str) -> str:
    """The words that show it; empty where there are none."""
    found = _HURT.search(text)
    return "" if found is None else found.group()
