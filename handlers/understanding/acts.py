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
    WITHDRAW = "withdraw"
    URGE = "urge"
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
    r"办结|结单|销号|可销|(?<!报)关单|完结|闭环归档|归档|收口|了结|结案|可以?关(?:了|闭|单|掉)?(?:$|[,，。!！])|"
    r"(?:先|可以|就)结(?:了|掉|单)?(?:$|[,，。!！])|申请关闭|销单|请评价|请企业评价"
)
_DONE: Final = re.compile(
    r"已(?!派|约|联系|通知|报|安排|转|函|经约|在)|完毕|完成|恢复|正常|到位|解除|成功|核发|开通|更换|拆除|修复|"
    r"清理|复位|到账|放行|签[好了订]|拿到|办好|[了掉好妥](?:$|[,，。;；!！])|无人员|达标|合格|撤离|撤除|落地"
)
_ASK: Final = re.compile(
    r"给一下|发一下|拍一下|写给我|发给我|发我(?:一下|一份)?|报一下|报给我|提供(?:一下|一份)?|补(?:一下|充|一份)|说一下|"
    r"告诉我|请(?:拍|提供|补|把|发|说明|确认)|[吗呢?？]$|多少[?？]?$|哪[个些家里]|"
    r"请问|(?:^|[,，。])想问|是在?.{1,12}还是(?!没|不|很|有|那|老)"
)
_MINE: Final = re.compile(
    r"^(?:去?问|约|找(?:人|一下|他|她)|查|联系|核实)|我.{0,14}(?:过来|过去|赶到|赶过去)|我往|赶过来|我来|我(?:来|去|接|报|负责|对接|联系|跟进|跟|盯|处理|问|找|约|陪|带|协调|办|跑|想办法|打|帮|看|查|核|了解|先|这就|马上|"
    r"到|们去|们来|把|往|现在|和|请|让|催|安排|叫)|归我|给我(?:吧|来)|认领|认下|收下|也给我|给我$|接单|接了|接到|接警|算我的|交给我|"
    r"马上(?:联系|问|去|到)|值班室|(?:上午|下午|今天|明天|周.)(?:去|到|约|问)|收到.{0,2}(?:问|约|找|联系|这就|马上|我)"
)
_TAKES: Final = re.compile(
    r"认领|认下|我来(?!说|问)|我接|接到|接警|接单|接了|已接|记下|归我|我办|我牵头|我负责|来安排|值班室(?:联系|来|去)"
)
# The ticket itself is handed on, whether its number is said or not: 这个单子转给小陈吧.
_THIS_ONE: Final = re.compile(
    r"(?:这|那|此)(?:一)?(?:个|件|张|条|项)?(?:单子?|工单|事情?|问题|件|个)"
)
# What an answer holds: how it is done, what counts, what it costs.
_FACT: Final = re.compile(
    r"就(?:能|行|可以|好)|不用|免费|按.{1,10}(?:算|标准|%|执行)|依据|凭|带.{1,10}(?:来|去|就|证)|走.{2,14}|找.{2,8}(?:前台|窗口|平台)|可以|须|必须|材料|标准|上限|下限|每(?:人|年|月|吨)|%|号前|月底|之前|文件|规定|通知|申报|下载|系统里|窗口|政策"
)
_SENDS: Final = re.compile(
    r"我(?:先|再|现在)?把.{1,14}(?:发|给|推|寄)(?:给)?(?:您|你|过来|过去)?|我.{0,4}发您"
)
_ARRANGES: Final = re.compile(
    r"联系|通知|已(?:派|报|安排|打|叫)|派(?:了|人)|正打|叫了|安排(?:了|人)"
)
# An answer that is still to come is none.
_LATER: Final = re.compile(
    r"我(?:再|来|去|帮[您你]|先)?(?:问|查|了解|对口|核实|咨询|打听)|回头|稍后|问(?:好|到|清)|准信|(?:上午|下午|下班前|今天|明天|周.)(?:回|给|答)|^(?:去?问|约|查|联系)"
)
_WITHDRAWN: Final = re.compile(
    r"[,，]撤[。!！]?$|可以撤(?!离|回)|不用等|(?:^|[,，。;；!！\s])(?:这|那)?(?:条|个|件|单|事)?(?:可以|先|就)?(?:撤了|撤掉|撤吧|撤销|撤回|撤单|销了|作废)|这条撤|(?:不用|不必|不需要|别)(?:再)?(?:来|跟|盯|管|办|查|处理|派|麻烦|协调|找)(?:了|$)|"
    r"不用(?:来|跟|盯|办|管)|自己(?:解决|搞定|谈拢|弄好|找到|处理)(?:了|好|掉)?|可以收队|不跟了|取消(?:吧|了|掉)|不需要了|不麻烦了"
)
_URGED: Final = re.compile(
    r"催|有人(?:看到|管|理)(?:没|吗)|没人(?:管|理|来|回)|到底|什么时候(?:来|能|到|弄|给|有|修|办)|几时|哪天|多久|怎么还|还没(?:来|到|剪|修|好|弄|办|动|回|给|解决|处理|人)|还是那样|"
    r"没(?:回音|动静|消息|影|下文|反应|人影)|(?:半|一|两|几|三|四|多少|好几)(?:个)?(?:多)?(?:天|星期|礼拜|周|月|年)(?:了|来)|忘了吧|把(?:我|我们)忘|几点(?:有|能|来|到)|办不成就|踢皮球|推来推去|又过(?:去|了)|"
    r"有(?:回音|消息|结果|进展|说法|着落)(?:没|吗|了没)|怎么样了|进展如何|有没有(?:消息|回音|结果|进展|下文)|给个准(?:话|信)|是几天|拖"
)
# Still under way: a sentence with the number that says so is progress, not the result.
_ONGOING: Final = re.compile(
    r"明天|后天|下周|节后|正在|预计|争取|准备|打算|计划|拟|将|回头|稍后|跟进|催|再(?:去|来|问|约|跟)|等(?!级|候)|继续|还(?:要|需|在|没|差)|待|在(?:办|做|走|查|问|修)|(?:联系|约|报|派|问|通知)了|跟(?:他|她|对方|企业)"
)
_HEARD: Final = re.compile(
    r"^(?:好的?|收到|知道了|明白|嗯+|ok|辛苦了?|谢谢|感谢|客气|不客气|没问题|可以|行|👌|👍|🙏|[!！。,，~～\s])+$",
    re.I,
)
_TALK: Final = re.compile(
    r"^(?:各位|大家|通知|@所有人|早上好|大家早|周知|提醒)|接龙|报名|请各(?:企业|单位|家)|不客气|应该的|"
    # 老板们早上好: whoever greets or wishes something tells no progress.
    r"^.{0,8}(?:早上|上午|中午|下午|晚上|大家|你们|们)好[^\u4e00-\u9fff]*$|^.{0,8}(?:早安|晚安|午安|早)[^\u4e00-\u9fff]*$|"
    r"^(?:祝|恭喜|恭祝).{2,}|(?:节日?|国庆|中秋|元旦|春节|新年|周末|端午|五一|劳动节)快乐"
)
_SHORTEST_PROGRESS: Final = 6


def act_of(
    text: str,
    state: str,
    *,
    named: bool,
    consult: bool = False,
    pending: bool = False,
    paired: bool = True,
    leads: bool = False,
    alone: bool = False,
) -> Said | None:
    """The act of a colleague's sentence about a ticket in `state`, None where it is just talk.

    `named`: the ticket's number stands in the text; `consult`: it asks for a rule or a date;
    `pending`: a transfer to this person waits for an answer; `paired`: theirs to take, while a
    leader's or the office's word takes it only where it says so; `leads`: a leader or the office;
    `alone`: it falls to whoever is there, as at night or in an emergency.
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
        (_SUPERVISE if leads else None, Act.SUPERVISE),
    ):
        if pattern is not None and pattern.search(said):
            return Said(act, said, True)
    if pending and (_ACCEPT.search(said) or _MINE.search(said)):
        return Said(Act.TRANSFER_ACCEPT, said, True)
    transfer = _TRANSFER.search(said)
    if transfer is not None and (named or _THIS_ONE.search(said)):
        return Said(Act.TRANSFER, f"{transfer.group(1)} {said}", True)
    if named:
        if _DECLINE.search(said):
            return Said(Act.DECLINE, _DECLINE.sub("", said, count=1).strip(), True)
        refer = _REFER.search(said)
        if refer is not None and state == "in_progress":
            return Said(Act.REFER, f"{refer.group(1)} {said}", True)
    if state == "open":
        return _on_open(said, named, consult, paired, alone)
    if state == "in_progress":
        return _in_progress(said, named)
    if state in ("waiting_department", "waiting_enterprise") and len(said) >= _SHORTEST_PROGRESS:
        if named and _CLOSED.search(said) and state == "waiting_department":
            return Said(Act.RESOLVE, said, True)
        return Said(Act.PROGRESS, said)
    return None


def _on_open(said: str, named: bool, consult: bool, paired: bool, alone: bool) -> Said | None:
    if _CLOSED.search(said) and len(said) >= 10:
        return Said(Act.ANSWER, said, True)
    if not paired and not (
        _TAKES.search(said) or (alone and (_ARRANGES.search(said) or _MINE.search(said)))
    ):
        return None
    # Sending the list along belongs to an answer; going to ask does not.
    own = _MINE.search(_SENDS.sub("", said))
    later = _LATER.search(said) or own or said[-1] in "吗?？" or "请问" in said
    if consult and len(said) >= 18 and _FACT.search(said) and not later:
        return Said(Act.ANSWER, said, True)
    if _MINE.search(said):
        return Said(Act.CLAIM, said, True)
    if named or len(said) >= _SHORTEST_PROGRESS:
        return Said(Act.CLAIM, said, named)
    return None


def _in_progress(said: str, named: bool) -> Said | None:
    if _CLOSED.search(said):
        return Said(Act.RESOLVE, said, True)
    if named and _ASK.search(said):
        return Said(Act.ASK, said, True)
    if named and len(said) >= 10 and not _MINE.search(said):
        if _DONE.search(said) or not (_ONGOING.search(said) or _QUESTION.search(said)):
            return Said(Act.RESOLVE, said, True)
    if len(said) >= _SHORTEST_PROGRESS:
        return Said(Act.PROGRESS, said, named)
    return None


# A text that asks for a fact may be answered at once; a wish for help may not.
_QUESTION: Final = re.compile(
    r"[?？]|吗|么$|么[,，。]|还是(?!没|不)|多少|几(?:个|天|点|年|号)|哪(?:里|儿|个|些|家|边)|什么|要不要|是不是|算不算|能不能(?:报|用|算|按|享|抵|续|直接|自己)|可不可以|可以报|有没有要求"
)


def asks_a_fact(text: str) -> bool:
    """Whether a firm's words ask for a fact rather than for somebody to come."""
    return _QUESTION.search(text) is not None


def takes(text: str) -> bool:
    """Whether a colleague's sentence takes something on or sends for somebody."""
    return any(p.search(text) is not None for p in (_TAKES, _MINE, _ARRANGES))


_STILL: Final = re.compile(
    r"还是(?!谢|要谢|很|挺|蛮)|还在|仍然?|依旧|照样|老样子|又(?:坏|停|堵|漏|响|来|没|开始|出|断|跳)|没(?:好|修好|用|效果|解决|弄好|动)|不行"
)


def still_there(text: str) -> bool:
    """Whether a firm says of what was resolved that it is as before."""
    return _STILL.search(text) is not None


def firm_act(text: str) -> Act | None:
    """Whether a firm calls the help off or asks where it stays."""
    if _WITHDRAWN.search(text):
        return Act.WITHDRAW
    if _URGED.search(text):
        return Act.URGE
    return None


_PHONED: Final = re.compile(
    r"电话里|来电|打(?:来)?电话|微信(?:上|里)?(?:说|讲|反映)|(?:替|帮|代)(?:他|她|它|他们|企业)?(?:登记|报)|登记一下"
)
_VISITED: Final = re.compile(r"走访|上门|拜访|到企业|去企业|实地|今天去了|座谈")
_TOLD: Final = re.compile(
    r"反映|提出|希望|诉求|困难|要求|想(?:请|占|要|问|办)|请.{2,8}(?:公司|局|部门|办|队)|需要|求助|反馈"
)


def told_for(text: str) -> str:
    """How a colleague came to know of a firm's problem: `phone`, `visit`, or nothing of the kind."""
    if _VISITED.search(text) and _TOLD.search(text):
        return "visit"
    if _PHONED.search(text) and (_TOLD.search(text) or "登记" in text):
        return "phone"
    return ""
