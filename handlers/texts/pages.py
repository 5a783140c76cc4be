"""What stands where a personal link leads: names of files, and the sentences where there is nothing."""

from datetime import datetime
from typing import Final

from handlers.domain.workdays import SHANGHAI

GONE_TITLE: Final = "链接已失效"
# The same for a wrong, an old, an altered and somebody else's link: it tells nothing of anybody.
GONE: Final = "链接只能由本人在第一次打开它的浏览器里看，到期自动失效。请回到聊天里重新要一个。"
COOKIE_TITLE: Final = "请允许保存 Cookie"
COOKIE: Final = "为了不让转发出去的链接被别人看到，需要浏览器允许保存 Cookie。请允许后重新打开。"
NOT_SENT_TITLE: Final = "没有提交成功"
NOT_SENT: Final = "请回到原来的页面再提交一次。"
BUSY_TITLE: Final = "现在较忙"
BUSY: Final = "请过一会儿再打开，已经填写的内容没有丢。"
NOWHERE_TITLE: Final = "没有这个页面"
NOWHERE: Final = "请核对地址是否完整，或回到聊天里重新点开链接。"
BROKEN_TITLE: Final = "现在打不开"
BROKEN: Final = "系统出了问题，请过几分钟再试；仍打不开，请在聊天里说一声。"
NO_DOCX_TITLE: Final = "现在不能生成"
NO_DOCX: Final = "服务器没有安装生成 Word 文件的组件，请联系管理员。"


def brief_name(at: datetime) -> str:
    return f"日调度-{at.astimezone(SHANGHAI):%Y%m%d-%H%M}"
