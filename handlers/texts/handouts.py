"""What stands where a link leads: names of files, and the sentence where there is nothing."""

from datetime import datetime
from typing import Final

from handlers.domain.workdays import SHANGHAI

GONE: Final = "链接已失效，或者您现在不能看这份文件。请在聊天里重新生成。"
NO_DOCX: Final = "服务器没有安装生成 Word 文件的组件，请联系管理员。"


def brief_name(at: datetime) -> str:
    return f"日调度-{at.astimezone(SHANGHAI):%Y%m%d-%H%M}"
