"""What a working day makes the bot say fits DingTalk: every card both templates, every word the size."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.__main__ import main
from bot.platforms.dingtalk import cards, words
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, content_from_plain
from tests.kit.fake_dingtalk import TEMPLATE, VENDOR_TEMPLATE, check_variables

DAY = Path(cards.__file__).parents[2] / "sample" / "days" / "d01.jsonl"
MORNING = 40
PLACES = (
    Address(ChatRef("dingtalk", "cidJhaulNIRmOMNZyHeQbm1K3=="), ChatKind.GROUP),
    Address(ChatRef("dingtalk", "liaison07"), ChatKind.DIRECT),
)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> list[Content]:
    folder = tmp_path_factory.mktemp("day")
    morning = folder / "morning.jsonl"
    lines = DAY.read_text(encoding="utf-8").splitlines(keepends=True)
    morning.write_text("".join(lines[:MORNING]), encoding="utf-8")
    report = ["--report", str(folder / "report.json")]
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("LHG_DATABASE_URL", raising=False)
        assert main(["replay", str(morning), "--data", str(folder), *report]) == 0
    engine = create_engine(f"sqlite:///{folder / 'morning.db'}")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT content FROM outbox")).scalars().all()
    engine.dispose()
    return [content_from_plain(json.loads(row)) for row in rows]


@pytest.mark.timeout(60)
def test_no_card_of_a_working_day_has_to_be_told_in_words(spoken: list[Content]) -> None:
    shown = [content.card for content in spoken if content.card is not None]
    assert len({card.key.rsplit(":", 1)[-1] for card in shown}) > 3
    for card in shown:
        for to in PLACES:
            for template in (TEMPLATE, VENDOR_TEMPLATE):
                made = cards.variables(card, to, template == VENDOR_TEMPLATE)
                assert made is not None, card.key
                check_variables(made, template)


@pytest.mark.timeout(60)
def test_every_message_of_a_working_day_is_told_whole(spoken: list[Content]) -> None:
    for content in spoken:
        told = words.said(content)
        assert len(told) == 1
        for number in (w for w in content.text.split() if w.startswith("#")):
            assert number.lstrip("#") in told[0].text
