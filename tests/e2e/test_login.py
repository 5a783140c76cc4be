"""The office's people log in by WeCom: bound to the browser, once, and over by themselves."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.login import Login
from handlers.domain.people import Identity
from storage.uow import UnitOfWork
from tests.kit.fake_wecom import INSIDE, OUTSIDE, FakeWeCom
from tests.kit.house import House
from tests.kit.wecom import settings

PHONE = "Mozilla/5.0 wxwork/4.1.36 MicroMessenger/7.0.1"
HERE = "http://127.0.0.1"


def accounts(uow: UnitOfWork) -> None:
    for user, person in (("ZhangJing", "E003-1"), ("ZhouLian", "P041"), ("Duty", "P055")):
        uow.people.save_identity(Identity("wecom", user, person))


def public(base: str, address: str = HERE) -> dict[str, str]:
    return {**settings(base), "LHG_PUBLIC_URL": address, "LHG_SECRET_KEY": "k" * 32}


async def get(house: House, path: str, agent: str = "Mozilla/5.0", **query: str) -> ClientResponse:
    return await house.client.get(
        path, params=query, headers={"User-Agent": agent}, allow_redirects=False
    )


async def sent_to(house: House, agent: str = "Mozilla/5.0", **query: str) -> str:
    """Where the browser is sent for a login."""
    response = await get(house, "/login/wecom", agent, **query)
    assert response.status == 303
    return response.headers["Location"]


async def logs_in(house: House, far: FakeWeCom, user: str, **query: str) -> ClientResponse:
    back = far.allows(await sent_to(house, **query), userid=user)
    return await get(house, "/login/wecom/back", **back)


async def shown(house: House) -> str:
    return await (await get(house, "/login")).text()


def cookie(response: ClientResponse, name: str) -> Any:
    return response.cookies[name]


async def test_a_liaison_logs_in_is_shown_and_logs_out(database_url: str) -> None:
    async with FakeWeCom() as far, House(database_url, public(far.base)) as house:
        await house.app.writer.run(accounts)
        page = await shown(house)
        assert "用企业微信登录" in page
        assert "联络员小周" not in page
        response = await logs_in(house, far, "ZhouLian", next="/login?from=chat")
        assert (response.status, response.headers["Location"]) == (303, "/login?from=chat")
        kept = cookie(response, "lhg_session")
        assert kept["httponly"]
        assert (kept["samesite"], kept["path"], kept["secure"]) == ("Lax", "/", "")
        page = await shown(house)
        assert "联络员小周" in page
        # Another site can neither read the proof nor send the form.
        refused = await house.client.post("/logout", data={"proof": ""})
        assert refused.status == 403
        assert 'role="alert"' in await refused.text()
        proof = page.split('name="proof" value="')[1].split('"')[0]
        foreign = {"Origin": "https://elsewhere.example.com"}
        refused = await house.client.post("/logout", data={"proof": proof}, headers=foreign)
        assert refused.status == 403
        assert "联络员小周" in await shown(house)
        kept_token = kept.value
        left = await house.client.post("/logout", data={"proof": proof})
        told = await left.text()
        assert "已经结束" in told
        # What went well is no alarm.
        assert "alert" not in told
        # The token is worth nothing any more, also where somebody kept it.
        house.client.session.cookie_jar.update_cookies({"lhg_session": kept_token})
        assert "联络员小周" not in await shown(house)
        assert await house.read(lambda uow: uow.audit.verify()) is None


async def test_inside_the_client_nothing_is_scanned(sqlite_url: str) -> None:
    async with FakeWeCom() as far, House(sqlite_url, public(far.base)) as house:
        inside, outside = await sent_to(house, PHONE), await sent_to(house)
        assert inside.startswith(INSIDE)
        assert outside.startswith(OUTSIDE)
        for address in (inside, outside):
            far.allows(address, userid="x")
            asked = parse_qs(urlsplit(address).query)
            assert asked["redirect_uri"] == [f"{HERE}/login/wecom/back"]


async def test_only_the_browser_that_began_finishes_and_only_once(sqlite_url: str) -> None:
    async with FakeWeCom() as far, House(sqlite_url, public(far.base)) as house:
        await house.app.writer.run(accounts)
        address = await sent_to(house)
        begun = house.client.session.cookie_jar.filter_cookies(house.client.make_url("/login"))[
            "lhg_login"
        ].value
        back = far.allows(address, userid="ZhouLian")
        for wrong in ({**back, "state": "0" * 32}, {"code": back["code"]}):
            response = await get(house, "/login/wecom/back", **wrong)
            assert response.status == 403
            assert "lhg_session" not in response.cookies
        # That took the cookie away: nothing is finished without it.
        assert (await get(house, "/login/wecom/back", **back)).status == 403
        assert back["code"] in far.logins
        jar = house.client.session.cookie_jar
        jar.update_cookies({"lhg_login": begun}, house.client.make_url("/login"))
        assert (await get(house, "/login/wecom/back", **back)).status == 303
        # The same address and the same cookie again, even with a fresh code.
        jar.update_cookies({"lhg_login": begun}, house.client.make_url("/login"))
        far.logins["another"] = {"userid": "Duty"}
        again = {"code": "another", "state": back["state"]}
        assert (await get(house, "/login/wecom/back", **again)).status == 403
        assert "联络员小周" in await shown(house)


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ({"userid": "Nobody"}, "还没有登记"),
        ({"userid": "ZhangJing"}, "请在聊天里办理"),
        ({"openid": "oXyz", "external_userid": "wmXyz"}, "没有确认您的身份"),
    ],
)
async def test_who_is_not_of_the_office_is_told_why_and_gets_no_session(
    sqlite_url: str, who: dict[str, str], told: str
) -> None:
    async with FakeWeCom() as far, House(sqlite_url, public(far.base)) as house:
        await house.app.writer.run(accounts)
        back = far.allows(await sent_to(house), **who)
        response = await get(house, "/login/wecom/back", **back)
        assert response.status == 403
        assert told in await response.text()
        assert "lhg_session" not in response.cookies


@pytest.mark.parametrize(
    "elsewhere",
    ["https://example.org", "//example.org", "/\\example.org", "/a\\b", "/\t/evil", "x", "", "/" + "a" * 2000],
)  # fmt: skip
async def test_nobody_is_sent_to_another_site(sqlite_url: str, elsewhere: str) -> None:
    async with FakeWeCom() as far, House(sqlite_url, public(far.base)) as house:
        await house.app.writer.run(accounts)
        response = await logs_in(house, far, "ZhouLian", next=elsewhere)
        assert response.headers["Location"] == "/login"


async def test_a_login_is_over_after_ten_minutes_and_a_session_after_half_a_day(
    sqlite_url: str,
) -> None:
    async with FakeWeCom() as far, House(sqlite_url, public(far.base)) as house:
        await house.app.writer.run(accounts)
        wall = [time.time()]
        login = Login(house.app.writer, house.app.platforms, {}, "secret", HERE, lambda: wall[0])
        own = web.Application()
        own.add_routes(login.routes())
        await house.client.close()
        async with TestClient(TestServer(own)) as house.client:
            back = far.allows(await sent_to(house), userid="ZhouLian")
            wall[0] += 600
            assert (await get(house, "/login/wecom/back", **back)).status == 403
            back = far.allows(await sent_to(house), userid="ZhouLian")
            wall[0] += 599
            assert (await get(house, "/login/wecom/back", **back)).status == 303
            wall[0] += 12 * 3600 - 1
            assert "联络员小周" in await shown(house)
            wall[0] += 1
            assert "联络员小周" not in await shown(house)


async def test_who_left_the_office_is_out_at_once(sqlite_url: str) -> None:
    async with FakeWeCom() as far, House(sqlite_url, public(far.base)) as house:
        await house.app.writer.run(accounts)
        await logs_in(house, far, "ZhouLian")
        assert "联络员小周" in await shown(house)
        await house.api("PATCH", "/people/P041", {"active": False})
        assert "联络员小周" not in await shown(house)


async def test_by_https_the_cookies_go_by_https_only(sqlite_url: str) -> None:
    settings = public("http://127.0.0.1:9", "https://lhg.example.com")
    async with House(sqlite_url, settings) as house:
        response = await get(house, "/login/wecom")
        assert cookie(response, "lhg_login")["secure"]
        assert cookie(response, "lhg_login")["httponly"]
        assert response.headers["Cache-Control"] == "no-store"


async def test_without_a_platform_that_can_there_is_no_way_in(house: House) -> None:
    assert "联系管理员" in await shown(house)
    assert (await get(house, "/login/sandbox")).status == 404
