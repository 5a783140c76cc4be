"""What stands on the page where the office's people log in."""

from typing import Final

TITLE: Final = "登录"
IN_TITLE: Final = "已登录"
NOTE: Final = "请用平时聊天的账号登录，本系统不保存密码。"
NO_WAY: Final = "还没有打开可以登录的聊天平台，请联系管理员。"
NAME: Final = "姓名"
ROLE: Final = "身份"
LEAVE: Final = "退出登录"
LEFT_TITLE: Final = "已退出"
LEFT: Final = "这台设备上的登录已经结束。"
OVER_TITLE: Final = "登录没有完成"
OVER: Final = "登录链接已过期或已用过，请重新登录。"
NOT_CONFIRMED: Final = "平台没有确认您的身份，请重新登录。"
UNKNOWN_TITLE: Final = "不能登录"
UNKNOWN: Final = "您的账号还没有登记。请先在聊天里告诉我您是谁，由办公室确认后再登录。"
FOR_STAFF: Final = "这里供办公室和联络员使用，您的事项请在聊天里办理。"
NOT_SENT: Final = "请回到登录页再按一次「退出登录」。"


def by(platform: str) -> str:
    return f"用{platform}登录"
