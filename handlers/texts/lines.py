"""What the office and its groups are told of the connections to the platforms."""

from datetime import datetime

from handlers.domain.moment import Granularity, Moment
from handlers.texts.times import absolute


def taken_over(title: str) -> str:
    return f"{title}已被另一处占用，本系统暂时收不到那边的消息。请停用另一处后重启本系统。"


def was_away(since: datetime, until: datetime) -> str:
    """For a group: what was said meanwhile never came."""
    span = absolute(Moment(since, until, Granularity.MINUTE), until)
    return f"{span}，我没有连上，这段时间里发给我的话没有收到，请再发一次。给您添麻烦了。"
