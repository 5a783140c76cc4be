"""DingTalk's error codes, what each asks for and what the office does about it.

Names are the new interface's, numbers the old one's; a name without an entry of its own is judged
by its beginning.
"""

from typing import Final

from bot.trouble import Do, Trouble, fix, never
from handlers.chat.reach import Lost

_HOUR: Final = 3600.0
# So long the limiter of addresses and a group's robot stay silent.
_IP_SECONDS: Final = 300.0
_SILENCE_SECONDS: Final = 600.0


_TOKEN: Final = Trouble(Do.REFRESH, "访问凭证失效，会自动重新获取；反复出现请核对 Client Secret。")
_SECRET: Final = fix(
    "Client ID 或 Client Secret 不对（区分大小写），请到开发者后台「凭证与基础信息」重新复制。"
)
_QPS: Final = Trouble(Do.WAIT, "发送太快，会稍后自动再发。", 1.0)
_BUSY: Final = Trouble(Do.WAIT, "平台正忙，会稍后自动再发。")
_IN_DOUBT: Final = Trouble(Do.UNSURE, "平台超时，不知道发出没有，请核对后再发。")
_MONTH: Final = Trouble(
    Do.WAIT,
    "本月接口次数用完（标准版每个组织每月 1 万次），下月恢复；"
    "急用请升级专业版，或在群里配置自定义机器人。",
    _HOUR,
)
_PERMISSION: Final = fix(
    "应用缺少接口权限，请在开发者后台「权限管理」开通「企业内机器人发送消息」"
    "和「互动卡片实例写」后发布版本。"
)
_IP_LIST: Final = fix("服务器地址不在白名单，请在开发者后台「安全设置」加入出口 IP。")
_ROBOT: Final = fix(
    "机器人编码不对或应用没有发布，请核对 DINGTALK_ROBOT_CODE（一般与 Client ID 相同）并发布版本。"
)
_ROBOT_OFF: Final = never(
    "机器人没有启用或不在群里，请发布应用版本，并在群设置「机器人」里重新添加。"
)
# Without a time, for what is said in groups need not wait with it.
_OFF: Final = Trouble(
    Do.FIX, "没有启用单聊机器人或应用没有发布，请在开发者后台发布版本，之后自动再发。"
)
_GROUP: Final = never("群不存在、已解散或不是内部群，请在群里 @机器人 重新绑定。")
_NOBODY: Final = never("没有这个成员，可能已离职或不在本组织，请更新联系人或改用电话。", Lost.LEFT)
_CONTENT: Final = never("消息内容或格式不被接受，请把编号发给维护人员。")
_FILE: Final = never("钉钉不收这个文件（格式或大小），请从通知的页面里下载。")
_UNSAFE: Final = never("内容被平台审核拦下，请换一种说法再发。")
_TEMPLATE: Final = never(
    "卡片模板不存在或没有发布，请在卡片平台发布模板并核对模板 ID，期间会改发文字。"
)
_CARD: Final = never("卡片数据不被接受，会改发文字；请核对模板变量。")
_NO_ADDRESS: Final = never("群机器人的地址失效，请在群里重新添加自定义机器人并更新地址。")

TROUBLES: Final[dict[str, Trouble]] = {
    # Credentials
    "401": _TOKEN,
    "InvalidAuthentication": _TOKEN,
    "invalidParameter.token.invalid": _TOKEN,
    "token.notExisted": _TOKEN,
    "40014": _TOKEN,
    "42001": _TOKEN,
    "33001": _SECRET,
    "40001": _SECRET,
    "40089": _SECRET,
    "40096": _SECRET,
    "invalidClientIdOrSecret": _SECRET,
    # What forbids in words that nobody has described is about the application, not the message.
    "Forbidden": fix("平台拒绝访问，请在开发者后台核对权限和「安全设置」，并发布版本。"),
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": _PERMISSION,
    "Forbidden.AccessDenied.IpNotInWhiteList": _IP_LIST,
    "60020": _IP_LIST,
    "60011": _PERMISSION,
    # Too fast, too much, too busy
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": _QPS,
    "Forbidden.AccessDenied.QpsLimitForApi": _QPS,
    "Forbidden.AccessDenied.QpsLimitForOrgAndApi": _QPS,
    "90018": _QPS,
    "90019": _QPS,
    "90002": _QPS,
    "429": _QPS,
    "Forbidden.AccessDenied.ApiCountLimitForOrg": _MONTH,
    "90020": _MONTH,
    "ip_limit": Trouble(
        Do.WAIT, "本机出口 IP 调用太多，平台拒绝 5 分钟，之后自动再发。", _IP_SECONDS
    ),
    "flow_controlled": Trouble(Do.WAIT, "给这个人发得太多，平台要求等一会儿，会自动再发。"),
    "toomuch.msg": _QPS,
    "system.busy": _BUSY,
    "system.error": _BUSY,
    "ServiceUnavailable": _BUSY,
    "-1": _BUSY,
    # The vendor waited for its own service in vain: nobody knows whether it was done.
    "15": _IN_DOUBT,
    "88": _IN_DOUBT,
    "504": _IN_DOUBT,
    # The robot, the group, the person
    "invalidParameter.robotCode": _ROBOT,
    "resource.not.found": _ROBOT,
    "invalid.chatbotId": _ROBOT,
    "bot.stopped": _ROBOT_OFF,
    "template.stopped": _ROBOT_OFF,
    "template.not.existed": _ROBOT_OFF,
    "send.forbidden": _ROBOT_OFF,
    "robot.notInGroup": _ROBOT_OFF,
    "chatbotId.notAllow.sendOTO": _OFF,
    "robot.oto.notExist": _OFF,
    "invalid.openConversationId": _GROUP,
    "openConversationId.notExisted": _GROUP,
    "invalidParameter.openConversationId": _GROUP,
    "group.disbanded": _GROUP,
    "staffId.notExisted": _NOBODY,
    "miss.staffId": _NOBODY,
    "staff.not.found": _NOBODY,
    "illegal.receivers": _NOBODY,
    "param.userIdNotExist": _NOBODY,
    "invalid_staff": _NOBODY,
    "filtered_staff": never(
        "对方不在应用可用范围、屏蔽了机器人或没有激活钉钉，"
        "请在「版本管理与发布」核对可用范围，或改用电话。",
        Lost.OUT_OF_RANGE,
    ),
    # What is said
    "invalidParameter": _CONTENT,
    # A file that is brought, and its name there (codes as told in developer.aliyun.com/ask/540868)
    "40004": _FILE,
    "40005": _FILE,
    "40006": _FILE,
    "413": _FILE,
    "40007": _CONTENT,
    "param.contentUnsafe": _UNSAFE,
    "contentSecurityChckFailed": _UNSAFE,
    "param.templateNotExist": _TEMPLATE,
    "param.templateUnpublished": _TEMPLATE,
    "param.cardNotExist": never("原卡片找不到，不能再更新，会另发一条。"),
    "param": _CARD,
    "not_delivered": never("卡片没有投放成功，会改发文字。"),
    # DING
    "ding.serverquota.insufficient": never(
        "没有 DING 额度（仅专业版、专属版），已按普通消息发出。"
    ),
    "ding": never("DING 没有发出，已按普通消息发出。"),
    "send.ding.exception": never("DING 没有发出，已按普通消息发出。"),
    # A group's custom robot and the reply address of a chat
    "130101": Trouble(
        Do.WAIT, "群机器人每分钟只能发 20 条，平台要求停 10 分钟，之后自动再发。", _SILENCE_SECONDS
    ),
    "310000": fix(
        "群机器人的关键词、加签或 IP 段没有通过，请核对安全设置，地址后面用 # 接上加签密钥。"
    ),
    "300001": _NO_ADDRESS,
    "300005": _NO_ADDRESS,
    "40035": _CONTENT,
    "400013": never("群已解散，请在群列表里停用它。"),
    "400014": never("群已解散，请在群列表里停用它。"),
    "400101": _NO_ADDRESS,
    "400102": never("群机器人已停用，请在群设置里重新启用。"),
    "400105": _CONTENT,
    "400106": _NO_ADDRESS,
    "460101": _CONTENT,
    "90030": never("群机器人被平台停用，请在群里重新添加并更新地址。"),
    "robot_host": never("群机器人的地址不是钉钉的，请从群设置里重新复制。"),
    # Ours
    "outsider": never(
        "对方不在本组织，只能在对方发言后约 90 分钟内回复，请电话联系或邀请加入组织。",
        Lost.OUT_OF_RANGE,
    ),
    "not_recalled": never("平台没有撤回（单聊限 24 小时内），请另发更正。"),
    "redirected": fix("接口被转到别的地址，请核对 DINGTALK_API_BASE 和网络代理。"),
    "no_receipt": never("平台没有给出回执，不知道发出没有，请核对后再发。"),
    "not_accepted": _CONTENT,
    "not_ours": never("这个文件不是钉钉给出的，不能下载。"),
    "answer_too_long": never("文件太大，没有下载。"),
}


def trouble(code: str) -> Trouble | None:
    """The entry of a code, or of the longest beginning of its name that has one."""
    name = code
    while name:
        if found := TROUBLES.get(name):
            return found
        name = name.rpartition(".")[0]
    return None


def cure(code: str) -> str:
    """What a person does about a code; empty for one that nobody has described."""
    found = trouble(code)
    return "" if found is None else found.cure


def lost(code: str) -> Lost | None:
    """Why a person gets nothing; None where the code is not about the person."""
    found = trouble(code)
    return None if found is None else found.lost


def keeps_out(code: str) -> bool:
    """Whether the application may not speak in the group, where the group's own robot may."""
    return trouble(code) in (_ROBOT, _ROBOT_OFF, _GROUP)


def of_message(code: str) -> bool:
    """Whether it is said of the message and not of the robot, the group or the person."""
    return trouble(code) in (None, _CONTENT)
