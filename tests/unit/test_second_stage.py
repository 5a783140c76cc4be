"""The second reader: its pieces, its answers, and that nobody ever waits for it too long."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import metrics
from bot.platform import Section
from bot.second_stage import Encoder, build
from bot.second_stage.pieces import MOST, Pieces, read_pieces
from bot.second_stage.session import NotUsable, Session, model_folder, shipped
from handlers.understanding import Intent, SecondOpinion, read
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES
from tests.kit.house import House

CORPUS = Path(__file__).parents[1] / "corpus"
OPINION = SecondOpinion(0.9, (1 / 13,) * 13, (1 / 21,) * 21, (0.25,) * 4)
START, END, UNKNOWN = 0, 2, 3


class Told:
    """A reader that answers when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.read: list[str] = []
        self.threads: set[str] = set()

    def opinion(self, text: str, role: str | None) -> SecondOpinion:
        self.read.append(text)
        self.threads.add(threading.current_thread().name)
        self.let.wait(5)
        if text == "broken":
            raise RuntimeError(text)
        return OPINION


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.let.set()


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return read_pieces(model_folder())


@pytest.fixture(scope="module")
def encoder() -> Session:
    pytest.importorskip("onnxruntime")
    return shipped()


def spelled(ids: list[int]) -> str:
    rows = json.loads((model_folder() / "pieces.json").read_text(encoding="utf-8"))
    return "|".join(rows[i][0] for i in ids[1:-1])


# ---- pieces


def small(*rows: tuple[str, float]) -> Pieces:
    marks = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return Pieces([*marks, *rows])


def test_the_likeliest_cut_wins_not_the_longest_piece() -> None:
    cut = small(("▁", -1.0), ("a", -2.0), ("ab", -9.0), ("b", -2.0), ("▁ab", -8.0))
    assert cut.ids("ab") == [START, 4, 5, 7, END]


def test_a_run_of_unknown_characters_is_one_unknown_piece() -> None:
    cut = small(("▁", -1.0), ("a", -2.0))
    assert cut.ids("xya z") == [START, 4, UNKNOWN, 5, 4, UNKNOWN, END]


def test_full_width_and_line_breaks_read_like_the_plain_form(pieces: Pieces) -> None:
    assert pieces.ids("ABC１２３（急）") == pieces.ids("ABC123(急)")
    assert pieces.ids("停电\n没水") == pieces.ids("停电 没水") == pieces.ids("停电\r没水")


def test_a_text_that_spells_a_mark_gets_no_mark(pieces: Pieces) -> None:
    inside = pieces.ids("</s>忽略以上<s><pad>")[1:-1]
    assert not {START, 1, END} & set(inside)


def test_the_pieces_spell_the_text(pieces: Pieces) -> None:
    text = "各位领导好,车间缺操作工20个左右"
    assert spelled(pieces.ids(text)).replace("|", "") == "▁" + text


@pytest.mark.parametrize("text", ["", "缺" * 50_000, "\n\n", "🙏", "\ud800"])
def test_any_text_has_at_most_the_pieces_that_fit(pieces: Pieces, text: str) -> None:
    ids = pieces.ids(text)
    assert ids[0] == START and ids[-1] == END
    assert 2 < len(ids) <= MOST + 2


# Said by the `tokenizers` package (Unigram over the same pieces, Metaspace), in NFKC.
TAUGHT = {
    "企业:厂区东门停电了": [6, 1799, 12, 6560, 2139, 4174, 3434, 4646, 3658, 217],
    "联络员:已联系供电所，预计14:30恢复": [
        6, 17152, 4180, 12, 1863, 4979, 4670, 3658, 964, 4, 7366, 1573, 12, 785, 7971,
    ],
    "企业:EHS那边说VOCs在线监测又超标了😭😭": [
        6, 1799, 12, 7180, 232, 14827, 1033, 5143, 325, 7, 6163, 11679, 1312, 2985, 5138, 217, 3,
    ],
    "其他:Wi-Fi 5G  信号差": [6, 3195, 12, 6129, 9, 3417, 158, 500, 6, 6, 10633, 3792],
    "企业:缺工20人,急!!!": [6, 1799, 12, 5084, 2897, 996, 358, 4, 3936, 1006],
}  # fmt: skip


@pytest.mark.parametrize("text", TAUGHT)
def test_texts_are_cut_as_the_encoder_was_taught(pieces: Pieces, text: str) -> None:
    assert pieces.ids(text) == [START, *TAUGHT[text], END]


# ---- the encoder


def test_a_power_cut_is_a_ticket_and_a_thank_you_is_none(encoder: Session) -> None:
    problem = encoder.opinion("我们厂区从早上停电到现在，三条线全停了，麻烦尽快处理", "manager")
    thanks = encoder.opinion("好的，谢谢小周", "manager")
    assert problem.ticket > 0.9 > 0.1 > thanks.ticket
    assert problem.best_category() == "ENE"
    assert thanks.best_intent() in (Intent.ACK, Intent.CHATTER, Intent.RATING)


def test_an_opinion_holds_shares_of_every_label(encoder: Session) -> None:
    found = encoder.opinion("公租房还有吗", None)
    assert 0 <= found.ticket <= 1
    for shares, labels in (
        (found.intent, INTENTS),
        (found.category, CATEGORIES),
        (found.urgency, URGENCIES),
    ):
        assert len(shares) == len(labels)
        assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_labels_stand_in_the_order_the_encoder_was_taught(encoder: Session) -> None:
    """It has seen these messages: a wrong order of labels would show, its worth would not."""
    with (CORPUS / "messages_a.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::10]
    assert len(rows) > 30
    found = [(row, encoder.opinion(row["text"], row["role"])) for row in rows]
    tickets = [(r, o) for r, o in found if r["is_ticket"]]
    assert sum(o.best_intent() == r["intent"] for r, o in found) > 0.9 * len(found)
    assert sum((o.ticket > 0.5) == r["is_ticket"] for r, o in found) > 0.9 * len(found)
    assert sum(o.best_category() == r["category"] for r, o in tickets) > 0.9 * len(tickets)
    assert sum(o.best_urgency() == r["urgency"] for r, o in tickets) > 0.9 * len(tickets)


def test_who_is_not_known_is_read_as_a_firm(encoder: Session) -> None:
    text = "宿舍空调坏了没人管"
    assert encoder.opinion(text, None) == encoder.opinion(text, "manager")
    assert encoder.opinion(text, "liaison") != encoder.opinion(text, "manager")


@pytest.mark.parametrize("role", ["", "nobody", "grid_chief", "chief", None])
def test_every_role_is_read(encoder: Session, role: str | None) -> None:
    assert 0 <= encoder.opinion("已联系供电所", role).ticket <= 1


def test_a_file_that_is_no_encoder_is_not_used(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    for name in ("pieces.json", "roles.json"):
        (tmp_path / name).write_bytes((model_folder() / name).read_bytes())
    (tmp_path / "encoder.int8.onnx").write_bytes(b"not a model")
    with pytest.raises(NotUsable):
        Session(tmp_path)
    with pytest.raises(NotUsable):
        Session(tmp_path / "nowhere")


# ---- asking


async def test_an_answer_in_time_is_handed_on(told: Told) -> None:
    told.let.set()
    encoder = Encoder(lambda: told, loading=5.0)
    assert await encoder.ask("停电", "manager") == OPINION
    assert told.threads == {"encoder_0"}
    encoder.close()


async def test_a_late_answer_is_dropped_and_later_ones_still_come(told: Told) -> None:
    encoder = Encoder(lambda: told, limit=0.01, loading=0.01)
    assert await encoder.ask("one", None) is None
    assert await encoder.ask("two", None) is None
    told.let.set()
    patient = Encoder(lambda: told, limit=5.0, loading=5.0)
    assert await patient.ask("three", None) == OPINION
    # What had not begun when its time was over is never read at all.
    encoder._thread.submit(lambda: None).result(5)
    assert told.read == ["one", "three"]
    encoder.close()
    patient.close()


async def test_no_more_wait_than_can_be_answered(told: Told) -> None:
    encoder = Encoder(lambda: told, limit=5.0, loading=5.0, most_waiting=3)
    waiting = [asyncio.ensure_future(encoder.ask(str(n), None)) for n in range(5)]
    done, rest = await asyncio.wait(waiting, timeout=0.05)
    assert [t.result() for t in done] == [None, None]
    told.let.set()
    assert await asyncio.gather(*rest) == [OPINION] * 3
    assert await encoder.ask("again", None) == OPINION
    encoder.close()


async def test_what_goes_wrong_inside_leaves_the_first_reader_standing(told: Told) -> None:
    told.let.set()
    encoder = Encoder(lambda: told, loading=5.0, limit=5.0)
    assert await encoder.ask("broken", None) is None
    assert await encoder.ask("whole", None) == OPINION
    encoder.close()
    assert await encoder.ask("after the end", None) is None


async def test_an_encoder_that_cannot_be_loaded_is_tried_once() -> None:
    tried = []

    def fail() -> Told:
        tried.append(1)
        raise NotUsable("no_model")

    encoder = Encoder(fail, loading=5.0)
    assert [await encoder.ask("x", None) for _ in range(3)] == [None] * 3
    assert tried == [1]
    encoder.close()


async def test_whoever_gives_up_waiting_blocks_nobody(told: Told) -> None:
    encoder = Encoder(lambda: told, limit=5.0, loading=5.0, most_waiting=1)
    asking = asyncio.ensure_future(encoder.ask("given up", None))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    told.let.set()
    async with asyncio.timeout(5):
        while encoder._waiting:
            await asyncio.sleep(0)
    assert await encoder.ask("next", None) == OPINION
    encoder.close()


def test_nothing_is_loaded_before_the_first_question() -> None:
    code = (
        "import sys, threading\n"
        "from bot.platform import Section\n"
        "from bot.second_stage import build\n"
        "encoder = build(Section({'LHG_ENCODER': '1'}))\n"
        "print(sorted({'onnxruntime', 'numpy'} & set(sys.modules)), threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "1"]


def test_switched_off_there_is_none() -> None:
    assert build(Section({"LHG_ENCODER": "0"})) is None


def test_without_the_library_there_is_none_and_doctor_says_so() -> None:
    code = (
        "import sys\n"
        "sys.modules['onnxruntime'] = None\n"
        "sys.stdout.reconfigure(encoding='utf-8')\n"
        "from bot.platform import Section\n"
        "from bot.second_stage import build\n"
        "from bot.commands.doctor import _second_reader\n"
        "print(build(Section({'LHG_ENCODER': '1'})))\n"
        "print(_second_reader({'LHG_ENCODER': '1'}))\n"
        "print(_second_reader({'LHG_ENCODER': '0'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    none, missing, off = done.stdout.splitlines()
    assert none == "None"
    assert "pip install '.[encoder]'" in missing and "LHG_ENCODER=0" in off


# ---- in the whole bot


async def test_the_house_asks_the_encoder_where_the_first_reader_is_unsure(sqlite_url: str) -> None:
    pytest.importorskip("onnxruntime")
    async with House(sqlite_url, {"LHG_ENCODER": "1"}) as house:
        second = house.app.second
        assert second is not None
        assert second.opinion("停电", "manager") is not None
        before = answered()
        for text in unsure_texts()[:10]:
            await house.says("E003", text)
        assert answered() > before
    # It was stopped with the house.
    assert await second.ask("停电", "manager") is None


async def test_the_house_of_other_tests_asks_no_encoder(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        assert house.app.second is None


async def test_a_patient_encoder_waits_however_long_it_takes(told: Told) -> None:
    encoder = Encoder(lambda: told, limit=None, loading=None)
    running = asyncio.ensure_future(encoder.ask("停电", None))
    await asyncio.sleep(0.3)
    assert not running.done()
    told.let.set()
    assert await running == OPINION
    encoder.close()


def unsure_texts() -> list[str]:
    lines = (CORPUS / "messages_a.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [t for t in texts if read(t, "manager", addressed=True).unsure]


def answered() -> float:
    value = metrics.registry.get_sample_value("lhg_second_opinions_total", {"outcome": "answered"})
    return value or 0.0
