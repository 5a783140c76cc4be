"""What an answer of DingTalk means: taken, refused, to be tried again, or nobody knows."""

from typing import Any, Final

from bot.client import Answer, retry_after
from bot.platform import Expired, Permanent, SendError, Transient, Unsure
from bot.platforms.dingtalk import errors
from bot.trouble import Do

_FINE: Final = frozenset({"", "0", "200", "ok", "OK", "None"})
_REDIRECTED: Final = "redirected"
# Concerns whatever this machine says, not one robot.
OF_ADDRESS: Final = "ip_limit"


class Refused(Permanent):
    """It will never be taken."""


class Unset(Transient):
    """Somebody must set it right; until then nothing is given up."""


def check(answer: Answer, repeatable: bool = False) -> dict[str, Any]:
    """What the answer says where it was taken; HTTP 200 says nothing. Raises a SendError."""
    plain = answer.plain_or_none()
    known = plain if isinstance(plain, dict) else {}
    # A token and a secret go nowhere but where the office told us.
    code = _REDIRECTED if 300 <= answer.status < 400 else _code(known)
    if not code and (answer.body.lstrip()[:1] == b"<" or "punish" in known):
        # The limiter of addresses answers with a page of its own, a broken gateway with another.
        code = OF_ADDRESS if answer.status < 500 else str(answer.status)
    if not code and answer.status >= 400:
        code = str(answer.status)
    if code:
        raise _refusal(code, answer, repeatable)
    if not isinstance(plain, dict):
        raise Unsure("not_json", repeatable)
    if known.get("success") is False:
        raise Refused("not_accepted")
    return known


def check_old(answer: Answer) -> None:
    """As `check`, of the old interface: an answer without its number promises nothing."""
    if "errcode" not in check(answer):
        raise Unsure("no_receipt")


def _code(plain: dict[str, Any]) -> str:
    """The new interface's name or the old one's number; empty where all is well."""
    number = str(plain.get("errcode", ""))
    if number == "88" and plain.get("sub_code"):
        number = str(plain["sub_code"])
    for code in (number, str(plain.get("code", ""))):
        if code not in _FINE:
            return code[:100]
    return ""


def _refusal(code: str, answer: Answer, repeatable: bool) -> SendError:
    trouble = errors.trouble(code)
    if trouble is None:
        if answer.status >= 500:
            return Transient(code)
        return Refused(code)
    if trouble.do is Do.REFRESH:
        return Expired(code)
    if trouble.do is Do.UNSURE:
        return Unsure(code, repeatable)
    if trouble.do is Do.WAIT:
        return Transient(code, retry_after(answer.headers) or trouble.seconds)
    if trouble.do is Do.FIX:
        return Unset(code, trouble.seconds)
    return Refused(code)
