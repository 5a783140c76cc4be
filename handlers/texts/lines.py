"""What the office is told of the connections to its platforms."""


def taken_over(title: str) -> str:
    return f"{title}已被另一处占用，本系统暂时收不到那边的消息。请停用另一处后重启本系统。"
