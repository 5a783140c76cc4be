"""Numbers in sentences; every case is a sentence of our own or a form of the handbook."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.numbers import answers_none, numbers_in, quantities, value_of

DIGITS = "零一二三四五六七八九"


def chinese(number: int) -> str:
    """A whole number below 10^12 as it is written in full."""
    if number == 0:
        return "零"
    out, gap = "", False
    for power, sign in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // power % 10**4
        if part == 0:
            gap = gap or bool(out)
            continue
        text, inner = "", False
        for p, s in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit = part // p % 10
            if digit:
                text += ("零" if inner and text else "") + DIGITS[digit] + s
                inner = False
            else:
                inner = True
        if out and (gap or part < 1000):
            out += "零"
        out, gap = out + text + sign, False
    return out[1:] if out.startswith("一十") else out


@given(st.integers(0, 10**12 - 1))
def test_a_chinese_numeral_reads_back_as_itself(number: int) -> None:
    assert value_of(chinese(number)) == number


@given(st.integers(10, 9999))
def test_a_chinese_numeral_in_a_sentence_reads_back_as_itself(number: int) -> None:
    assert numbers_in(f"车间还缺{chinese(number)}人,请帮忙") == (number,)


@given(st.decimals(0, 10**6, places=2))
def test_digits_in_any_width_read_back_as_themselves(number: Decimal) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in f"{number:f}")
    assert numbers_in(f"本月用水{wide}吨") == (number,)


@given(st.text())
def test_no_text_at_all_is_too_strange(text: str) -> None:
    for quantity in quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
    answers_none(text)


@given(
    st.text(
        alphabet="零一二两三四五六七八九十廿卅百千万亿点半个人.,-+0123456789月日号周不是改",
        max_size=20,
    )
)
def test_no_heap_of_numerals_is_too_strange(text: str) -> None:
    quantities(text)
    value_of(text)


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("十二", "12"), ("廿", "20"), ("廿三", "23"), ("卅", "30"), ("两千零五", "2005"),
        ("壹佰伍拾万", "1500000"), ("一千二", "1200"), ("两万三", "23000"), ("一百零二", "102"),
        ("三点五", "3.5"), ("1,260", "1260"), ("１８", "18"), ("-6", "-6"), ("俩", "2"), ("十", "10"),
    ],
)  # fmt: skip
def test_a_numeral_has_a_value(numeral: str, value: str) -> None:
    assert value_of(numeral) == Decimal(value)


@pytest.mark.parametrize("text", ["", "缺人", "点五", "三点", "一二十三四", "1.2.3", "亿"])
def test_what_is_no_numeral_has_none(text: str) -> None:
    assert value_of(text) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("钳工七个,油漆工俩", ["7", "2"]),
        ("叉车工三 杂工九", ["3", "9"]),
        ("二期计划招六十来个", ["60"]),
        ("返乡两百来号人", ["200"]),
        ("厂里百来号人", ["100"]),
        ("要十个把女工", ["10"]),
        ("槽车高3米8,桥洞17米5", ["3.8", "17.5"]),
        ("用气182.6万方", ["182.6"]),
        ("流动资金差30w", ["30"]),
        ("表压0.65兆帕,低了0.1", ["0.65", "0.1"]),
        ("月耗蒸汽1.9万吨", ["1.9"]),
        ("注册资本壹佰伍拾万", ["150"]),
        ("产值一万二千五百吨", ["12500"]),
        ("仓库两万三千平", ["23000"]),
        ("1万2千方气", ["1.2"]),
        ("同比百分之八点五", ["8.5"]),
        ("环比-6%,利润负四十万", ["-6", "-40"]),
        ("三十五个左右", ["35"]),
        ("5~8人", ["5", "8"]),
        ("还要两三个", ["3"]),
        ("电机1台，功率１５kW", ["1", "15"]),
        ("废桶4吨半", ["4.5"]),
        ("总容量两千五百千伏安", ["2500"]),
        ("十二、廿、卅五", ["12", "20", "35"]),
        ("现有员工１，２６０人", ["1260"]),
    ],
)  # fmt: skip
def test_every_writing_of_the_handbook_is_read(text: str, values: list[str]) -> None:
    assert numbers_in(text) == tuple(map(Decimal, values))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("更正,是8个不是18个", ["8"]),
        ("不是18个,是8个", ["8"]),
        ("焊工18改成8", ["8"]),
        ("电工12名,说错了,10名", ["10"]),
        ("是不是5个", ["5"]),
        ("上月报的40吨不对,应该是14吨", ["14"]),
    ],
)
def test_of_a_correction_only_the_new_number_stays(text: str, values: list[str]) -> None:
    assert numbers_in(text) == tuple(map(Decimal, values))


@pytest.mark.parametrize(
    "text",
    [
        "电话138-0000-1234", "下午三点半到五点", "12月5日", "周三前", "第三方", "一线员工", "三班倒",
        "二期厂房", "万一停了", "国四货车", "工单1024", "Q3的事", "三点建议", "上千人", "好几百人",
        "一直没人", "唯一一次性付清", "开到廿八", "2026年", "3号楼",
    ],
)  # fmt: skip
def test_what_counts_nothing_is_left_out(text: str) -> None:
    assert numbers_in(text) == ()


def test_a_quantity_knows_its_unit_its_place_and_whether_it_is_rough() -> None:
    (rough,) = quantities("大约缺三十个焊工")
    assert (rough.value, rough.unit, rough.about) == (30, "个", True)
    assert "大约缺三十个焊工"[rough.start : rough.end] == "三十个"
    (power,) = quantities("用电312万度")
    assert (power.value, power.unit, power.amount, power.about) == (312, "万度", 3_120_000, False)
    assert quantities("涨了6%")[0].amount == Decimal("0.06")


def test_a_correction_that_names_the_unit_once_keeps_it() -> None:
    assert quantities("焊工8,不是18个")[0].unit == "个"
    assert [q.unit for q in quantities("5~8人")] == ["人", "人"]


@pytest.mark.parametrize(
    "text", ["无", "没有", "我司暂无", "不涉及", "不缺,谢谢", "0", "没得", "目前不缺,0"]
)
def test_nothing_is_an_answer(text: str) -> None:
    assert answers_none(text)


@pytest.mark.parametrize("text", ["缺5人", "还没统计", "不缺电工,缺焊工2人", "收到"])
def test_a_number_or_a_promise_is_not_nothing(text: str) -> None:
    assert not answers_none(text)
