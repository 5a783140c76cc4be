"""HTTP 200 from somebody who is not the platform, and tokens that are none."""

from typing import Any

import pytest

from bot.client import Client
from bot.platform import SendError, Unsure
from bot.platforms.feishu.api import Api
from bot.platforms.wecom.api import AppApi, check


@pytest.mark.parametrize("answer", [None, [], {}, "ok", {"message": "gateway"}, {"errcode": "0"}])
def test_an_answer_without_errcode_leaves_open_what_became_of_the_message(answer: Any) -> None:
    for repeatable in (False, True):
        with pytest.raises(Unsure) as error:
            check(answer, repeatable)
        assert error.value.repeatable is repeatable


class Lying(Client):
    """Says yes and gives nothing."""

    async def send(self, *args: Any, **more: Any) -> Any:
        return {"errcode": 0, "errmsg": "ok"}

    async def exchange(self, *args: Any, **more: Any) -> Any:
        from bot.client import Answer

        return Answer(200, {}, b'{"code": 0, "msg": "ok"}')


async def test_a_token_answer_without_a_token_is_tried_again_and_breaks_nothing() -> None:
    wecom = AppApi(Lying(), "http://127.0.0.1:9", "ww1", "s", 1, "")
    feishu = Api(Lying(), "http://127.0.0.1:9", "cli_1", "s")
    for asking in (wecom.agent(), feishu.open_id()):
        with pytest.raises(SendError) as error:
            await asking
        assert isinstance(error.value, Unsure)
        assert error.value.repeatable
