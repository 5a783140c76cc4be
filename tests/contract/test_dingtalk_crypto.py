"""Every vector of the shared set behaves; what the references accept too easily we refuse."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from multidict import CIMultiDict

from bot.client import Client
from bot.envelope import Envelope
from bot.platform import Decoded, RawRequest, Rejected
from bot.platforms.dingtalk import DingTalk, api, codec
from bot.platforms.dingtalk.crypto import card_secret, card_sign, robot_sign

WHOLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "payloads" / "dingtalk_crypto.json").read_text(encoding="utf-8")
)
VECTORS: list[dict[str, Any]] = WHOLE["vectors"]
HOOKS = {"robot_http": "", "card_http": "card", "event_aes": "event"}
OWNER = "dingo5k0a8uci0qrhsbh"
TOKEN, KEY = "hUOuZAzHx4LP4AzU", "dIG1OHqttidvRzFRYToraZB3DO7GWIQtUlmOS6ECJSR"
# What the samples tell beside messages and clicks.
UNSUPPORTED = {"dt-pub-p08": "user_modify_org"}
NOW = 1795334400.0


def ids(vector: dict[str, Any]) -> str:
    return str(vector["id"])


def of(scheme: str, expected: str) -> list[dict[str, Any]]:
    return [v for v in VECTORS if v["scheme"] == scheme and v["expect"] == expected]


def platform(vector: dict[str, Any]) -> DingTalk:
    secret, owner = vector.get("app_secret", "secret"), vector.get("owner_key", OWNER)
    client = Client()
    base = "https://api.dingtalk.com"
    calls = api.Api(client, base, base, owner, secret, owner, "t.schema", "HTTP", "lhg")
    envelope = Envelope(vector.get("token", TOKEN), vector.get("aes_key", KEY), owner)
    return DingTalk(
        codec.Me(("小港",), owner),
        secret,
        vector.get("api_secret") or card_secret(secret),
        envelope,
        calls,
        client,
        lambda dingtalk: None,
        "",
        True,
    )


def decoded(vector: dict[str, Any], later: float = 0.0, **changed: Any) -> Decoded:
    headers = CIMultiDict(changed.pop("headers", vector.get("headers", {})))
    query = vector.get("query", {})
    body = changed.pop("body", vector["body"]).encode()
    wall = vector.get("now_ms", NOW * 1000) / 1000 + later
    request = RawRequest("POST", HOOKS[vector["scheme"]], query, headers, body, wall)
    return platform(vector).decode(request)


@pytest.mark.parametrize("vector", of("robot_http", "accept"), ids=ids)
def test_a_true_message_is_heard(vector: dict[str, Any]) -> None:
    heard = decoded(vector)
    assert [e.event_id for e in heard.events] == [json.loads(vector["body"])["msgId"]]
    # It is brought once only, so nothing may make the platform give up.
    assert (heard.ack.status, heard.ack.body, heard.late) == (200, b"", heard.ack)


@pytest.mark.parametrize("vector", of("card_http", "accept"), ids=ids)
def test_a_true_click_is_heard(vector: dict[str, Any]) -> None:
    (event,) = decoded(vector).events
    assert event.press is not None
    assert (event.press.action, event.press.card_ref) == ("ticket.claim", "lhg-tk-000123")
    assert event.press.args["v"] == "3"


@pytest.mark.parametrize("vector", of("event_aes", "accept"), ids=ids)
def test_a_true_event_opens_and_is_acknowledged_with_the_sealed_word(
    vector: dict[str, Any],
) -> None:
    opened = decoded(vector)
    assert opened.unsupported == UNSUPPORTED.get(vector["id"], "")
    is_check = json.loads(vector["plaintext"])["EventType"] == "check_url"
    assert len(opened.events) == (0 if is_check or opened.unsupported else 1)
    answer = json.loads(opened.ack.body)
    assert set(answer) == {"msg_signature", "timeStamp", "nonce", "encrypt"}
    envelope = Envelope(vector["token"], vector["aes_key"], vector["owner_key"])
    parts = answer["msg_signature"], answer["timeStamp"], answer["nonce"], answer["encrypt"]
    assert envelope.open(*parts) == b"success"


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["expect"] == "reject"], ids=ids)
def test_a_false_request_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as error:
        decoded(vector)
    assert error.value.status in (400, 403)
    assert (
        error.value.reason
        in {
            "signature_mismatch": {"signature"},
            "signature_header_missing": {"signature"},
            "timestamp_out_of_window": {"too_old"},
            "owner_key_mismatch": {"receive_id"},
            "decrypt_failed": {"base64", "decrypt", "padding", "length", "receive_id"},
        }[vector["reason"]]
    )


@pytest.mark.parametrize("vector", of("custom_webhook_url", "accept"), ids=ids)
def test_a_custom_robots_sign_is_the_vendors(vector: dict[str, Any]) -> None:
    made = robot_sign(vector["secret"], vector["timestamp"])
    assert made == vector["expected_sign_raw"]
    assert quote(made, safe="") == vector["expected_sign_urlencoded"]


def test_the_sealed_answer_of_the_sample_opens() -> None:
    sample = WHOLE["reply_sample"]
    envelope = Envelope(sample["token"], sample["aes_key"], sample["owner_key"])
    reply = sample["example_reply"]
    opened = envelope.open(
        reply["msg_signature"], reply["timeStamp"], reply["nonce"], reply["encrypt"]
    )
    assert opened.decode() == sample["plaintext"]


@pytest.mark.parametrize("vector", [*of("robot_http", "accept"), *of("card_http", "accept")])
@pytest.mark.parametrize("later", [-7300.0, 7300.0])
def test_what_is_over_an_hour_away_is_refused(vector: dict[str, Any], later: float) -> None:
    with pytest.raises(Rejected) as error:
        decoded(vector, later)
    assert error.value.reason == "too_old"


@pytest.mark.parametrize(
    "stamp", ["", "x", "１７９５３３４４０００００", "9" * 40, "-1795334400000"]
)
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    message, click = of("robot_http", "accept")[0], of("card_http", "accept")[0]
    headers = {"timestamp": stamp, "sign": robot_sign(message["app_secret"], stamp)}
    with pytest.raises(Rejected):
        decoded(message, headers=headers)
    headers = {
        "x-ddpaas-signature-timestamp": stamp,
        "x-ddpaas-signature": card_sign(click["api_secret"], stamp),
    }
    with pytest.raises(Rejected):
        decoded(click, headers=headers)


def test_a_message_of_another_robot_is_refused_though_its_sign_holds() -> None:
    vector = of("robot_http", "accept")[0]
    body = vector["body"].replace(OWNER, "dinganother")
    with pytest.raises(Rejected) as error:
        decoded(vector, body=body)
    assert error.value.reason == "robot_code"


def test_a_body_above_64_kilobytes_is_refused_unread() -> None:
    for vector in (of("robot_http", "accept")[0], of("event_aes", "accept")[0]):
        with pytest.raises(Rejected) as error:
            decoded(vector, body="[" * (64 * 1024 + 1))
        assert (error.value.status, error.value.reason) == (413, "too_large")


def test_the_same_click_twice_is_one_and_a_second_press_another() -> None:
    vector = of("card_http", "accept")[0]
    (first,), (again,) = decoded(vector).events, decoded(vector).events
    assert first.event_id == again.event_id
    headers = {
        "x-ddpaas-signature-timestamp": "1795334399701",
        "x-ddpaas-signature": card_sign(vector["api_secret"], "1795334399701"),
    }
    (second,) = decoded(vector, headers=headers).events
    assert second.event_id != first.event_id


def test_the_secret_of_cards_is_another_than_the_applications() -> None:
    assert card_secret("a") not in ("a", card_secret("b"))


def test_every_vector_is_used() -> None:
    assert len(VECTORS) == WHOLE["count"] == 20
    kinds = {(v["scheme"], v["expect"]) for v in VECTORS}
    assert sum(len(of(*kind)) for kind in kinds) == len(VECTORS)
    assert {scheme for scheme, _ in kinds} == {*HOOKS, "custom_webhook_url"}
