"""What a colleague's sentence does to the ticket it is about: rules over words and state."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Act(StrEnum):
    """Names of moves, as the ticket's table has them."""

    CLAIM = "claim"
    ANSWER = "answer"
    PROGRESS = "progress"
    RESOLVE = "resolve"
    ASK = "ask"
    TRANSFER = "transfer"
    TRANSFER_ACCEPT = "transfer_accept"
    REFER = "refer"
    SHELVE = "shelve"
    SHELVE_APPROVE = "shelve_approve"
    EXTEND = "extend"
    EXTEND_APPROVE = "extend_approve"
    SUPERVISE = "supervise"
    MERGE = "merge"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Said:
    """An act, and the text that goes with it (for a transfer: the person, then the reason)."""

    act: Act
    text: str
    certain: bool = False


_MERGE: Final = re.compile(r"(?:并到|并入|合并到|合到|归并到)\s*#?\s*(\d{4,9})")
_DECLINE: Final = re.compile(r"^(?:退单|退回)[:：,，\s]|申请退单|退单[:：]")
_EXTEND: Final = re.compile(r"申请(?:延期|延长|延到|延至)|延期到|想延到|请求延期")
_EXTEND_OK: Final = re.compile(r"同意(?:延|展期)|准予延期|可以延到|延期同意")
_SHELVE: Final = re.compile(r"申请(?:先)?挂账|挂账到|先挂账")
_SHELVE_OK: Final = re.compile(r"同意(?:先)?挂账|挂账同意|准予挂账")
_SUPERVISE: Final = re.compile(r"督办")
_REFER: Final = re.compile(
    r"(?:函请|发函给?|移交给?|转交给?|转到|转给|转请|报请|提请|商请)\s*"
    r"([\u4e00-\u9fff]{1,8}?(?:局|委|委员会|办|公司|分局|所|中心|支队|大队|部|法院|海关|税务|银行))"
)
_TRANSFER: Final = re.compile(
    r"(?:转给|转交给?|转由|转|移给|交给)\s*((?:联络员)?小[\u4e00-\u9fff]|老[\u4e00-\u9fff])(?!说|讲)"
)
_ACCEPT: Final = re.compile(r"我?接手|接下|我接了?|转给我.*收到|可以.?我来|好.{0,3}我来|收下")
_CLOSED: Final = re.compile(
    r"办结|结单|销号|可销|关单|完结|闭环归档|归档|收口|了结|结案|可以?关(?:了|闭|单|掉)?(?:$|[,，。!！])|"
    r"(?:先|可以|就)结(?:了|掉|单)?(?:$|[,，。!！])|申请关闭|销单|请评价|请企业评价"
)
_DONE: Final = re.compile(
    r"已(?!派|约|联系|通知|报|安排|转|函|经约|在)|完毕|完成|恢复|正常|到位|解除|成功|核发|开通|更换|拆除|修复|"
    r"清理|复位|到账|放行|签[好了订]|拿到|办好|[了掉好妥](?:$|[,，。;；!！])|无人员|达标|合格|撤离|撤除|落地"
)
_ASK: Final = re.compile(
    r"给一下|发一下|拍一下|写给我|发给我|发我(?:一下|一份)?|报一下|报给我|提供(?:一下|一份)?|补(?:一下|充|一份)|说一下|"
    r"告诉我|请(?:拍|提供|补|把|发|说明|确认)|[吗呢?？]$|多少[?？]?$|哪[个些家里]"
)
_MINE: Final = re.compile(
    r"我(?:来|去|接|报|负责|对接|联系|跟进|跟|盯|处理|问|找|约|陪|带|协调|办|跑|想办法|打|帮|看|查|核|了解|先|这就|马上|"
    r"到|们去|们来|把|往|现在|和|请|让|催|安排|叫)|归我|给我(?:吧|来)|认领|认下|接单|接了|接到|接警|算我的|交给我|"
    r"马上(?:联系|问|去|到)|值班室|(?:上午|下午|今天|明天|周.)(?:去|到|约|问)|收到.{0,2}(?:问|约|找|联系|这就|马上|我)"
)
_HEARD: Final = re.compile(
    r"^(?:好的?|收到|知道了|明白|嗯+|ok|辛苦了?|谢谢|感谢|客气|不客气|没问题|可以|行|👌|👍|🙏|[!！。,，~～\s])+$",
    re.I,
)
_TALK: Final = re.compile(
    r"^(?:各位|大家|通知|@所有人|早上好|大家早|周知|提醒)|接龙|报名|请各(?:企业|单位|家)|不客气|应该的"
)
_SHORTEST_PROGRESS: Final = 6


def act_of(
    text: str, state: str, *, named: bool, consult: bool = False, pending: bool = False
) -> Said | None:
    """The act of a colleague's sentence about a ticket in `state`, None where it is just talk.

    `named`: the ticket's number stands in the text; `consult`: it asks for a rule or a date;
    `pending`: a transfer to this person waits for an answer.
    """
    said = text.strip(" ,，:：;；#")
    if not said or _HEARD.match(said) or _TALK.search(said):
        return None
    merge = _MERGE.search(said)
    if merge is not None:
        return Said(Act.MERGE, said, True)
    for pattern, act in (
        (_EXTEND_OK, Act.EXTEND_APPROVE),
        (_SHELVE_OK, Act.SHELVE_APPROVE),
        (_EXTEND, Act.EXTEND),
        (_SHELVE, Act.SHELVE),
        (_SUPERVISE, Act.SUPERVISE),
    ):
        if pattern.search(said):
            return Said(act, said, True)
    if pending and (_ACCEPT.search(said) or _MINE.search(said)):
        return Said(Act.TRANSFER_ACCEPT, said, True)
    if named:
        if _DECLINE.search(said):
            return Said(Act.DECLINE, _DECLINE.sub("", said, count=1).strip(), True)
        refer = _REFER.search(said)
        if refer is not None and state == "in_progress":
            return Said(Act.REFER, f"{refer.group(1)} {said}", True)
        transfer = _TRANSFER.search(said)
        if transfer is not None:
            return Said(Act.TRANSFER, f"{transfer.group(1)} {said}", True)
    if state == "open":
        return _on_open(said, named, consult)
    if state == "in_progress":
        return _in_progress(said, named)
    if state in ("waiting_department", "waiting_enterprise") and len(said) >= _SHORTEST_PROGRESS:
        if named and _CLOSED.search(said) and state == "waiting_department":
            return Said(Act.RESOLVE, said, True)
        return Said(Act.PROGRESS, said)
    return None


def _on_open(said: str, named: bool, consult: bool) -> Said | None:
    if _CLOSED.search(said) and len(said) >= 10:
        return Said(Act.ANSWER, said, True)
    if _MINE.search(said):
        return Said(Act.CLAIM, said, True)
    if consult and len(said) >= 10 and not said.endswith(("吗", "?", "？")):
        return Said(Act.ANSWER, said, True)
    if named or len(said) >= _SHORTEST_PROGRESS:
        return Said(Act.CLAIM, said, named)
    return None


def _in_progress(said: str, named: bool) -> Said | None:
    if _CLOSED.search(said):
        return Said(Act.RESOLVE, said, True)
    if named and _ASK.search(said):
        return Said(Act.ASK, said, True)
    if named and len(said) >= 8 and _DONE.search(said) and not _MINE.search(said):
        return Said(Act.RESOLVE, said, True)
    if len(said) >= _SHORTEST_PROGRESS:
        return Said(Act.PROGRESS, said, named)
    return None
