"""Papers asked for in chat: to one person, by a link that is theirs and ends."""

import re
import time
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document

from bot.links import LASTS_SECONDS, SignedLinks
from bot.papers.slips import filled, template
from handlers.texts.slips import FIELDS, SlipKind
from tests.kit.house import House

PROBLEM = "@小港 车间缺操作工20人，联系13800001234"
RESULT = "专场招聘到岗12人"


async def _link(house: House, who: str) -> str:
    found = re.search(r"/l/\S+", (await house.last(who))["text"])
    assert found is not None, (await house.last(who))["text"]
    return found.group()


async def _words(house: House, link: str) -> str:
    response = await house.client.get(link)
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    document = Document(BytesIO(await response.read()))
    cells = [c.text for t in document.tables for r in t.rows for c in r.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


async def test_a_slip_comes_by_direct_message_with_every_field_filled(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("P041", "@小港 交办单 1001")
    assert all("交办单" not in m["text"] for m in await house.in_group())
    told = await _words(house, await _link(house, "P041"))
    assert "13800001234" not in told
    assert "138****1234" in told
    for word in ("LHG-20261124-001", "泓曜精密", "联络员小周", "许主任", "2026年12月3日 17:30"):
        assert word in told, word
    assert "{{" not in told


async def test_supervision_and_closing_slips_wait_for_their_facts(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领 1001")
    for word in ("督办单", "办结单"):
        await house.says("P041", f"{word} 1001")
        assert "还没有" in (await house.last("P041"))["text"]
    await house.says("P028", "督办 1001")
    await house.says("P041", "进展 1001 已联系人社局，周三组织专场招聘")
    await house.says("P028", "督办单 1001")
    told = await _words(house, await _link(house, "P028"))
    assert "DB-2026-001" in told
    assert "许主任" in told
    await house.says("P041", f"办结 1001 {RESULT}")
    await house.says("P041", "办结单 1001")
    told = await _words(house, await _link(house, "P041"))
    assert RESULT in told
    assert "已联系人社局" in told


async def test_nobody_gets_a_slip_of_what_they_may_not_read(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P042", "交办单 1001")
    assert "没有找到" in (await house.last("P042"))["text"]
    await house.says("E003", "交办单 1001")
    assert all("/l/" not in m["text"] for m in await house.bot_said("E003"))


async def test_a_link_is_asked_again_when_it_is_opened(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "交办单 1001")
    link = await _link(house, "P041")
    await house.api(
        "POST", "/pairings", {"enterprise_id": "E003", "liaison_id": "P042"}, status=201
    )
    await house.says("P055", "改派 1001 小吴 工作调整")
    response = await house.client.get(link)
    assert response.status == 404
    assert "失效" in await response.text()
    assert (await house.client.get(link[:-2] + "xx")).status == 404
    assert (await house.client.get("/l/x")).status == 404


async def test_the_brief_is_handed_out_as_picture_table_and_print(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    for word, kind, head in (
        ("图片", "image/png", b"\x89PNG"),
        ("表格", "spreadsheetml", b"PK"),
        ("打印", "wordprocessingml", b"PK"),
    ):
        await house.says("P057", f"日调度{word}")
        response = await house.client.get(await _link(house, "P057"))
        assert response.status == 200
        assert kind in response.headers["Content-Type"]
        assert (await response.read()).startswith(head)


def test_a_link_ends_after_a_day_and_bears_no_change() -> None:
    now = time.time()
    clock = [now]
    links = SignedLinks("k" * 32, "https://a.example.cn", wall=lambda: clock[0])
    token = links.to("slip-closing", "1024", "P041").rpartition("/")[2]
    read = links.read(token)
    assert read is not None
    assert (read.what, read.subject, read.person) == ("slip-closing", "1024", "P041")
    assert SignedLinks("x" * 32, "").read(token) is None
    for changed in ("", ".", token[:-1], "A" + token, token.replace(".", ""), token + "=", "é.é"):
        assert links.read(changed) is None
    clock[0] = now + LASTS_SECONDS
    assert links.read(token) is None


@pytest.mark.parametrize("kind", SlipKind)
def test_a_template_that_the_office_edited_is_used(kind: SlipKind, tmp_path: Path) -> None:
    from handlers.texts.slips import TITLES

    form = Document(BytesIO(template(kind)))
    paragraph = form.paragraphs[0]
    # As Word leaves it after somebody typed in the middle of a field.
    for part in ("抄送：{{", FIELDS[kind][0], "}} {{没有这一项}}。"):
        paragraph.add_run(part)
    form.save(tmp_path / f"{TITLES[kind]}.docx")
    values = {name: f"甲{name}" for name in FIELDS[kind]}
    made = Document(BytesIO(filled(template(kind, tmp_path), values)))
    assert made.paragraphs[0].text == f"{TITLES[kind]}抄送：甲{FIELDS[kind][0]} 。"
    cells = [c.text for r in made.tables[0].rows for c in r.cells]
    assert cells == [t for name in FIELDS[kind] for t in (name, f"甲{name}")]
