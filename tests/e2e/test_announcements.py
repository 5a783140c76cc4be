"""Announcements by the API and by chat: who may, what is stopped, when it goes, how it is halted."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from handlers.chat.events import UserRef
from storage.db import engine_for
from tests.e2e.test_story_announcements import everybody_told, told, until
from tests.kit.fake_generic import FakeBridge
from tests.kit.house import START, House
from tests.unit.test_attachments import docx, picture, word

OFFICE, CLERK, CHIEF, LEADER, LIAISON = "P055", "P056", "P057", "P028", "P041"
# 小周 serves these.
OWN = ("E001", "E003", "E028")


def body(**more: Any) -> dict[str, Any]:
    return {
        "kind": "通知",
        "title": "消防演练",
        "text": "12月1日上午9点在管理办公室前广场举行。",
        "audience": {"enterprises": ["E003", "E004"]},
        "route": "direct",
        "author": OFFICE,
        **more,
    }


async def wrote(house: House, **more: Any) -> int:
    made = await house.api("POST", "/announcements", body(**more), status=201)
    return int(made["id"])


async def approve(house: House, number: int, actor: str = CHIEF, status: int = 200) -> Any:
    path = f"/announcements/{number}/approve"
    answer = await house.api("POST", path, {"actor": actor}, status=status)
    await house.app.dispatcher.drain(["sandbox"])
    return answer


async def state(house: House, number: int) -> str:
    return str((await house.api("GET", f"/announcements/{number}"))["state"])


async def test_the_api_keeps_the_contracts_shape(house: House) -> None:
    made = await house.api("POST", "/announcements", body(need_receipt=True), status=201)
    assert {k: made[k] for k in ("id", "state", "targets")} == {
        "id": 1, "state": "draft", "targets": 2,
    }  # fmt: skip
    listed = await house.api("GET", "/announcements")
    assert [i["id"] for i in listed["items"]] == [1]
    assert listed["next"] is None
    assert (await approve(house, 1))["state"] in ("sending", "sent")
    assert await state(house, 1) == "sent"
    told_to = await house.api("GET", "/announcements/1/receipts")
    assert {k: told_to[k] for k in ("targets", "sent", "failed", "skipped", "read")} == {
        "targets": 2, "sent": 2, "failed": 0, "skipped": 0, "read": 0,
    }  # fmt: skip
    assert told_to["items"][0]["enterprise"] == {"id": "E003", "name": "泓曜精密"}
    assert told_to["items"][0]["state"] == "sent"
    assert told_to["items"][0]["read_at"] is None
    preview = await house.api("GET", "/announcements/1/preview")
    assert {(i["platform"], i["route"]) for i in preview["items"]} == {
        ("sandbox", "direct"), ("sandbox", "group"),
    }  # fmt: skip
    assert (await house.api("GET", "/announcements/9", status=404))["error"]["message"]


async def test_nobody_approves_their_own_and_only_the_office_and_leaders_write(
    house: House,
) -> None:
    number = await wrote(house)
    assert "另一位同事" in (await approve(house, number, OFFICE, 403))["error"]["message"]
    assert await state(house, number) == "draft"
    for actor in (LIAISON, "E003"):
        await approve(house, number, actor, 403)
    await approve(house, number, LEADER)
    await approve(house, number, CHIEF, 409)
    for author in ("P001", "E003", "P052"):
        refused = await house.api("POST", "/announcements", body(author=author), status=403)
        assert "办公室或分管领导" in refused["error"]["message"]
    assert await everybody_told(house) == {"E003": 1, "E004": 1}


async def test_a_liaison_writes_to_the_own_firms_alone_and_privately(house: House) -> None:
    refused = await house.api("POST", "/announcements", body(author=LIAISON), status=403)
    assert "自己挂钩的企业" in refused["error"]["message"]
    await house.says(
        LIAISON, "发通知 明天来走访\n对象：泓曜精密 庭全汽配\n明天下午来看看用工情况。"
    )
    assert "共2家" in (await house.last(LIAISON))["text"]
    await house.press(LIAISON, "送审")
    await house.press(CHIEF, "通过")
    assert await everybody_told(house) == {"E003": 1, "E028": 1}


async def test_a_secret_mark_stops_it_and_is_named(house: House) -> None:
    for more, words in (
        ({"text": "转发明传电报一份"}, "「明传电报」"),
        ({"title": "机密 会议纪要"}, "「机密」"),
        ({"text": "请联系13812345678"}, "「手机号 138****5678」"),
        ({"text": "名单：张三320602199001011234"}, "「身份证号 320***********34」"),
    ):
        refused = await house.api("POST", "/announcements", body(**more), status=422)
        assert words in refused["error"]["message"]
    await house.says(OFFICE, "发通知 传达会议精神\n对象：全部\n见内部文件附件。")
    assert "里面有「内部文件」，不能发给企业" in (await house.last(OFFICE))["text"]
    assert await house.count("announcements") == 0


async def upload(house: House, number: int, name: str, content: bytes) -> tuple[int, Any]:
    response = await house.client.post(
        f"/api/v1/announcements/{number}/files",
        params={"name": name},
        data=io.BytesIO(content),
        headers={
            "Authorization": "Bearer bootstrap-token-for-tests",
            "Content-Type": "application/octet-stream",
        },
    )
    return response.status, await response.json()


async def test_files_are_looked_at_kept_and_shown_to_the_firm(house: House) -> None:
    number = await wrote(house)
    status, file = await upload(house, number, "申请表.docx", word("补贴申请表"))
    assert (status, file["name"]) == (201, "申请表.docx")
    assert (await upload(house, number, "地图.png", picture()))[0] == 201
    for name, content, expected, says in (
        ("大.pdf", b"%PDF-1.4" + b"0" * (50 * 1024 * 1024), 413, "20 MB"),
        ("图.svg", b"<svg><script>alert(1)</script></svg>", 422, "只能传图片"),
        ("假.png", b"<svg><script>alert(1)</script></svg>", 422, "不符"),
        ("弹.docx", docx(**{"word/a.xml": b"0" * (60 * 1024 * 1024)}), 422, "解开后太大"),
        ("密.docx", word("本件为秘密级"), 422, "「秘密」"),
        ("内部资料.png", picture(), 422, "「内部资料」"),
    ):
        status, answer = await upload(house, number, name, content)
        assert (status, says in answer["error"]["message"]) == (expected, True), (name, answer)
    await approve(house, number)
    status, answer = await upload(house, number, "晚.png", picture())
    assert (status, answer["error"]["code"]) == (409, "announce_state")
    (message,) = await told(house, "E003")
    assert "附件 2 个" in message["text"]
    link = message["card"]["buttons"][0]["url"]
    page = "/l/" + link.rpartition("/")[2]
    shown = await house.client.get(page)
    assert "申请表.docx" in await shown.text()
    got = await house.client.get(f"{page}/{file['id']}")
    assert got.headers["Content-Disposition"].startswith("attachment")
    kept = await house.read(lambda uow: uow.announcements.file_body(number, file["id"]))
    assert await got.read() == bytes(kept)
    # Somebody else's file number is none of this link's.
    assert (await house.client.get(f"{page}/999")).status == 404


async def test_what_is_hours_late_asks_a_person_first(house: House) -> None:
    number = await wrote(house, send_at="2026-11-24T15:00:00+08:00")
    await approve(house, number)
    assert await state(house, number) == "approved"
    # The machine was off until twenty past five.
    house.clock.set(datetime(2026, 11, 24, 9, 20, tzinfo=UTC))
    await house.app.ticker.run_all()
    await house.app.dispatcher.drain(["sandbox"])
    assert await state(house, number) == "paused"
    assert await everybody_told(house) == {}
    asked = [m["text"] for m in await house.bot_said(OFFICE)]
    assert any("该在 11月24日 周二 15:00 发，已晚了两个多小时" in t for t in asked)
    await house.says(OFFICE, f"继续通知 {number}")
    assert await everybody_told(house) == {"E003": 1, "E004": 1}
    assert await state(house, number) == "sent"


async def test_an_old_copy_of_the_database_sends_nothing_by_itself(database_url: str) -> None:
    async with House(database_url) as house:
        number = await wrote(house)
        await house.api("POST", f"/announcements/{number}/approve", {"actor": CHIEF})
    # As a copy made before anything went out has it.
    engine = engine_for(database_url)
    with engine.begin() as connection:
        for sql in _UNSENT:
            connection.execute(text(sql))
    engine.dispose()
    later = START + timedelta(hours=3)
    async with House(database_url, start=later, sample=False) as house:
        await house.app.ticker.run_all()
        await house.app.dispatcher.drain(["sandbox"])
        assert await state(house, number) == "paused"
        seen = {firm: len(await told(house, firm)) for firm in ("E003", "E004")}
        assert sum(seen.values()) == 0
        await house.says(CHIEF, f"撤回通知 {number}")
        assert await state(house, number) == "withdrawn"
        await house.app.dispatcher.drain(["sandbox"])
        assert len(await told(house, "E003")) == 0


_UNSENT = (
    "UPDATE outbox SET state = 'waiting', sent_at = NULL, ref = '', card_ref = '', "
    "lease_until = 0, next_try = 0 WHERE kind = 'announcement'",
    "UPDATE announcement_targets SET state = 'waiting'",
    "UPDATE announcements SET state = 'sending'",
    "DELETE FROM sandbox_messages WHERE kind = 'announcement'",
)


async def test_night_waits_for_the_morning_but_a_warning_does_not(house: House) -> None:
    await until(house, "2026-11-24 22:30")
    plain = await wrote(house)
    await approve(house, plain)
    group = await wrote(house, audience={"all": True}, route="group")
    await approve(house, group)
    assert await everybody_told(house) == {}
    warning = await wrote(
        house, kind="预警", title="大风蓝色预警", text="今夜阵风8级，请加固棚顶。"
    )
    made = await approve(house, warning)
    assert made["valid_until"] == "2026-11-25T14:30:00+00:00"
    assert await everybody_told(house) == {"E003": 1, "E004": 1}
    assert [m for m in await house.in_group() if m["kind"] == "announcement"] == []
    await until(house, "2026-11-25 07:31")
    assert await everybody_told(house) == {"E003": 2, "E004": 2}
    assert len([m for m in await house.in_group() if m["kind"] == "announcement"]) == 1


async def test_paused_it_waits_and_goes_on_and_withdrawn_it_never_goes(house: House) -> None:
    await until(house, "2026-11-24 21:30")
    number = await wrote(house)
    await approve(house, number)
    await house.says(CLERK, f"暂停通知 {number}")
    assert "已暂停，已发 0/2" in (await house.last(CLERK))["text"]
    await until(house, "2026-11-25 08:00")
    assert await everybody_told(house) == {}
    await house.says(CLERK, f"继续通知 {number}")
    assert await everybody_told(house) == {"E003": 1, "E004": 1}
    await until(house, "2026-11-25 21:30")
    other = await wrote(house, title="另一条")
    await approve(house, other)
    await house.api("POST", f"/announcements/{other}/withdraw", {"actor": CHIEF})
    await until(house, "2026-11-26 08:00")
    assert await everybody_told(house) == {"E003": 1, "E004": 1}
    counts = await house.api("GET", f"/announcements/{other}/receipts")
    assert (counts["targets"], counts["sent"], counts["skipped"]) == (2, 0, 2)
    await house.api("POST", f"/announcements/{other}/resume", {"actor": CHIEF}, status=409)


async def test_withdrawn_after_it_went_the_cards_say_so(house: House) -> None:
    number = await wrote(house, need_receipt=True)
    await approve(house, number)
    await house.press("E003", "已阅")
    await house.says(OFFICE, f"撤回通知 {number}")
    assert "已送达 2 家，内容有误请发「发更正 1」" in (await house.last(OFFICE))["text"]
    for firm in ("E003", "E004"):
        (message,) = await told(house, firm)
        assert message["card"]["status"] == "已撤回"
        assert message["card"]["buttons"] == []


async def test_what_is_over_is_not_sent_and_takes_no_receipt(house: House) -> None:
    number = await wrote(house, need_receipt=True, valid_until="2026-11-24T18:00:00+08:00")
    await approve(house, number)
    (message,) = await told(house, "E003")
    await until(house, "2026-11-24 18:01")
    assert await state(house, number) == "expired"
    pressed = await house.press_on(message["id"], "已阅", "E003")
    assert "已过期" in pressed["toast"]
    assert (await house.api("GET", f"/announcements/{number}/receipts"))["read"] == 0
    late = await wrote(house, valid_until="2026-11-25T06:00:00+08:00")
    await until(house, "2026-11-24 21:30")
    await approve(house, late)
    await until(house, "2026-11-25 08:00")
    counts = await house.api("GET", f"/announcements/{late}/receipts")
    assert (counts["sent"], counts["skipped"]) == (0, 2)


async def test_it_comes_round_by_its_rule_and_each_round_goes_once(house: House) -> None:
    number = await wrote(house, send_at="每周五 9:00", title="周末安全提示")
    await approve(house, number)
    await until(house, "2026-11-27 09:30")
    assert await everybody_told(house) == {"E003": 1, "E004": 1}
    await until(house, "2026-12-04 09:30")
    assert await everybody_told(house) == {"E003": 2, "E004": 2}
    made = await house.api("GET", f"/announcements/{number}")
    assert (made["round"], made["repeat"]) == (2, "每周五 09:00")
    await house.api("POST", f"/announcements/{number}/withdraw", {"actor": CHIEF})
    await until(house, "2026-12-11 09:30")
    assert await everybody_told(house) == {"E003": 2, "E004": 2}


async def test_a_correction_points_to_the_wrong_one_and_stops_it(house: House) -> None:
    for more in ({"kind": "更正"}, {"kind": "更正", "corrects": 7}, {"corrects": 7}):
        await house.api("POST", "/announcements", body(**more), status=422)
    wrong = await wrote(house, send_at="2026-11-24T15:00:00+08:00")
    refused = await house.api(
        "POST", "/announcements", body(kind="更正", corrects=wrong), status=422
    )
    assert refused["error"]["code"] == "announce_corrects_unknown"
    await approve(house, wrong)
    right = await wrote(house, kind="更正", corrects=wrong, title="演练改期", audience=None)
    assert (await approve(house, right))["targets"] == 2
    assert await state(house, wrong) == "withdrawn"
    await until(house, "2026-11-24 15:01")
    assert await everybody_told(house) == {"E003": 1, "E004": 1}


async def test_what_is_missing_is_asked_for_at_once_and_what_was_typed_stays(house: House) -> None:
    await house.says(OFFICE, "发通知 道路施工")
    asked = (await house.last(OFFICE))["text"]
    assert "正文：……" in asked
    assert "对象：" in asked
    await house.says(OFFICE, "正文：通盛大道半幅施工\n对象：长洪 火星")
    assert "没看懂对象里的「火星」" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "正文：通盛大道半幅施工\n对象：长洪")
    assert "通知 1 草稿" in (await house.last(OFFICE))["text"]
    # A line by its label changes the draft; anything else is heard as always.
    await house.says(OFFICE, "时间：下一个工作日14:00")
    assert "11月25日 周三 14:00" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "对象：全部企业，除王子制纸")
    assert "共44家" in (await house.last(OFFICE))["text"]
    await house.press(OFFICE, "送审")
    await house.press(CHIEF, "退回")
    await house.says(CHIEF, "正文写清楚起止日期")
    assert "主要负责人已退回：正文写清楚起止日期" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "改通知 1 正文：12月1日至5日通盛大道半幅施工")
    assert "共44家" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "送审 1")
    await house.says(CHIEF, "通过通知 1")
    assert await state(house, 1) == "approved"


async def test_a_firm_without_an_account_is_skipped_and_stands_on_the_call_list(
    house: House,
) -> None:
    await house.api(
        "POST",
        "/enterprises",
        {"id": "E900", "short_name": "新厂", "full_name": "南通新厂有限公司", "area": "长洪管理区"},
        status=201,
    )
    await house.api(
        "POST", "/pairings", {"enterprise_id": "E900", "liaison_id": LIAISON}, status=201
    )
    number = await wrote(house, audience={"enterprises": ["E900", "E003"]}, need_receipt=True)
    await approve(house, number)
    counts = await house.api("GET", f"/announcements/{number}/receipts")
    assert (counts["targets"], counts["sent"], counts["skipped"]) == (2, 1, 1)
    await house.says(LIAISON, f"未读 {number}")
    assert "新厂（没有登记联系人）" in (await house.last(LIAISON))["text"]


async def test_another_firm_learns_nothing_of_an_announcement(house: House) -> None:
    number = await wrote(house, title="独角鲸专项", text="独角鲸专项检查说明，详见附件。")
    await approve(house, number)
    for said in (f"查通知 {number}", f"未读 {number}", f"通知名单 {number}", "通知列表"):
        await house.says("E010", said)
    (message,) = await told(house, "E003")
    link = message["card"]["buttons"][0]["url"] if message["card"]["buttons"] else ""
    assert link == ""
    assert all("独角鲸" not in m["text"] for m in await house.bot_said("E010"))


async def test_2_nobody_is_told_to_answer_at_once(house: House) -> None:
    """F2: only what asks for a receipt speaks of one, and nothing asks for it at once."""
    plain = await wrote(house)
    asking = await wrote(house, title="要回执的", need_receipt=True)
    await approve(house, plain)
    await approve(house, asking)
    first, second = await told(house, "E003")
    assert "收到" not in first["text"]
    assert [b["label"] for b in first["card"]["buttons"]] == []
    assert "看过请引用本条回复「收到」" in second["text"]
    for word_ in ("即时", "马上", "立即", "务必"):
        assert word_ not in first["text"] + second["text"]
    # A bare 收到 is swallowed silently, whether it counts or not.
    before = len(await house.bot_said("E003"))
    await house.says("E003", "收到")
    await house.group_says("E004", "收到")
    assert len(await house.bot_said("E003")) == before
    assert (await house.api("GET", f"/announcements/{asking}/receipts"))["read"] == 1


async def test_5_reminders_are_private_once_and_nobody_is_named(house: House) -> None:
    """F5: the second push is private and single; the group sees a count and nobody is called by @."""
    number = await wrote(house, audience={"all": True}, route="group", need_receipt=True)
    await approve(house, number)
    await house.says(OFFICE, f"提醒未读 {number}")
    await house.says(OFFICE, f"提醒未读 {number}")
    await house.says(LIAISON, f"提醒未读 {number}")
    assert set((await everybody_told(house)).values()) == {1}
    shown = [m for m in await house.in_group() if m["kind"] == "announcement"]
    assert len(shown) == 1
    assert shown[0]["mentions"] == []
    assert "所有人" not in shown[0]["text"]


async def test_a_platform_that_knows_who_has_read_tells_it_without_a_button(
    sqlite_url: str,
) -> None:
    async with FakeBridge() as bridge, House(sqlite_url, bridge.settings) as house:
        from handlers.domain.people import Identity

        def on_the_bridge(uow: Any) -> None:
            contact = uow.people.main_contact("E003")
            uow.people.drop_identity(UserRef("sandbox", "E003"))
            uow.people.save_identity(Identity("generic", "u3", contact.id))

        await house.app.writer.run(on_the_bridge)
        number = await wrote(house, audience={"enterprises": ["E003"]}, need_receipt=True)
        await approve(house, number)
        await house.app.dispatcher.drain(["generic"])
        (message,) = bridge.told("u3")
        base = {
            "at": "2026-11-24T09:05:00+08:00",
            "chat": {"id": "u3", "kind": "direct"},
            "sender": {"id": "u3", "name": ""},
        }
        # Somebody else's reading is no receipt of this firm.
        stranger = {**base, "sender": {"id": "u9", "name": ""}}
        read = {"message_ref": message["message_ref"]}
        assert await bridge.post(house, {**stranger, "read": read}) == []
        assert (await house.api("GET", f"/announcements/{number}/receipts"))["read"] == 0
        assert await bridge.post(house, {**base, "read": read}) == []
        counts = await house.api("GET", f"/announcements/{number}/receipts")
        assert (counts["read"], counts["items"][0]["read_by"]) == (1, "platform")


async def test_last_rounds_message_read_late_is_no_receipt_of_this_round(sqlite_url: str) -> None:
    async with FakeBridge() as bridge, House(sqlite_url, bridge.settings) as house:
        from handlers.domain.people import Identity

        def on_the_bridge(uow: Any) -> None:
            contact = uow.people.main_contact("E003")
            uow.people.drop_identity(UserRef("sandbox", "E003"))
            uow.people.save_identity(Identity("generic", "u3", contact.id))

        await house.app.writer.run(on_the_bridge)
        audience = {"enterprises": ["E003"]}
        number = await wrote(house, audience=audience, send_at="每周五 9:00", need_receipt=True)
        await approve(house, number)
        for day in ("2026-11-27", "2026-12-04"):
            await until(house, f"{day} 09:00")
            await house.app.dispatcher.drain(["generic"])
        old, new = bridge.told("u3")
        for message, count in ((old, 0), (new, 1)):
            event = {
                "chat": {"id": "u3", "kind": "direct"},
                "sender": {"id": "u3", "name": ""},
                "read": {"message_ref": message["message_ref"]},
            }
            await bridge.post(house, event)
            receipts = await house.api("GET", f"/announcements/{number}/receipts")
            assert receipts["read"] == count


async def test_a_firm_whose_name_holds_a_trade_is_that_firm_alone(house: House) -> None:
    await house.says(
        OFFICE, "发通知 消防演练\n对象：瑞翔新材料、邦楷涂料和东和半导体\n正文：周五演练。"
    )
    assert "共3家" in (await house.last(OFFICE))["text"]
    await house.says(
        OFFICE, "发通知 消防演练\n对象：长洪危化除瑞翔新材料和邦楷涂料\n正文：周五演练。"
    )
    assert "名单：珂顿化学、屹北新能源" in (await house.last(OFFICE))["text"]


async def test_the_brief_tells_how_many_have_not_read_and_nobodys_name(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人")
    number = await wrote(house, need_receipt=True)
    await approve(house, number)
    await house.press("E003", "已阅")
    await house.says(CHIEF, "日调度")
    told_chief = (await house.last(CHIEF))["text"]
    assert "通知待回执 1 条，未阅 1 家次" in told_chief
    assert "玖晟" not in told_chief
    await house.says(LIAISON, "日调度")
    assert "通知待回执" not in (await house.last(LIAISON))["text"]
