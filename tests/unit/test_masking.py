"""What leaves carries no name and no number of anybody; what comes back names whom it meant."""

import pytest

from handlers.understanding.masking import Masker, is_sealed

FIRMS = (
    ("E003", "泓曜精密", ("泓曜",), "南通泓曜精密机械有限公司"),
    ("E001", "王子制纸", ("王子", "王子造纸"), "江苏王子制纸有限公司"),
    ("E002", "东和半导体", ("东和", "TOWA南通"), "东和半导体设备(南通)有限公司"),
)
PEOPLE = ("联络员小周", "许主任", "张经理", "欧阳建国", "Tom Wu")
MASKER = Masker(FIRMS, PEOPLE)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("泓曜精密停电", "企业A停电"),
        ("南通泓曜精密机械有限公司和泓曜是一家", "企业A和企业A是一家"),
        ("泓耀精密停电", "企业A停电"),
        ("泓 曜 精密停电", "企业A停电"),
        ("泓\u200b曜精密停电", "企业A停电"),
        ("ＴＯＷＡ南通停电，towa南通", "企业A停电,企业A"),
        ("王子堵了东和的门", "企业A堵了企业B的门"),
        ("联络员小周说小周来", "人员A说人员A来"),
        ("找许主任", "找人员A"),
        ("欧阳建国病了", "人员A病了"),
        ("tom wu来了", "人员A来了"),
        ("李总和王厂长", "人员A和人员B"),
        ("老周来修", "人员A来修"),
        ("联系人：李建国", "联系人:人员A"),
        ("打李建国 13812345678", "打人员A 电话A"),
        ("电话138-1234-5678", "电话电话A"),
        ("+86 138 1234 5678", "电话A"),
        ("１３８１２３４５６７８", "电话A"),
        ("0513-85123456转801", "电话A"),
        ("85123456", "号码A"),
        ("幺三八零零零零一二三四", "号码A"),
        ("320612199003071234", "证件A"),
        ("32061219900307123x", "证件A"),
        ("91320600MA1ABCDE2X", "证件A"),
        ("苏F12345", "车牌A"),
        ("苏F·D12345堵门", "车牌A堵门"),
        ("苏f 8k21a", "车牌A"),
        ("车牌号8K21A", "车牌号车牌A"),
        ("a.b@c.example.com", "邮箱A"),
        ("ａ＠ｃ．ｃｏｍ", "邮箱A"),
        ("微信hy_zhang88", "微信账号A"),
        ("6222 0200 0012 3456 789", "号码A"),
        ("见https://x.example.com/a?b=1，谢谢", "见链接A,谢谢"),
    ],
)
def test_a_name_or_number_is_hidden(text: str, hidden: str) -> None:
    assert MASKER.hide(text).text == hidden


@pytest.mark.parametrize(
    "text",
    [
        "缺包装工20人",
        "施工队挖断管道",
        "2026-11-24上午9点开会",
        "蒸汽压力0.65兆帕",
        "缺口182.6万元",
        "上个月总额不对",
        "三号车间五台设备",
    ],
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert MASKER.hide(text).text == text


def test_the_senders_own_name_is_hidden_wherever_it_stands() -> None:
    assert MASKER.hide("我是阿花，阿花这里停电", "某某纸业-阿花").text == "我是人员A,人员A这里停电"


def test_what_looks_like_a_placeholder_is_never_taken_for_one() -> None:
    hidden = MASKER.hide("企业A和泓曜精密，人员A和许主任")
    assert hidden.text == "企业A和企业B,人员A和人员B"
    assert hidden.names == {"企业B": "泓曜精密", "人员B": "许主任"}
    assert hidden.shown("企业B的事") == "泓曜精密的事"
    assert hidden.shown("企业A的事") is None


def test_more_than_an_alphabet_of_numbers() -> None:
    numbers = "，".join(f"138{n:08d}" for n in range(30))
    text = MASKER.hide(numbers).text
    assert text.startswith("电话A,电话B") and text.endswith("电话AC,电话AD")


def test_names_come_back_and_numbers_do_not() -> None:
    hidden = MASKER.hide("泓曜停电，找许主任13812345678")
    assert hidden.shown("企业A停电请人员A看") == "泓曜精密停电请许主任看"
    assert hidden.shown("停电") == "停电"
    assert hidden.shown("企业A停电打电话A") is None


def test_an_empty_registry_still_hides_numbers() -> None:
    assert Masker((), ()).hide("打13812345678").text == "打电话A"


@pytest.mark.parametrize("text", ["", " ", "\ud800", "🙏", "\n", "\u200b", "企业", "A" * 5000])
def test_any_text_can_be_hidden(text: str) -> None:
    assert isinstance(MASKER.hide(text, text).text, str)


@pytest.mark.parametrize("text", ["机密文件", "商业秘密", "机\u200b密", "内部资料"])
def test_what_says_that_it_is_secret_is_sealed(text: str) -> None:
    assert is_sealed(text)
    assert not is_sealed("停电")
