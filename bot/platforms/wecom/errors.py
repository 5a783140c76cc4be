"""WeCom's error codes, what each asks for and what the office does about it (global list, D:90313 and
the pages named in docs/platforms/wecom.md)."""

from typing import Final

from bot.trouble import Do, Trouble, never
from handlers.chat.reach import Lost

_TOKEN: Final = Trouble(Do.REFRESH, "访问凭证失效，会自动重新获取；反复出现请核对应用 Secret。")
TROUBLES: Final[dict[str, Trouble]] = {
    "40014": _TOKEN,
    "41001": _TOKEN,
    "42001": _TOKEN,
    "40001": never("Secret 不对，请到应用详情页重新复制 WECOM_APP_SECRET 或 WECOM_AIBOT_SECRET。"),
    "40013": never("企业 ID 不对，请到「我的企业」最下方重新复制 WECOM_CORP_ID。"),
    "40056": never("AgentId 和 Secret 不是同一个应用的，请到应用详情页重新复制。"),
    "301002": never("AgentId 和 Secret 不是同一个应用的，请到应用详情页重新复制。"),
    "60020": never(
        "本机的出口 IP 不在企业可信 IP 里，请到应用详情页「企业可信IP」添加，约一分钟后生效。"
    ),
    "48002": never("应用没有这个接口的权限，请到应用详情页核对权限和可见范围。"),
    "60011": never("对方不在应用的可见范围里，请到应用详情页扩大可见范围。", Lost.OUT_OF_RANGE),
    "50002": never("对方不在应用的可见范围里，请到应用详情页扩大可见范围。", Lost.OUT_OF_RANGE),
    "40003": never("没有这个成员，可能已离职或换了账号，请更新联系人。", Lost.LEFT),
    "60111": never("没有这个成员，可能已离职或换了账号，请更新联系人。", Lost.LEFT),
    "46004": never("没有这个成员，可能已离职或换了账号，请更新联系人。", Lost.LEFT),
    "invaliduser": never(
        "对方不在可见范围里，或没有激活企业微信，请核对后改用电话。", Lost.OUT_OF_RANGE
    ),
    "unlicenseduser": never(
        "对方没有接口许可账号，请到管理后台「接口许可」分配后再发。", Lost.OUT_OF_RANGE
    ),
    "81013": never("对方都不在可见范围里，请到应用详情页扩大可见范围。", Lost.OUT_OF_RANGE),
    "45009": Trouble(Do.WAIT, "发得太多，平台要求等一会儿，系统会自动再发。", 60.0),
    "45011": Trouble(Do.WAIT, "发得太多，平台要求等一会儿，系统会自动再发。", 60.0),
    "45033": Trouble(Do.WAIT, "平台正忙，系统会自动再发。"),
    "-1": Trouble(Do.WAIT, "平台正忙，系统会自动再发。"),
    "93000": never("群机器人的地址失效或机器人被移出群，请在群里重新添加并更新地址。"),
    "93001": never("这个群不让机器人主动发言，请在群里 @机器人 一次，或给群配置群机器人。"),
    "93006": never("群不存在或机器人不在群里，请把机器人重新拉进群。", Lost.NEVER_OPENED),
    "93008": never("机器人不在群里，请把它重新拉进群。"),
    "846607": never(
        "对方还没有和机器人说过话，请对方在群里 @机器人，或在单聊里发一句话。", Lost.NEVER_OPENED
    ),
    "846605": never("回复的请求已经失效，系统会改为主动发送。"),
    "846608": never("回复超过时限，系统会改为主动发送。"),
    "846609": Trouble(Do.WAIT, "长连接已断开，系统会自动重连。"),
    "kf_window": never(
        "微信客服只能在对方发言后 48 小时内回 5 条，已用完或已过期，请电话联系。", Lost.SILENT
    ),
    "kf_kept": never("微信客服的条数有限，最后两条留给编号、结果和评价，这条没有发。"),
    "kf_no_account": never("还没有客服账号，请到「微信客服」新建账号并关联本应用。"),
    "95001": never("微信客服的发送条数已用完，请等对方再发言或电话联系。", Lost.SILENT),
    "no_route": never("没有可用的发送方式：群聊请配置群机器人或长连接，个人请配置自建应用。"),
    "session_quota": Trouble(Do.WAIT, "这个会话发得太多，系统会自动再发。"),
    "50001": never(
        "登录回调的域名不可信，请到应用详情页「网页授权及JS-SDK」和「企业微信授权登录」填写域名。"
    ),
    "40029": never("登录码无效或已用过，请重新登录。"),
    "42022": never("登录码无效或已用过，请重新登录。"),
    "no_member": never("登录的人不是本企业微信的成员。"),
    "42045": never("卡片缺少跳转地址，请联系开发人员。"),
    "41006": never("素材过期，请重新上传。"),
    "40007": never("素材过期，请重新上传。"),
}
# Nobody is reached this way: the application cannot speak, or the robot is not in its group any more.
_WAY_OFF: Final = frozenset({"40001", "40013", "40056", "301002", "60020", "48002", "93000"})


def cure(code: str) -> str:
    """What a person does about a code; empty for one that nobody has described."""
    found = TROUBLES.get(code)
    return "" if found is None else found.cure


def lost(code: str) -> Lost | None:
    """Why a person gets nothing; None where the code is not about the person."""
    found = TROUBLES.get(code)
    return None if found is None else found.lost


def is_way_over(code: str) -> bool:
    """Whether only another way may still reach who this one does not."""
    return lost(code) is not None or code in _WAY_OFF
