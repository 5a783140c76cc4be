"""What is the generic signed webhook's own, both ways; the API beside it."""

from handlers.domain.people import Identity
from storage.uow import UnitOfWork
from tests.kit.fake_generic import FakeBridge
from tests.kit.house import House

PEOPLE = (("zhang", "E003-1"), ("zhou", "P041"), ("xu", "P028"), ("duty", "P055"))


def accounts(uow: UnitOfWork) -> None:
    for user, person in PEOPLE:
        uow.people.save_identity(Identity("generic", user, person))


async def test_the_answer_carries_the_reply_and_an_escalation_is_named_one(
    sqlite_url: str,
) -> None:
    async with FakeBridge() as bridge, House(sqlite_url, bridge.settings) as house:
        await house.app.writer.run(accounts)
        replies = await bridge.says(
            house, "zhang", "@小港 车间缺操作工20人，临时招不到", "big", mention_bot=True
        )
        assert [r["card"]["title"] for r in replies] == ["#1001 · 用工"]
        replies = await bridge.presses(house, "zhou", bridge.told("zhou")[0], "认领")
        assert replies[0]["card"]["status"] == "办理中"
        await bridge.says(house, "zhou", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await bridge.says(house, "zhang", "还是缺人")
        assert bridge.told("xu")[-1]["kind"] == "escalation"


async def test_the_api_shows_the_same_history(sqlite_url: str) -> None:
    async with FakeBridge() as bridge, House(sqlite_url, bridge.settings) as house:
        await house.app.writer.run(accounts)
        await bridge.says(house, "zhang", "车间缺操作工20人，临时招不到")
        listed = await house.api("GET", "/tickets?state=open&enterprise=E003")
        assert [t["number"] for t in listed["items"]] == [1001]
        version = listed["items"][0]["version"]
        move = {"move": "claim", "actor": "P041", "version": version}
        claimed = await house.api("POST", "/tickets/1001/moves", move)
        assert (claimed["state"], claimed["owner"]["id"]) == ("in_progress", "P041")
        stale = {
            "move": "progress",
            "actor": "P041",
            "text": "已联系人社局安排",
            "version": version,
        }
        error = await house.api("POST", "/tickets/1001/moves", stale, status=409)
        assert error["error"]["code"] == "stale_version"
        bare = {"move": "resolve", "actor": "P041", "text": "已处理"}
        error = await house.api("POST", "/tickets/1001/moves", bare, status=422)
        assert error["error"]["code"] == "empty_result"
        done = {"move": "resolve", "actor": "P041", "text": "专场招聘到岗十二人"}
        await house.api("POST", "/tickets/1001/moves", done)
        rate = {"move": "rate", "actor": "E003", "args": {"rating": 5}}
        closed = await house.api("POST", "/tickets/1001/moves", rate)
        assert (closed["state"], closed["rating"], closed["verdict"]) == ("closed", 5, "yes")
        one = await house.api("GET", "/tickets/1001")
        assert [h["move"] for h in one["history"]] == ["submit", "claim", "resolve", "rate"]
        assert one["messages"][0]["text"].startswith("车间缺操作工")
        assert (await house.api("GET", "/tickets/9999", status=404))["error"][
            "code"
        ] == "unknown_ticket"
        await house.api("GET", "/tickets?limit=0", status=400)
        await house.api("GET", "/tickets", token="wrong", status=401)
        made = {"body": "蒸汽压力只有0.4兆帕", "enterprise": "E001", "source": {"channel": "phone"}}
        opened = await house.api("POST", "/tickets", made, status=201)
        assert (opened["category"], opened["source"]["channel"]) == ("ENE", "phone")
        audit = await house.api("GET", "/audit?limit=2")
        assert len(audit["items"]) == 2
        assert audit["next"]
        document = await (await house.client.get("/api/openapi.json")).json()
        assert "/api/v1/tickets/{number}/moves" in document["paths"]
        outbox = await house.api("GET", "/outbox?state=sent")
        assert outbox["items"]
        chat = {
            "platform": "wecom",
            "id": "g1",
            "title": "群",
            "robot_url": "https://x.invalid/?key=K",
        }
        saved = await house.api("POST", "/chats", chat, status=201)
        assert saved["has_robot"] is True
        assert "K" not in str(await house.api("GET", "/chats"))
        pairing = {"enterprise_id": "E003", "liaison_id": "P042"}
        await house.api("POST", "/pairings", pairing, status=201)
        standing = await house.read(lambda uow: uow.people.standing("E003", house.clock.now()))
        assert standing.liaison_id == "P042"


async def test_a_correction_by_the_generic_webhook(sqlite_url: str) -> None:
    async with FakeBridge() as bridge, House(sqlite_url, bridge.settings) as house:
        await house.app.writer.run(accounts)
        await bridge.says(
            house, "zhang", "@小港 车间缺操作工20人，临时招不到", "big", mention_bot=True
        )
        await bridge.presses(house, "zhou", bridge.told("zhou")[0], "更正")
        card = bridge.told("zhou")[-1]
        label = card["card"]["buttons"][0]["label"]
        replies = await bridge.presses(house, "zhou", card, label)
        assert label in replies[0]["card"]["lead"]
        history = await house.read(lambda uow: uow.tickets.history(1001))
        assert [e.move.value for e in history] == ["submit", "reclassify"]
        await bridge.says(house, "zhou", "更正 1001", "big")
        groups = [m for m in bridge.got if m["chat"]["kind"] == "group"]
        assert not [m for m in groups if m["card"] and "更正" in m["card"]["title"]]
