"""Every vector of the shared set behaves; what the references accept too easily we refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from bot.platform import ConfigError, RawRequest, Rejected
from bot.platforms import feishu
from bot.platforms.feishu.crypto import Envelope, robot_sign
from tests.kit.feishu import APP_ID
from tests.kit.platforms import built

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "payloads" / "feishu_crypto.json").read_text(encoding="utf-8")
)["vectors"]
CALLBACKS = [v for v in VECTORS if v["kind"] not in ("decrypt_only", "custom_bot_sign")]
# Without an Encrypt Key nothing is signed: the bot does not start that way.
KEYLESS = {"fs-pub-p04", "fs-pub-p05", "fs-pub-n10"}
UNSUPPORTED = {"fs-pub-p08": "im.message.recalled_v1"}
HOUR = 3600.0


def ids(vector: dict[str, Any]) -> str:
    return str(vector["id"])


def platform(vector: dict[str, Any]) -> feishu.Feishu:
    values = {
        "FEISHU_APP_ID": APP_ID,
        "FEISHU_APP_SECRET": "secret",
        "FEISHU_VERIFICATION_TOKEN": vector["verification_token"],
        "FEISHU_ENCRYPT_KEY": vector["encrypt_key"],
    }
    made: feishu.Feishu = built("feishu", values)
    return made


def request(vector: dict[str, Any], later: float = 1.0) -> RawRequest:
    headers = CIMultiDict(vector["headers"])
    stamp = headers.get("X-Lark-Request-Timestamp", "1795334400")
    body = vector["body"].encode()
    return RawRequest("POST", "", {}, headers, body, float(stamp) + later)


def of(expected: str) -> list[dict[str, Any]]:
    return [v for v in CALLBACKS if v["expect"] == expected and v["id"] not in KEYLESS]


@pytest.mark.parametrize("vector", of("accept"), ids=ids)
def test_a_true_callback_opens(vector: dict[str, Any]) -> None:
    encrypted = json.loads(vector["body"])["encrypt"]
    assert Envelope(vector["encrypt_key"]).open(encrypted).decode() == vector["plaintext"]
    decoded = platform(vector).decode(request(vector))
    assert decoded.unsupported == UNSUPPORTED.get(vector["id"], "")
    assert len(decoded.events) == (0 if decoded.unsupported else 1)


@pytest.mark.parametrize("vector", of("challenge"), ids=ids)
def test_an_address_check_is_echoed(vector: dict[str, Any]) -> None:
    decoded = platform(vector).decode(request(vector))
    assert json.loads(decoded.ack.body) == vector["expected_response_json"]
    assert decoded.ack.content_type == "application/json"
    assert decoded.events == ()


@pytest.mark.parametrize("vector", of("reject"), ids=ids)
def test_a_false_callback_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as error:
        platform(vector).decode(request(vector))
    assert error.value.status in (400, 403)
    reason = {
        "signature_mismatch": {"signature"},
        "signature_header_missing": {"signature", "not_encrypted"},
        "verification_token_mismatch": {"token"},
        "decrypt_failed": {"base64", "decrypt", "padding", "not_json"},
    }[vector["reason"]]
    assert error.value.reason in reason


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["id"] in KEYLESS], ids=ids)
def test_without_an_encrypt_key_the_bot_does_not_start(vector: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        platform(vector)
    assert "FEISHU_ENCRYPT_KEY" in str(error.value)


def test_the_vendors_known_answer_opens() -> None:
    vector = next(v for v in VECTORS if v["kind"] == "decrypt_only")
    encrypted = json.loads(vector["body"])["encrypt"]
    assert Envelope(vector["encrypt_key"]).open(encrypted).decode() == vector["plaintext"]


def test_a_group_robots_sign_is_the_vendors() -> None:
    vector = next(v for v in VECTORS if v["kind"] == "custom_bot_sign")
    assert robot_sign(vector["secret"], vector["timestamp"]) == vector["expected_sign"]


def test_a_repeat_of_seven_hours_is_taken_and_one_of_nine_is_not() -> None:
    vector = of("accept")[0]
    assert platform(vector).decode(request(vector, 7.1 * HOUR)).events
    for late in (9 * HOUR, -9 * HOUR):
        with pytest.raises(Rejected) as error:
            platform(vector).decode(request(vector, late))
        assert error.value.reason == "too_old"


def test_a_callback_of_another_application_is_refused() -> None:
    vector = of("accept")[0]
    values = {
        "FEISHU_APP_ID": "cli_another",
        "FEISHU_APP_SECRET": "secret",
        "FEISHU_VERIFICATION_TOKEN": vector["verification_token"],
        "FEISHU_ENCRYPT_KEY": vector["encrypt_key"],
    }
    with pytest.raises(Rejected) as error:
        built("feishu", values).decode(request(vector))
    assert error.value.reason == "app_id"


def test_an_address_check_with_a_wrong_token_is_not_echoed() -> None:
    vector = of("challenge")[0]
    with pytest.raises(Rejected) as error:
        platform({**vector, "verification_token": "another"}).decode(request(vector))
    assert error.value.reason == "token"


def test_a_large_unsigned_body_is_refused_unread() -> None:
    vector = of("challenge")[0]
    large = {**vector, "body": '{"encrypt":"' + "A" * 5000 + '"}'}
    with pytest.raises(Rejected) as error:
        platform(vector).decode(request(large))
    assert error.value.reason == "signature"


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4000])
def test_what_is_sealed_opens_again(size: int) -> None:
    envelope = Envelope("key")
    message = b"x" * size
    assert envelope.open(envelope.seal(message)) == message


def test_every_vector_is_used() -> None:
    assert len(VECTORS) == 20
    used = [*of("accept"), *of("challenge"), *of("reject")]
    assert len(used) + len(KEYLESS) + 2 == len(VECTORS)
