"""What every address keeps that a platform brings things to: verified first, known again, in time."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot import registry
from bot.platform import Platform, RawRequest, Rejected
from handlers.chat.events import InboundEvent, from_plain, to_plain
from tests.contract.test_platforms import ALL, HOSTILE
from tests.kit.far_ends import Hook, hooks
from tests.kit.platforms import platforms

AT = 1795334400.0
TEXT = "@小港 车间缺操作工20人"
WHERE = hooks()


def platform_of(hook: Hook) -> Platform:
    return platforms({**hook.settings, "LHG_SANDBOX": "0"})[hook.platform]


@pytest.fixture(params=list(WHERE))
def hook(request: pytest.FixtureRequest) -> Hook:
    return WHERE[request.param]


def decoded(hook: Hook, request: RawRequest) -> tuple[InboundEvent, ...]:
    return platform_of(hook).decode(request).events


def refusal(hook: Hook, request: RawRequest) -> Rejected:
    with pytest.raises(Rejected) as error:
        platform_of(hook).decode(request)
    return error.value


def spoiled(request: RawRequest, missing: bool = True) -> Iterator[RawRequest]:
    """Each thing that the signature stands on changed, cut and, with `missing`, left out."""
    for part in ("query", "headers"):
        signs = dict(getattr(request, part))
        for key, value in signs.items():
            rest = {k: v for k, v in signs.items() if k != key}
            changed = ({key: value[:-1]}, {key: value + "0"}, {key: "\ud83d"})
            gone: tuple[dict[str, str], ...] = ({}, {key: ""}) if missing else ()
            for other in (*changed, *gone):
                yield replace(request, **{part: {**rest, **other}})


def test_every_address_of_every_platform_is_looked_at_here() -> None:
    on = platforms(ALL)
    assert set(on) == set(registry.platforms())
    known = {f"{name}/{hook}".rstrip("/") for name, p in on.items() for hook in p.hooks}
    assert {path for path in known if not path.startswith("sandbox")} == set(WHERE)


def test_what_is_brought_twice_is_the_same_event(hook: Hook) -> None:
    request = hook.seal(hook.inside, AT)
    (once,), (again,) = decoded(hook, request), decoded(hook, request)
    assert once == again
    assert once.event_id


@pytest.mark.parametrize("path", [path for path, hook in WHERE.items() if hook.says])
def test_a_message_signed_anew_is_the_same_message(path: str) -> None:
    hook = WHERE[path]
    assert hook.says is not None
    (once,) = decoded(hook, hook.seal(hook.says(TEXT), AT))
    (again,) = decoded(hook, hook.seal(hook.says(TEXT), AT + 5.0))
    assert once.event_id == again.event_id
    assert "车间缺操作工20人" in once.text


def test_nothing_passes_that_was_signed_in_another_way(hook: Hook) -> None:
    request = hook.seal(hook.inside, AT)
    for other in spoiled(request):
        assert refusal(hook, other).status in (400, 403)


def test_a_false_signature_is_told_before_what_is_inside_is_looked_at(hook: Hook) -> None:
    request = hook.seal(b"\xff{ no document", AT)
    assert refusal(hook, request).status in (400, 422)
    # One platform checks an address without signing it; there is nothing to tell apart then.
    for other in spoiled(request, missing=False):
        assert (refusal(hook, other).status, refusal(hook, other).reason) == (403, "signature")


def test_a_changed_body_is_refused_or_says_the_same(hook: Hook) -> None:
    # DingTalk signs neither messages nor clicks: a changed body cannot be told there.
    if not hook.covers:
        pytest.skip("the platform signs the time alone")
    request = hook.seal(hook.inside, AT)
    expected = decoded(hook, request)
    for place in range(0, len(request.body), 7):
        body = bytearray(request.body)
        body[place] ^= 1
        with contextlib.suppress(Rejected):
            assert decoded(hook, replace(request, body=bytes(body))) == expected


def test_an_old_signature_is_refused(hook: Hook) -> None:
    request = replace(hook.seal(hook.inside, AT), wall=AT + 24 * 3600.0)
    if not hook.ages:
        assert len(decoded(hook, request)) == 1
        return
    assert (refusal(hook, request).status, refusal(hook, request).reason) == (403, "too_old")


def test_a_kind_that_nobody_knows_is_acknowledged_and_named(hook: Hook) -> None:
    found = platform_of(hook).decode(hook.seal(hook.strange, AT))
    assert found.events == ()
    assert found.unsupported
    assert found.ack.status == 200


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", [path for path, hook in WHERE.items() if hook.says])
def test_hostile_text_comes_in_whole_and_can_be_kept(path: str, text: str) -> None:
    hook = WHERE[path]
    assert hook.says is not None
    (event,) = decoded(hook, hook.seal(hook.says(text + "完"), AT))
    assert event.text.endswith("完")
    assert "\u0000" not in event.text
    event.text.encode()
    assert from_plain(json.loads(json.dumps(to_plain(event)))) == event


def test_the_answer_is_ready_well_before_the_platform_gives_up(hook: Hook) -> None:
    assert platform_of(hook).can.budget_seconds <= hook.deadline * 0.8
