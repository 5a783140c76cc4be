"""Every vector of the shared set behaves; what the references accept too easily we refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.envelope import BadEnvelope, Envelope

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "payloads" / "wecom_crypto.json").read_text(encoding="utf-8")
)["vectors"]


def ids(vector: dict[str, Any]) -> str:
    return str(vector["id"])


def opened(vector: dict[str, Any]) -> bytes:
    envelope = Envelope(vector["token"], vector["encoding_aes_key"], vector["receive_id"])
    return envelope.open(
        vector["msg_signature"], vector["timestamp"], vector["nonce"], vector["encrypt"]
    )


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "positive"], ids=ids)
def test_a_true_envelope_opens_and_is_sealed_byte_for_byte(vector: dict[str, Any]) -> None:
    import hashlib

    inside = opened(vector)
    assert hashlib.sha256(inside).hexdigest() == vector["plaintext_sha256"]
    if vector.get("random16"):
        envelope = Envelope(vector["token"], vector["encoding_aes_key"], vector["receive_id"])
        assert envelope.seal(inside, vector["random16"].encode()) == vector["encrypt"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "negative"], ids=ids)
def test_a_false_envelope_stops_at_the_named_check(vector: dict[str, Any]) -> None:
    with pytest.raises(BadEnvelope) as error:
        opened(vector)
    assert error.value.stage in vector["expect_error_any"]


def test_every_vector_is_used() -> None:
    assert {v["kind"] for v in VECTORS} == {"positive", "negative"}
    assert len(VECTORS) == 12
