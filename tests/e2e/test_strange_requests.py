"""Strange requests to the API and the sandbox get the contract's errors, never a 500."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.house import TOKEN, House


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    async with House(sqlite_url) as opened:
        yield opened


async def ask(house: House, method: str, path: str, data: Any = None, kind: str = "") -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if kind or data is not None:
        headers["Content-Type"] = kind or "application/json"
    response = await house.client.request(method, path, data=data, headers=headers)
    answer = await response.json()
    assert "error" not in answer or answer["error"]["message"]
    return response.status, answer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/tickets/²", 404),
        ("/api/v1/tickets/99999999999999999999999", 404),
        ("/api/v1/tickets?limit=²", 400),
        ("/api/v1/tickets?limit=0", 400),
        ("/api/v1/tickets?cursor=²", 400),
        ("/api/v1/nothing", 404),
        ("/sandbox/api/nothing", 404),
        ("/sandbox/api/messages?after=99999999999999999999", 400),
    ],
)
async def test_a_strange_address_is_answered_in_the_shape_of_every_error(
    house: House, path: str, status: int
) -> None:
    got, answer = await ask(house, "GET", path)
    assert got == status
    assert answer["error"]["code"]


async def test_a_method_that_a_path_does_not_know_is_405_and_names_those_it_does(
    house: House,
) -> None:
    status, answer = await ask(house, "DELETE", "/api/v1/tickets")
    assert (status, answer["error"]["code"]) == (405, "no_such_method")
    assert "GET" in answer["error"]["message"]


async def test_a_limit_above_200_gives_200(house: House) -> None:
    def many(uow: Any) -> None:
        for number in range(201):
            uow.audit.add(house.clock.now(), "t", "test", str(number), {})

    await house.app.writer.run(many)
    status, answer = await ask(house, "GET", "/api/v1/audit?limit=500")
    assert (status, len(answer["items"])) == (200, 200)
    assert answer["next"]
    assert answer["items"][0]["facts"] == {}


async def test_a_body_that_is_no_json_by_its_own_word_is_415(house: House) -> None:
    for path in ("/api/v1/tickets", "/sandbox/api/messages"):
        status, answer = await ask(house, "POST", path, b"title=x", "text/plain")
        assert status == 415
        assert "application/json" in answer["error"]["message"]


async def test_json_nested_without_end_is_400_and_half_a_character_is_left_out(
    house: House,
) -> None:
    assert (await ask(house, "POST", "/api/v1/tickets", b"[" * 100_000))[0] == 400
    assert (await ask(house, "POST", "/sandbox/api/messages", b"[" * 100_000))[0] == 400
    status, made = await ask(
        house, "POST", "/api/v1/tickets", b'{"title":"\\ud800\\u0000\xe5\x81\x9c\xe7\x94\xb5"}'
    )
    assert (status, made["title"]) == (201, "停电")


async def test_no_is_not_yes_and_a_number_is_not_a_name(house: House) -> None:
    for path, body, field in (
        ("/tickets", {"title": "停电", "confidential": "no"}, "confidential"),
        ("/tickets/1001/moves", {"move": "rate", "actor": "E003", "args": {"rating": True}}, ""),
        ("/tickets/1001/moves", {"move": "claim", "actor": "P041", "args": []}, "args"),
        ("/people", {"id": "P900", "name": "甲", "role": "liaison", "phone": 5}, "phone"),
        ("/people", {"id": "P900", "name": "甲", "role": "king"}, "role"),
        ("/enterprises", {"id": "E900", "name": "甲", "active": "yes"}, "active"),
        ("/pairings", {"enterprise_id": "E003", "liaison_id": "E004-1"}, "liaison_id"),
    ):
        if "1001" in path:
            await house.group_says("E003", "@小港 车间停电两小时")
        answer = await house.api("POST", path, body, status=422)
        assert not field or field in answer["error"]["fields"]
    await house.api("PATCH", "/enterprises/E003", {"short_name": None}, status=422)
    await house.api("PATCH", "/enterprises/E003", {"aliases": "泓"}, status=422)
    await house.api("PATCH", "/people/P041", {"name": ""}, status=422)
    await house.api("PATCH", "/people/P041", {"backup_person_id": "P999"}, status=422)


async def test_only_a_message_that_exists_is_sent_again_and_only_once(house: House) -> None:
    await house.api("POST", "/outbox/999/retry", {}, status=404)


async def test_who_goes_on_guessing_tokens_is_told_to_wait(house: House) -> None:
    for _ in range(100):
        await house.api("GET", "/tickets", token="wrong", status=401)
    answer = await house.api("GET", "/tickets", token="wrong", status=429)
    assert answer["error"]["code"] == "too_many"


async def test_the_sample_day_is_played_once_at_a_time(house: House) -> None:
    assert (await ask(house, "POST", "/sandbox/api/play"))[0] == 200
    status, answer = await ask(house, "POST", "/sandbox/api/play")
    assert (status, answer["error"]["code"]) == (409, "playing")


async def test_the_clock_says_a_guessed_calendar_only_where_it_is_one(house: House) -> None:
    _, now = await ask(house, "GET", "/sandbox/api/clock")
    assert now["calendar_note"] == ""
    body = json.dumps({"set": "2027-03-01T09:00:00+08:00"})
    _, later = await ask(house, "POST", "/sandbox/api/clock", body)
    assert later["calendar_note"] == "暂按常规工作日"


async def test_a_claim_for_another_version_is_stale_and_the_second_one_learns_the_name(
    house: House,
) -> None:
    await house.group_says("E003", "@小港 车间停电两小时")
    path = "/tickets/1001/moves"
    stale = {"move": "claim", "actor": "P041", "version": 99}
    assert (await house.api("POST", path, stale, status=409))["error"]["code"] == "stale_version"
    await house.api("POST", path, {"move": "claim", "actor": "P041", "version": 1})
    late = await house.api("POST", path, {"move": "claim", "actor": "P028"}, status=409)
    assert "联络员小周" in late["error"]["message"]
    await house.api("POST", path, {"move": "recount", "actor": "system"}, status=422)
    raised = await house.api("POST", path, {"move": "escalate", "actor": "P041"})
    assert raised["level"] == 1
