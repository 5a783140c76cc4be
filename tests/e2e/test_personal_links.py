"""Acceptance 7 of issue 5 for links: a wrong, old, altered or forwarded one shows nothing of anybody."""

import re
from collections.abc import Mapping
from datetime import timedelta
from http.cookies import SimpleCookie

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import pages
from bot.links import SignedLinks
from bot.pages.kind import Done, Html, Opened, Page
from tests.kit.house import House


async def link_of(house: House, who: str = "P041") -> str:
    await house.group_says("E003", "@小港 车间缺操作工20人")
    await house.says(who, "交办单 1001")
    found = re.search(r"/l/\S+", (await house.last(who))["text"])
    assert found is not None
    return found.group()


def browser(house: House) -> aiohttp.ClientSession:
    """Another browser: its cookies are its own."""
    return aiohttp.ClientSession(
        str(house.client.make_url("/")), cookie_jar=aiohttp.CookieJar(unsafe=True)
    )


async def test_a_forwarded_link_shows_what_a_wrong_one_shows(house: House) -> None:
    link = await link_of(house)
    assert (await house.client.get(link)).status == 200
    assert (await house.client.get(link)).status == 200
    told = []
    async with browser(house) as other:
        altered = link[:-1] + ("A" if link[-1] != "A" else "B")
        for path in (link, "/l/x", altered, f"{link}/1", link.replace(".", "")):
            async with other.get(path) as response:
                assert response.status == 404, path
                assert response.headers["X-Robots-Tag"].startswith("noindex")
                assert response.headers["Cache-Control"] == "no-store"
                assert "Set-Cookie" not in response.headers
                told.append(await response.text())
        async with other.post(link, data={"proof": "x"}) as response:
            assert response.status == 404
            told.append(await response.text())
    assert len(set(told)) == 1
    for word in ("1001", "泓曜", "小周", "操作工", "P041"):
        assert word not in told[0]


async def test_a_preview_that_keeps_no_cookie_does_not_take_the_link(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        link = await link_of(house)
        async with aiohttp.ClientSession(
            str(house.client.make_url("/")), cookie_jar=aiohttp.DummyCookieJar()
        ) as preview:
            async with preview.head(link) as response:
                assert response.status == 405
            async with preview.get(link) as response:
                assert response.status == 400
                assert "Cookie" in await response.text()
        assert (await house.client.get(link)).status == 200


async def test_an_old_link_is_gone_and_forgotten(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        links = house.app.wiring.links
        assert isinstance(links, SignedLinks)
        await link_of(house)
        over = links.to("slip-assignment", "1001", "P041", house.clock.now())
        assert (await house.client.get("/l/" + over.rpartition("/")[2])).status == 404
        soon = links.to("slip-assignment", "1001", "P041", house.clock.now() + timedelta(hours=1))
        assert (await house.client.get("/l/" + soon.rpartition("/")[2])).status == 200
        assert await house.count("opened_links") == 1
        await house.app.writer.run(lambda uow: uow.openings.take("x" * 64, "y", 1.0))
        await house.app.ticker.run_all()
        assert await house.count("opened_links") == 1


async def test_the_cookie_is_for_these_pages_alone(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        response = await house.client.get(await link_of(house), allow_redirects=False)
        assert response.status == 303
        (morsel,) = SimpleCookie(response.headers["Set-Cookie"]).values()
        assert (morsel["path"], morsel["samesite"], morsel["httponly"]) == ("/l/", "Lax", True)
        assert len(morsel.value) == 43
        assert "script" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["page.css", "tokens.css", "icon.svg"])
async def test_the_pages_need_nothing_from_elsewhere(sqlite_url: str, name: str) -> None:
    async with House(sqlite_url, {"LHG_SANDBOX": "0"}) as house:
        assert (await house.client.get(f"/l/static/{name}")).status == 200
        assert (await house.client.get("/l/static/../kind.py")).status == 404
        page = await (await house.client.get("/l/x")).text()
        assert set(re.findall(r'(?:href|src)="([^"]+)"', page)) == {
            "/l/static/icon.svg", "/l/static/tokens.css", "/l/static/page.css",
        }  # fmt: skip


async def test_a_form_is_taken_from_its_own_page_alone(sqlite_url: str) -> None:
    taken: list[str] = []

    def show(opened: Opened) -> Html:
        return Html("told.html", {"title": "表", "text": opened.subject})

    def submit(opened: Opened, form: Mapping[str, list[str]]) -> Done:
        taken.append(form["answer"][0])
        return Done()

    async with House(sqlite_url) as house:
        links = SignedLinks("k" * 32, "")
        found = {"form": Page("form", show, submit)}
        application = web.Application()
        application.add_routes(pages.routes(house.app.writer, house.clock, links, None, found))
        path = links.to("form", "7", "P041")
        async with (
            TestServer(application) as server,
            aiohttp.ClientSession(
                server.make_url("/"), cookie_jar=aiohttp.CookieJar(unsafe=True)
            ) as own,
        ):
            async with own.get(path) as response:
                assert response.status == 200
            (cookie,) = (c.value for c in own.cookie_jar)
            proof = pages.proof_of(path.rpartition("/")[2], cookie)
            for data, headers in (
                ({"answer": "1"}, {}),
                ({"answer": "1", "proof": "x"}, {}),
                ({"answer": "1", "proof": proof}, {"Origin": "http://localhost:1"}),
                ({"answer": "1", "proof": proof}, {"Origin": "null"}),
                ({"answer": "1", "proof": proof}, {"Sec-Fetch-Site": "cross-site"}),
            ):
                async with own.post(path, data=data, headers=headers) as response:
                    assert response.status == 403, headers
            assert taken == []
            async with own.post(path, data={"answer": "是", "proof": proof}) as response:
                assert (response.status, str(response.url.path)) == (200, path)
            assert taken == ["是"]
            async with (
                aiohttp.ClientSession(server.make_url("/")) as other,
                other.post(
                    path, data={"answer": "2", "proof": proof}, cookies={pages.COOKIE: "x" * 43}
                ) as response,
            ):
                assert response.status in (403, 404)
            assert taken == ["是"]


async def test_what_leads_nowhere_or_breaks_is_told_to_a_person_as_a_page(
    sqlite_url: str,
) -> None:
    async def breaks(request: web.Request) -> web.Response:
        raise RuntimeError("a fault of ours")

    house = House(sqlite_url)
    house.app.web.router.add_get("/breaks", breaks)
    async with house:
        for path, status, words in (
            ("/nowhere", 404, "没有这个页面"),
            ("/sandbox/nothing", 404, "没有这个页面"),
            ("/logout", 404, "没有这个页面"),
            ("/breaks", 500, "现在打不开"),
        ):
            async with house.client.get(path, headers={"Accept": "text/html"}) as response:
                assert (response.status, response.content_type) == (status, "text/html"), path
                told = await response.text()
                assert words in told
                assert "a fault of ours" not in told
            # A program that calls the wrong address is no reader.
            async with house.client.get(path) as response:
                assert response.content_type == "text/plain", path
