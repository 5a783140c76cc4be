"""The library by file and by interface: drafts, errors that say what to do, nothing twice."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from handlers.domain.people import Token
from handlers.domain.policy_library import State
from tests.kit.house import House
from tests.kit.policies import CORPUS, a_policy, put, rows

OFFICE, CHIEF, LIAISON, FIRM = "P055", "P057", "P041", "E003"
BODY = {
    "title": "企业稳岗留工补贴办法",
    "number": "通开人社〔2026〕41号",
    "issuer": "开发区人社局",
    "valid_from": "2026-03-10",
    "valid_to": "2027-12-31",
    "for": {"scales": ["规上"], "staff_least": 20},
    "summary": "留岗职工每人每天补80元",
    "text": "春节期间连续生产的企业，凭考勤申请稳岗补贴。",
    "author": OFFICE,
}


async def test_a_draft_is_written_changed_approved_and_withdrawn(house: House) -> None:
    made = await house.api("POST", "/policies", BODY, status=201)
    assert (made["state"], made["standing"], made["author"]) == ("draft", "unapproved", OFFICE)
    assert made["for"]["staff_least"] == 20
    path = f"/policies/{made['id']}"
    refused = await house.api("POST", f"{path}/approve", {"actor": OFFICE}, status=422)
    assert "另一位同事" in refused["error"]["message"]
    await house.api("POST", f"{path}/approve", {"actor": LIAISON}, status=422)
    done = await house.api("POST", f"{path}/approve", {"actor": CHIEF})
    assert (done["standing"], done["checked_on"]) == ("holds", "2026-11-24")
    (found,) = (await house.api("GET", "/policies?q=稳岗补贴怎么申请"))["items"]
    assert (found["id"], found["answers"]) == (made["id"], True)
    stale = {"benefit": "每人100元", "version": 1}
    assert (await house.api("PATCH", path, stale, status=409))["error"]["code"] == "stale_entry"
    changed = await house.api("PATCH", path, {"benefit": "每人100元", "author": CHIEF})
    assert (changed["state"], changed["author"], changed["number"]) == (
        "draft",
        CHIEF,
        BODY["number"],
    )
    gone = await house.api("PATCH", path, {"state": "withdrawn"})
    assert gone["state"] == "withdrawn"
    await house.api("POST", f"{path}/approve", {"actor": OFFICE}, status=422)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "no_title"),
        ({"title": "甲"}, "no_text"),
        ({"title": "甲", "text": "乙", "valid_from": "明年"}, "bad_date"),
        ({"title": "甲", "text": "乙", "category": "XYZ"}, "bad_category"),
        ({"title": "甲", "text": "乙", "source_url": "javascript:alert(1)"}, "bad_url"),
        ({"title": "甲", "text": "乙", "superseded_by": "没有的文号"}, "no_successor"),
        ({"title": "甲", "text": "乙", "valid_from": "2027-01-01", "valid_to": "2026-01-01"}, "dates_turned"),
        ({"items": []}, "bad_field"),
        ({"items": ["甲"]}, "bad_field"),
    ],
)  # fmt: skip
async def test_bad_input_is_named_and_keeps_nothing(
    sqlite_url: str, body: dict[str, Any], code: str
) -> None:
    async with House(sqlite_url) as house:
        answer = await house.api("POST", "/policies", body, status=422)
        assert answer["error"]["code"] == code
        assert await house.count("policies") == 0


async def test_unknown_ids_and_states_are_refused(house: House) -> None:
    for method, path, status in (
        ("GET", "/policies/99", 404),
        ("GET", "/policies/x", 404),
        ("PATCH", "/policies/99", 404),
        ("GET", "/policies?state=gone", 422),
        ("GET", "/policies/unanswered", 422),
    ):
        await house.api(method, path, None if method == "GET" else {"benefit": "x"}, status=status)


async def test_the_labelled_library_comes_in_by_the_interface_and_twice_changes_nothing(
    house: House,
) -> None:
    items = rows("policies")
    done = await house.api("POST", "/policies", {"items": items}, status=201)
    assert (done["created"], done["rejected"], done["problems"]) == (60, 0, [])
    before = await house.read(lambda uow: uow.policies.all())
    again = await house.api("POST", "/policies", {"items": items}, status=201)
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 60)
    assert await house.read(lambda uow: uow.policies.all()) == before
    by_title = {e.title: e for e in before}
    old = by_title["企业应急转贷资金管理办法(2024)"]
    assert old.superseded_by == by_title["企业应急转贷资金管理办法(2026修订)"].id
    page = await house.api("GET", "/policies?limit=50")
    rest = await house.api("GET", f"/policies?limit=50&cursor={page['next']}")
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (50, 10, None)


async def test_a_firms_token_sees_what_is_approved_and_nothing_of_who_asked(house: House) -> None:
    await house.app.writer.run(
        lambda uow: put(uow, [a_policy(), a_policy("草稿", number="", state=State.DRAFT)])
    )
    digest = sha256(b"firm").hexdigest()
    await house.app.writer.run(
        lambda uow: uow.tokens.add(Token("firm", "write", FIRM, house.clock.now()), digest)
    )
    listed = await house.api("GET", "/policies", token="firm")
    assert [p["title"] for p in listed["items"]] == ["企业稳岗留工补贴办法"]
    shown = await house.api("GET", "/policies/1", token="firm")
    assert "author" not in shown
    await house.api("GET", "/policies/2", token="firm", status=404)
    for method, path in (("POST", "/policies"), ("PATCH", "/policies/1"),
                         ("POST", "/policies/1/approve"), ("POST", "/policies/1/push")):  # fmt: skip
        await house.api(method, path, {"actor": CHIEF}, token="firm", status=403)
    await house.api(
        "GET", "/policies/unanswered?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z",
        token="firm", status=403,
    )  # fmt: skip


async def test_what_nobody_could_answer_is_read_by_the_interface(house: House) -> None:
    await house.says(FIRM, "我们想给厂里装充电桩,补多少")
    span = "from=2026-11-24T00:00:00%2B08:00&to=2026-11-25T00:00:00%2B08:00"
    (asked,) = (await house.api("GET", f"/policies/unanswered?{span}"))["items"]
    assert (asked["outcome"], asked["ticket"], asked["enterprise_id"]) == ("unanswered", 1001, FIRM)


# ---- files


def run(url: str, monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    from bot.__main__ import main

    monkeypatch.setenv("LHG_DATABASE_URL", url)
    return int(main(["policy", "import", *args]) or 0)


def stored(url: str) -> list[tuple[str, str]]:
    from bot.offline import opened
    from bot.settings import load

    with opened(load(overrides={"LHG_DATABASE_URL": url}), keep=False) as (uow, _):
        return sorted((e.title, e.state.value) for e in uow.policies.all())


def test_a_table_is_imported_and_a_second_time_changes_nothing(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["惠企政策汇编"])
    sheet.append(["政策名称", "文号", "有效期至", "摘要", "接替文件"])
    sheet.append(["旧办法", "通开〔2024〕1号", "2026-03-31", "旧的摘要", "通开〔2026〕2号"])
    sheet.append(["新办法", "通开〔2026〕2号", "长期", "新的摘要", ""])
    sheet.append(["", "通开〔2026〕3号", "", "没有名称", ""])
    file = tmp_path / "政策.xlsx"
    book.save(file)
    assert run(database_url, monkeypatch, str(file), "--dry-run") == 0
    assert "新增 2，改动 0，不变 0，未导入 1。这是试运行" in capsys.readouterr().out
    assert stored(database_url) == []
    report = tmp_path / "r.json"
    assert run(database_url, monkeypatch, str(file), "--report", str(report)) == 0
    told = capsys.readouterr().out
    assert "第5行：没有政策名称，这一行没有导入。" in told
    assert json.loads(report.read_text(encoding="utf-8"))["created"] == ["旧办法", "新办法"]
    assert stored(database_url) == [("新办法", "draft"), ("旧办法", "draft")]
    assert run(database_url, monkeypatch, str(file)) == 0
    assert "新增 0，改动 0，不变 2，未导入 1。" in capsys.readouterr().out


def test_documents_and_lines_of_json_are_read_too(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from docx import Document

    document = Document()
    for text in (
        "企业应急转贷办法",
        "通开财金〔2026〕6号",
        "发文单位：开发区财政局",
        "单笔最高2000万元。",
    ):
        document.add_paragraph(text)
    word = tmp_path / "a.docx"
    document.save(str(word))
    assert run(sqlite_url, monkeypatch, str(word)) == 0
    plain = tmp_path / "b.txt"
    plain.write_bytes("光伏补贴办法\n文号：通开〔2026〕7号\n每瓦补0.2元。".encode("gb18030"))
    assert run(sqlite_url, monkeypatch, str(plain)) == 0
    assert stored(sqlite_url) == [("企业应急转贷办法", "draft"), ("光伏补贴办法", "draft")]
    assert run(sqlite_url, monkeypatch, str(CORPUS / "policies.jsonl")) == 0
    assert "新增 60" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.docx", b"no zip", "打不开这个文档"),
        ("a.xlsx", b"no zip", "打不开这个表格"),
        ("a.csv", "甲,乙\n1,2".encode(), "没有找到表头"),
        ("a.jsonl", b"{broken", "看不懂"),
    ],
)
def test_a_file_that_is_none_says_what_to_do(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes,
    told: str,
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert run(sqlite_url, monkeypatch, str(file)) == 2
    assert told in capsys.readouterr().out
    assert run(sqlite_url, monkeypatch, str(tmp_path / "none.docx")) == 2
    assert "没有找到文件" in capsys.readouterr().out
