"""The words of the trade: how a file is read, how words are found, how the office changes them."""

from collections import Counter

import pytest

from handlers.chat.grammar import fold
from handlers.domain.category import Category, Urgency
from handlers.understanding import read, topic, urgency
from handlers.understanding.lexicon import (
    DECIDES,
    LONGEST,
    TOPIC_CODES,
    URGENCY_CODES,
    BadEntry,
    Hit,
    Lexicon,
    loaded,
    parse,
    shipped,
    shipped_text,
    totals,
)

FILE = "# a comment\nENE 5\t停水\t水压\nENE 3 SAF 4 U2 2\t消防水压\n\nTRD 4\tca\nU1 5\t着火\n"
WORDS = loaded(FILE)


def said(text: str, lexicon: Lexicon = WORDS) -> list[tuple[str, str]]:
    return [(hit.word, hit.code) for hit in lexicon.hits(text)]


# ---- the file


def test_a_line_gives_all_its_words_the_same_codes_and_weights() -> None:
    rows = list(parse(FILE))
    assert rows[:2] == [("停水", "ENE", 5.0), ("水压", "ENE", 5.0)]
    assert [r for r in rows if r[0] == "消防水压"] == [
        ("消防水压", "ENE", 3.0),
        ("消防水压", "SAF", 4.0),
        ("消防水压", "U2", 2.0),
    ]
    assert len(rows) == 7


def test_the_fast_way_and_the_careful_way_read_the_shipped_file_alike() -> None:
    assert shipped() == Lexicon.of(parse(shipped_text()))


def test_every_row_of_the_shipped_file_is_a_word_a_code_and_a_weight() -> None:
    rows = list(parse(shipped_text()))
    assert {code for _, code, _ in rows} == TOPIC_CODES | URGENCY_CODES
    assert all(0 < weight <= DECIDES for _, _, weight in rows)
    assert all(1 <= len(word) <= LONGEST and word == fold(word).lower() for word, _, _ in rows)
    assert len({word for word, _, _ in rows}) >= 3000


def test_no_word_of_the_shipped_file_has_a_code_twice_or_stands_on_two_lines() -> None:
    pairs = Counter((word, code) for word, code, _ in parse(shipped_text()))
    assert [pair for pair, times in pairs.items() if times > 1] == []
    lines = [line.split("\t")[1:] for line in shipped_text().splitlines() if line[0] != "#"]
    words = Counter(word for line in lines for word in line)
    assert [word for word, times in words.items() if times > 1] == []


@pytest.mark.parametrize(
    "row", [("", "ENE", 3.0), ("字" * 13, "ENE", 3.0), ("水", "XYZ", 3.0), ("水", "ENE", 6.0)]
)
def test_what_cannot_be_a_word_is_refused(row: tuple[str, str, float]) -> None:
    with pytest.raises(BadEntry):
        WORDS.with_changes([row])


# ---- finding


def test_a_longer_word_wins_over_the_shorter_one_inside_it() -> None:
    assert said("消防水压不够") == [("消防水压", "ENE"), ("消防水压", "SAF"), ("消防水压", "U2")]


def test_topics_and_hints_of_urgency_may_stand_on_the_same_letters() -> None:
    both = Lexicon.of([("停电", "ENE", 5.0), ("全厂停电", "U1", 5.0)])
    assert said("全厂停电了", both) == [("全厂停电", "U1"), ("停电", "ENE")]


def test_a_latin_word_ends_where_its_letters_end_and_case_does_not_matter() -> None:
    assert said("CA证书") == [("CA", "TRD")]
    assert said("办ca要几天") == [("ca", "TRD")]
    assert said("CAD图纸") == []
    assert said("MCA") == []


def test_a_word_at_the_very_end_is_found_whole_and_nothing_beyond_it() -> None:
    long = Lexicon.of([("压力", "ENE", 2.0), ("压力容器安全检验", "SAF", 5.0)])
    assert long.hits("压力") == (Hit("压力", "ENE", 2.0, 0),)
    assert long.hits("压力")[0].end == 2


def test_a_word_said_again_counts_half() -> None:
    assert WORDS.scores("停水,又停水") == {"ENE": 7.5}
    assert totals(()) == {}


def test_the_best_category_comes_with_its_word() -> None:
    assert WORDS.best("停水三天了") == (Category.ENE, "停水")
    assert WORDS.best("毫无线索") == (Category.OTH, "")


# ---- what the office says


def test_an_added_word_is_found_and_the_shipped_set_is_untouched() -> None:
    changed = WORDS.with_changes([("汽锤", "ENE", 4.0)])
    assert said("汽锤又响", changed) == [("汽锤", "ENE")]
    assert said("汽锤又响") == []
    assert changed.own("汽锤又响") == (Hit("汽锤", "ENE", 4.0, 0),)


def test_another_category_for_a_word_replaces_the_shipped_one() -> None:
    changed = WORDS.with_changes([("停水", "INF", 4.0)])
    assert said("停水", changed) == [("停水", "INF")]


def test_a_hint_of_urgency_leaves_the_topic_of_its_word() -> None:
    changed = WORDS.with_changes([("停水", "U2", 4.0)])
    assert said("停水", changed) == [("停水", "ENE"), ("停水", "U2")]


def test_the_weight_nought_removes_a_shipped_word_of_that_category_only() -> None:
    assert said("停水", WORDS.with_changes([("停水", "ENE", 0.0)])) == []
    less = WORDS.with_changes([("消防水压", "SAF", 0.0)])
    assert said("消防水压", less) == [("消防水压", "ENE"), ("消防水压", "U2")]
    assert less.own("消防水压") == ()


def test_an_own_word_counts_also_inside_a_longer_shipped_one() -> None:
    changed = WORDS.with_changes([("水压", "SAF", 5.0)])
    assert [h.code for h in changed.own("消防水压不够")] == ["SAF"]


def test_without_changes_nothing_is_made_anew() -> None:
    assert shipped().with_changes(()) is shipped()
    assert shipped().own("停水") == ()


# ---- what becomes of a message

LACKS = "车间缺操作工，临时招也招不到"


def office(*rows: tuple[str, str, float]) -> Lexicon:
    return shipped().with_changes(rows)


def test_an_own_word_of_weight_five_decides_the_category() -> None:
    reading = read(LACKS, "manager", addressed=True, lexicon=office(("操作工", "TEC", 5.0)))
    assert reading.items[0].category is Category.TEC
    assert reading.topic is Category.TEC
    assert "操作工" in reading.why
    assert topic(LACKS, office(("操作工", "TEC", 5.0))) == (Category.TEC, "操作工")


def test_an_own_word_of_weight_one_does_not_overrule_a_clear_message() -> None:
    reading = read(LACKS, "manager", addressed=True, lexicon=office(("车间", "TEC", 1.0)))
    assert reading.items[0].category is Category.LAB


def test_an_own_word_decides_in_its_own_part_of_a_message_only() -> None:
    text = "1、车间缺操作工20人 2、厂门口路灯坏了5盏"
    items = read(text, "manager", addressed=True, lexicon=office(("路灯", "PUB", 5.0))).items
    assert [i.category for i in items] == [Category.LAB, Category.PUB]


def test_an_own_word_decides_over_the_second_reader_too() -> None:
    first = read(LACKS, "manager").probabilities
    assert first is not None
    own = office(("操作工", "TEC", 5.0))
    assert read(LACKS, "manager", opinion=first, lexicon=own).items[0].category is Category.TEC


@pytest.mark.parametrize("level", ["U1", "U2", "U4"])
def test_an_own_hint_of_weight_five_decides_the_urgency(level: str) -> None:
    own = office(("操作工", level, 5.0))
    assert read(LACKS, "manager", addressed=True, lexicon=own).items[0].urgency == level
    assert urgency(LACKS, own) is Urgency(level)


def test_an_own_word_of_danger_is_calm_in_a_drill() -> None:
    own = office(("红码", "U1", 5.0))
    text = "下周演练，红码响了往哪边走"
    assert all(i.urgency != "U1" for i in read(text, "manager", addressed=True, lexicon=own).items)


def test_the_words_that_decided_are_told() -> None:
    why = read("蒸汽压力只有0.4兆帕，线快停了", "manager", addressed=True).why
    assert any("蒸汽" in word for word in why)
    assert read("干燥机冒烟已疏散", "manager", addressed=True).why[0] == "冒烟"


def test_what_opens_nothing_names_no_word_of_a_category() -> None:
    assert read("大家早上好", "manager").why == ()
