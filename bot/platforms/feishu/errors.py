"""Feishu's error codes, what each asks for and what the office does about it."""

from typing import Final

from bot.trouble import Do, Trouble, fix, never
from handlers.chat.reach import Lost

# Where the answer does not say how long.
_THROTTLED_SECONDS: Final = 1.0
_TOKEN: Final = Trouble(Do.REFRESH, "访问凭证失效，会自动重新获取；反复出现请核对 App Secret。")
_SECRET: Final = fix("App ID 或 App Secret 不对，请到开发者后台「凭证与基础信息」重新复制。")
_OFF: Final = fix("应用没有启用或没有发布版本，请在开发者后台发布版本并请管理员审核。")
_CONTENT: Final = never("消息内容或卡片格式不被接受，请把编号发给维护人员。")
_GONE: Final = never("原消息已撤回或太旧，不能再更新，会另发一条。")
_NOT_REACHED: Final = (
    "对方不在应用可用范围、已离职或屏蔽了机器人，请在「版本管理与发布」扩大可用范围。"
)
_OUTSIDE: Final = never(
    "群不允许外部应用，请打开应用的「机器人对外共享」并由本单位成员把机器人拉进群。"
)
THROTTLED: Final = Trouble(
    Do.WAIT, "发送太快或本月接口次数用完，会稍后自动再发。", _THROTTLED_SECONDS
)
TROUBLES: Final[dict[int, Trouble]] = {
    99991661: _TOKEN,
    99991663: _TOKEN,
    99991664: _TOKEN,
    99991668: _TOKEN,
    99991400: THROTTLED,
    230020: Trouble(Do.WAIT, "这个会话发送太快，会稍后自动再发。"),
    230049: Trouble(Do.WAIT, "同一条消息正在发送，会稍后核对。"),
    10003: _SECRET,
    10014: _SECRET,
    10015: _SECRET,
    99991543: _SECRET,
    99991662: _OFF,
    99991672: fix("应用缺少接口权限，请在「权限管理」开通 im:message 等权限后发布版本。"),
    99991401: fix("服务器地址不在白名单，请在开发者后台「安全设置」加入出口 IP。"),
    230001: _CONTENT,
    230099: _CONTENT,
    200621: _CONTENT,
    300305: _CONTENT,
    230025: _CONTENT,
    230002: never("机器人不在这个群里，请在群设置「群机器人」里重新添加。"),
    232009: never("群已解散，请在群列表里停用它。"),
    230006: never("没有启用机器人能力，请在「添加应用能力」里添加机器人并发布版本。"),
    230027: never(
        "缺少发消息权限或没有对外共享，请检查「权限管理」和「机器人对外共享」后发布版本。"
    ),
    232033: _OUTSIDE,
    230013: never(_NOT_REACHED, Lost.OUT_OF_RANGE),
    230029: never(_NOT_REACHED, Lost.LEFT),
    230053: never(_NOT_REACHED, Lost.OUT_OF_RANGE),
    230018: never("群里禁止机器人发言，请群主在群设置里放开。"),
    230035: never("群里禁止机器人发言，请群主在群设置里放开。"),
    230022: never("内容被平台审核拦下，请换一种说法再发。"),
    230028: never("内容被平台审核拦下，请换一种说法再发。"),
    230034: never("找不到接收人，请让本人重新绑定身份。", Lost.LEFT),
    230038: never("不能给外单位的人发单聊，请改在群里沟通。", Lost.OUT_OF_RANGE),
    230054: never("这个群不支持这种消息，会改发文字。"),
    230011: _GONE,
    230031: _GONE,
    230110: _GONE,
}
# What the same words without a card may still pass.
CARD_REFUSED: Final = frozenset({230001, 230099, 200621, 300305, 230025, 230054})
MESSAGE_GONE: Final = frozenset(c for c, t in TROUBLES.items() if t is _GONE)
RECALLED: Final = 230011
# The app cannot speak in the group; its own robot may.
NOT_IN_GROUP: Final = frozenset({230002, 230006, 230018, 230027, 230035, 232033})


def cure(code: str) -> str:
    """What a person does about a code; empty for one that nobody has described."""
    trouble = TROUBLES.get(int(code)) if code.isdigit() else None
    return "" if trouble is None else trouble.cure
