"""Why a webhook's request was refused, for whoever builds or sets up the other side."""

from collections.abc import Mapping
from typing import Final

_WHY: Final[Mapping[str, str]] = {
    "signature": "签名不对，请核对两边的密钥。",
    "too_old": "时间戳与现在相差太大，请校准时钟后重新签名再发。",
    "too_large": "请求内容超过 1 MB，请分几次发。",
    "not_json": "请求内容不是 JSON。",
    "not_xml": "请求内容不是 XML。",
    "not_understood": "缺少 event_id、chat.id 或 sender.id，请补齐再发。",
    "method": "请用 POST。",
    "overloaded": "现在消息较多，请稍后再发。",
    "too_slow": "现在处理不过来，请稍后再发。",
    "not_stored": "暂时不能保存，请稍后再发。",
}


def refused_request(reason: str) -> str:
    """Nothing of what was sent is repeated."""
    return _WHY.get(reason, "请求没有被接受，请核对地址和内容。")
