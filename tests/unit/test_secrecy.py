"""What must not leave the office is found however it is written, and named."""

import pytest

from handlers.understanding.secrecy import marks_in


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("本件为秘密级，请勿转发", ("秘密",)),
        ("机 密★一年", ("机密",)),
        ("机·密", ("机密",)),
        ("绝\u200b密文件", ("绝密",)),
        ("内部资料，注意保存", ("内部资料",)),
        ("【内部文件】请传阅", ("内部文件",)),
        ("收到明传电报一份", ("明传电报",)),
        ("张三 320602199001011234 请到场", ("身份证号 320***********34",)),
        ("身份证 32060219900101123X", ("身份证号 320***********3X",)),
        ("联系人 13812345678", ("手机号 138****5678",)),
        ("联系人 138-1234-5678", ("手机号 138****5678",)),
        ("联系人 +86 138 1234 5678", ("手机号 138****5678",)),
        ("联系人１３８１２３４５６７８", ("手机号 138****5678",)),
        ("#1024 已办结", ("工单编号 #1024",)),
        ("见 LHG-20261122-003", ("工单编号 LHG-20261122-003",)),
        ("附领导行程", ("领导行程",)),
    ],
)
def test_a_mark_is_found_and_named(text: str, marks: tuple[str, ...]) -> None:
    assert marks_in(text) == marks


@pytest.mark.parametrize(
    "text",
    [
        "请于12月1日前联系 0513-85281234 或拨打 12345",
        "商业秘密保护培训周五举行",
        "停电时间：12月1日 8:00-17:00，线路编号 10kV 通盛线",
        "补贴最高50万元，按设备投资额的10%计算，2026年12月20日截止",
        "统一社会信用代码 91320600MA1XXXXX2B",
        "",
    ],
)
def test_an_ordinary_notice_is_let_through(text: str) -> None:
    assert marks_in(text) == ()
