"""Which ticket a sentence belongs to, when nobody names its number."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from handlers.chat.grammar import fold

# Pairs of characters that every conversation holds say nothing about its subject.
_COMMON: Final = frozenset(
    [
        "可以",
        "我们",
        "你们",
        "他们",
        "一下",
        "这个",
        "那个",
        "现在",
        "已经",
        "联系",
        "明天",
        "今天",
        "昨天",
        "后天",
        "上午",
        "下午",
        "晚上",
        "早上",
        "经理",
        "主任",
        "企业",
        "公司",
        "工厂",
        "厂里",
        "问题",
        "情况",
        "什么",
        "时候",
        "怎么",
        "没有",
        "还是",
        "就是",
        "还有",
        "麻烦",
        "谢谢",
        "辛苦",
        "收到",
        "好的",
        "知道",
        "大家",
        "各位",
        "领导",
        "帮忙",
        "能不",
        "不能",
        "有没",
        "是不",
        "一个",
        "两个",
        "几个",
        "小时",
        "分钟",
        "马上",
        "安排",
        "处理",
        "解决",
        "办理",
        "反馈",
        "进展",
        "协调",
        "跟进",
        "对接",
        "过来",
        "过去",
        "起来",
        "出来",
        "下来",
        "上来",
        "回来",
        "到了",
        "不是",
        "但是",
        "因为",
        "所以",
        "如果",
        "或者",
        "而且",
        "的话",
        "这边",
        "那边",
        "这里",
        "那里",
        "这事",
        "这件",
        "那件",
        "一件",
        "的事",
        "我去",
        "我来",
        "我问",
        "我找",
        "你发",
        "发我",
        "发你",
        "给你",
        "给我",
        "电话",
        "材料",
        "资料",
        "人员",
        "老师",
        "师傅",
        "同志",
        # Where it is: two matters of one firm are often in one place.
        "车间",
        "门口",
        "厂门",
        "厂房",
        "厂区",
    ]
)
# 第3号车间, 2号楼: a place counted out, not a subject.
_PLACE: Final = re.compile(
    r"第?[\d一二三四五六七八九十]{1,3}(?:号|#)?(?:车间|厂房|楼|库房?|线|门|厂)"
)
_HAN: Final = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z]{2,}|\d+(?:\.\d+)?")
_TITLES: Final = (
    "经理|总|工|师傅|主任|厂长|主管|部长|老师|科长|院长|书记|会计|姐|哥|叔|同志|队长|班长|站长"
)
_CALLED: Final = re.compile(rf"([\u4e00-\u9fff]{{1,2}})(?:{_TITLES})")
_FAMILIAR: Final = re.compile(r"(?:小|老|阿)([\u4e00-\u9fff])")
_MENTION: Final = re.compile(r"@[^\s@,，。:：;；!！?？]{1,20}")
_NUMBER: Final = re.compile(r"(?<![\d.])(\d{4,9})(?![\d.万元人吨亩度米千兆个份台年号])")


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket as a conversation sees it.

    `words`: all that was said of it; `reporter`, `owner`: what they are called; `minutes`: since
    it was last spoken of in this chat or moved, None if not lately; `mine`: the speaker reported
    or handles it; `awaits`: it waits for this speaker's word.
    """

    number: int
    firm: str
    firm_names: tuple[str, ...]
    words: str
    reporter: str = ""
    owner: str = ""
    minutes: float | None = None
    mine: bool = True
    awaits: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """How well a thread fits; `subject` is the part that comes from what is talked about."""

    thread: Thread
    score: float
    subject: float
    named: bool


# The tickets of a conversation come up with every sentence of it.
@lru_cache(maxsize=128)
def pairs(text: str) -> frozenset[str]:
    """What a text is about: neighbouring characters, Latin words and numbers."""
    found: set[str] = set()
    for run in _HAN.findall(_PLACE.sub(" ", _MENTION.sub(" ", fold(text)))):
        if run[0] < "\u4e00":
            found.add(run.lower())
            continue
        beside = ["", *(run[i : i + 2] for i in range(len(run) - 1)), ""]
        for before, pair, after in zip(beside, beside[1:], beside[2:], strict=False):
            # 我们车间: what stands between two such words (们车) says nothing either.
            if pair not in _COMMON and not (before in _COMMON and after in _COMMON):
                found.add(pair)
    return frozenset(found)


@lru_cache(maxsize=1024)
def _surnames(nickname: str) -> frozenset[str]:
    """What others may call somebody: 恺昇玻纤-动力老柴 is 老柴, 柴师傅, 柴工."""
    own = nickname.rpartition("-")[2]
    called = {m.group(1)[-1] for m in _CALLED.finditer(own)}
    called.update(m.group(1) for m in _FAMILIAR.finditer(own))
    return frozenset(called)


def _addressed(text: str) -> frozenset[str]:
    called = {m.group(1)[-1] for m in _CALLED.finditer(text)}
    called.update(m.group(1) for m in _FAMILIAR.finditer(text))
    return frozenset(called)


def ranked(text: str, threads: Sequence[Thread]) -> tuple[Match, ...]:
    """The threads that a sentence may belong to, best first.

    A number decides; then the firm and the people it names, what it talks about (a pair of
    characters counts the more, the fewer of the threads hold it), and how fresh the talk is.
    """
    said = pairs(text)
    told = [pairs(t.words) for t in threads]
    spread = Counter(pair for one in told for pair in one)
    numbers = {int(n) for n in _NUMBER.findall(text)}
    called = _addressed(text)
    found: list[Match] = []
    for thread, words in zip(threads, told, strict=True):
        subject = sum(1.0 / spread[pair] for pair in said & words)
        subject = min(4.0, subject * (1.6 if len(said) < 12 else 1.2))
        score = subject
        named = any(name in text for name in thread.firm_names)
        if thread.number in numbers:
            score += 20.0
        if named:
            score += 4.0
        if called & _surnames(thread.reporter):
            score += 3.0
            named = True
        if called & _surnames(thread.owner):
            score += 1.0
        if thread.minutes is not None:
            score += 3.0 * 0.5 ** (thread.minutes / 10.0) + (1.0 if thread.minutes < 240 else 0.0)
        if thread.mine:
            score += 1.5
        if thread.awaits:
            score += 1.0
        found.append(Match(thread, score, subject, named or thread.number in numbers))
    return tuple(sorted(found, key=lambda m: (-m.score, -m.thread.number)))
