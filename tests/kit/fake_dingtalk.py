"""A strict DingTalk on loopback: it checks what we send against the reference and keeps it."""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from bot.platforms.dingtalk.crypto import robot_sign
from tests.kit.strict import Vendor

CLIENT_ID, SECRET, ROBOT = "dingcanary0app", "canary-app-secret", "dingcanary0app"
CORP = "dingcanary0corp"
ROBOT_SECRET = "SECcanary0robot"
TEMPLATE = "0f0e0d0c-0000-4000-8000-00000000cafe.schema"
VENDOR_TEMPLATE = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
ROUTE = "lhg"
_MSG_PARAM_BYTES = 15_000
_VALUE_BYTES, _KEY_BYTES = 1024, 100
_MEDIA_BYTES = 20 * 1024 * 1024
_LIMITER_PAGE = "<!DOCTYPE html><html><body>punish?x5secdata=xf</body></html>"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MESSAGES = {
    "sampleText": _words("content"),
    "sampleMarkdown": _words("title text"),
}
# What names a file that was brought, and by which field.
_FILE_MESSAGES = {
    "sampleFile": (_words("mediaId fileName fileType"), "file", "mediaId"),
    "sampleImageMsg": (_words("photoURL"), "image", "photoURL"),
}
_BROUGHT = {
    "image": _words("jpg gif png bmp"),
    "file": _words("doc docx xls xlsx ppt pptx zip pdf rar"),
}
_FILE_TYPES = _words("xlsx pdf zip rar doc docx")
_PICTURES = {"jpg": b"\xff\xd8\xff", "gif": b"GIF8", "png": b"\x89PNG", "bmp": b"BM"}
_OLD_MESSAGES = {"text": _words("content"), "markdown": _words("title text")}
_VENDOR_VARIABLES = _words("title markdown tips sys_full_json_obj")
_VENDOR_BUTTON = _words("text color id request params url")
_COLOURS = _words("blue gray")
OWN_VARIABLES = _words(
    "title status tone body tips said href choice prompt options "
    "btn1 btn1_style btn1_do btn1_url btn2 btn2_style btn2_do btn2_url "
    "btn3 btn3_style btn3_do btn3_url btn4 btn4_style btn4_do btn4_url"
)
_SPACE_MODEL = _words("supportForward lastMessageI18n searchSupport notification")
_TONES = _words("info good warn urgent quiet")
_STYLES = _words("main plain danger")


class Refused(AssertionError):
    """A request that the real DingTalk would not take; `code` is what it answers."""

    def __init__(self, why: str, code: str = "invalidParameter.param.invalid") -> None:
        super().__init__(why)
        self.code = code


def _need(fine: bool, why: str, code: str = "invalidParameter.param.invalid") -> None:
    if not fine:
        raise Refused(why, code)


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def check_file(kind: str, name: str, body: bytes) -> None:
    """What is taken as a picture or a file; raises Refused with the old interface's number."""
    _need(kind in _BROUGHT, f"type {kind}", "40004")
    _need(0 < len(body) <= _MEDIA_BYTES, f"{kind} of {len(body)} bytes", "40006")
    _need(_ending(name) in _BROUGHT[kind] and "%" not in name, f"{kind} {name}", "40005")
    sign = _PICTURES.get(_ending(name), b"")
    _need(body.startswith(sign), f"{name} is something else", "40005")


def check_variables(values: Mapping[str, Any], template: str = TEMPLATE) -> None:
    """The variables of a card: known, all texts, each within 1 KB; raises Refused."""
    for key, value in values.items():
        _need(isinstance(value, str), f"{key} is no text", "param.invalid")
        _need(len(key.encode()) <= _KEY_BYTES, f"name {key}", "param.invalid")
        _need(len(value.encode()) <= _VALUE_BYTES, f"{key} over 1 KB", "param.invalid")
    if template == VENDOR_TEMPLATE:
        _check_vendor(values)
    else:
        _check_own(values)


def _check_vendor(values: Mapping[str, str]) -> None:
    _need(set(values) == _VENDOR_VARIABLES, f"variables {set(values) ^ _VENDOR_VARIABLES}")
    _need(bool(values["title"] and values["markdown"]), "title or text")
    more = json.loads(values["sys_full_json_obj"])
    _need(set(more) == {"msgButtons"} and len(more["msgButtons"]) <= 4, "buttons")
    for button in more["msgButtons"]:
        _need(not set(button) - _VENDOR_BUTTON, f"button {set(button)}")
        _need(bool(button["text"]) and button["color"] in _COLOURS, "button")
        if "url" in button:
            _need(button["url"].startswith(("https://", "http://")), "url")
        else:
            _need(button["request"] is True and bool(button["params"]["do"]), "request")
            _need(all(isinstance(v, str) for v in button["params"].values()), "params")


def _check_own(values: Mapping[str, str]) -> None:
    _need(not set(values) ^ OWN_VARIABLES, f"variables {set(values) ^ OWN_VARIABLES}")
    _need(bool(values["title"]) and values["tone"] in _TONES, "title or tone")
    _need(values["choice"] in ("", "one", "many"), "choice")
    if values["choice"]:
        options = json.loads(values["options"])
        _need(all(set(o) == {"value", "text"} for o in options), "options")
    empty = False
    for number in range(1, 5):
        label, style, done, url = (values[f"btn{number}{x}"] for x in ("", "_style", "_do", "_url"))
        _need(not (label and empty), "a gap between buttons")
        empty = not label
        _need(bool(done) != bool(url) if label else not (style or done or url), f"btn{number}")
        _need(not label or style in _STYLES, "style")
        _need(not url or url.startswith(("https://", "http://")), "url")


def said(message: Mapping[str, Any]) -> str:
    """The words of a message as it was taken; of a card all its words."""
    if message["card"] is None:
        return str(message["text"])
    card = message["card"]
    shown = ("title", "status", "body", "markdown", "tips")
    return "\n".join([card[k] for k in shown if card.get(k)] + labels(card))


def labels(card: Mapping[str, str]) -> list[str]:
    """The buttons of a card in their order."""
    return [label for label, _ in buttons(card)]


def buttons(card: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Label and what a press brings back: actionIds and params, as the platform sends them."""
    if "sys_full_json_obj" in card:
        return [
            (b["text"], {"actionIds": [b.get("id", "")], "params": dict(b.get("params", {}))})
            for b in json.loads(card["sys_full_json_obj"])["msgButtons"]
        ]
    return [
        (
            card[f"btn{n}"],
            {"actionIds": [f"btn{n}"], "params": {"do": card[f"btn{n}_do"]}},
        )
        for n in range(1, 5)
        if card[f"btn{n}"]
    ]


class FakeDingTalk(Vendor):
    """`faults` name what the next calls meet; `refusals` what every call for a receiver meets.

    expired, throttled (403), throttled_old (429), page (the limiter's HTML), month, busy (500 with a
    code), broken (502), moved (307), slow (504), lie (HTTP 200 with a code), denied (403), half
    (taken, but the connection breaks before the answer). Of a session or robot: too_fast.
    """

    def __init__(self, per_second: int = 20) -> None:
        super().__init__(SECRET, 21)
        self.messages: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.dings: list[dict[str, Any]] = []
        self.registered: list[dict[str, Any]] = []
        self.robot_said: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        # What was brought, by its media_id: kind, name, bytes; and which are known no more.
        self.brought: dict[str, tuple[str, str, bytes]] = {}
        self.over: set[str] = set()
        # What the next bringings meet: a fault, or a number.
        self.bring_faults: deque[str] = deque()
        # Seconds before it is answered what became of a file.
        self.bring_wait = 0.0
        # Whether what was brought is given no name.
        self.unnamed = False
        self.refusals: dict[str, str] = {}
        # Of single messages: by receiver, in which list he comes back.
        self.lists: dict[str, str] = {}
        # What every card for a receiver meets.
        self.card_refusals: dict[str, str] = {}
        self.ding_code = ""
        # Seconds before it is answered what became of a ring, and of a card that is taken.
        self.ding_wait = 0.0
        self.card_wait = 0.0
        self.not_delivered = False
        # Whether a recall is answered without naming anything.
        self.vague = False
        self.templates = {TEMPLATE, VENDOR_TEMPLATE}
        self.sessions: dict[str, str] = {}
        self.session_code = 0
        # So many messages does a reply address take.
        self.session_most = 1000
        self.robot_code = 0
        self.gone: set[str] = set()
        self.update_answer: dict[str, Any] = {"success": True, "result": True}
        self.repeats = 0
        # Whether any call left its connection open for the next.
        self.kept = False
        # How often somebody came where a redirect led.
        self.strayed = 0
        self.silent_until = 0.0
        self.download_url = ""
        self._per_second = per_second
        post = self.app.router.add_post
        post("/v1.0/oauth2/accessToken", self._give_token)
        post("/v1.0/robot/groupMessages/send", self._group)
        post("/v1.0/robot/oToMessages/batchSend", self._single)
        post("/v1.0/robot/groupMessages/recall", self._recall_group)
        post("/v1.0/robot/otoMessages/batchRecall", self._recall_single)
        post("/v1.0/robot/groupMessages/query", self._query)
        post("/v1.0/robot/ding/send", self._ding)
        post("/v1.0/robot/messageFiles/download", self._download)
        post("/v1.0/card/instances/createAndDeliver", self._create)
        post("/v1.0/card/callbacks/register", self._register)
        self.app.router.add_put("/v1.0/card/instances", self._update)
        post("/media/upload", self._brought)
        post("/robot/sendBySession", self._session)
        post("/robot/send", self._robot)
        self.app.router.add_get("/files/{code}", self._file)
        self.app.router.add_route("*", "/elsewhere", self._elsewhere)

    # ---- what was taken

    def to(self, receiver: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["to"] == receiver]

    def words(self, receiver: str = "") -> list[str]:
        """What every message says, in order; of a card all its words."""
        return [said(one) for one in (self.to(receiver) if receiver else self.messages)]

    def session(self, chat: str) -> str:
        """A reply address for a chat, as an incoming message carries it."""
        key = f"canary-session-{len(self.sessions) + 1}"
        self.sessions[key] = chat
        return f"{self.base}/robot/sendBySession?session={key}"

    def robot(self, name: str = "one") -> str:
        """The address of a group's custom robot with its secret, as the office keeps it."""
        return f"{self.base}/robot/send?access_token=canary-robot-{name}#{ROBOT_SECRET}"

    # ---- answers

    def _no(self, code: str, status: int = 400) -> web.Response:
        plain = {"code": code, "message": "no", "requestid": "0-0-0"}
        return web.json_response(plain, status=status)

    def _old_no(self, code: str) -> web.Response:
        return web.json_response({"errcode": int(code), "errmsg": "no"})

    def _wrong(self, error: Exception) -> web.Response:
        self.refused.append(f"{type(error).__name__}: {error}")
        return self._no(error.code if isinstance(error, Refused) else "invalidParameter")

    async def _before(self, request: web.Request) -> web.Response | None:
        """The fault that is due, then the token and the rate."""
        self.kept |= request.keep_alive
        fault = self._next_fault()
        if fault == "throttled":
            return self._no("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403)
        elif fault == "throttled_old":
            return web.Response(status=429, headers={"Retry-After": "2"})
        elif fault == "page":
            return web.Response(text=_LIMITER_PAGE, content_type="text/html")
        elif fault == "month":
            return self._no("Forbidden.AccessDenied.ApiCountLimitForOrg", 403)
        elif fault == "busy":
            return self._no("system.busy", 500)
        elif fault == "broken":
            return web.Response(status=502, text="<html>bad gateway</html>")
        elif fault == "slow":
            await asyncio.sleep(0.05)
            return web.Response(status=504, text="<html>gateway time-out</html>")
        elif fault == "moved":
            return web.Response(status=307, headers={"Location": f"{self.base}/elsewhere"})
        elif fault == "lie":
            return self._no("invalidParameter.msgParam.invalid", 200)
        elif fault == "denied":
            return self._no("Forbidden.AccessDenied.AccessTokenPermissionDenied", 403)
        elif fault:
            raise AssertionError(fault)
        given = request.headers.get("x-acs-dingtalk-access-token", "")
        if request.path == "/media/upload":
            if not self._token or request.query.get("access_token") != self._token:
                return self._old_no("40014")
        elif not given:
            return self._no("AuthenticationFailed.MissingParameter", 400)
        elif not self._token or given != self._token:
            return self._no("InvalidAuthentication", 400)
        if self._is_too_fast(request.path, self._per_second, 1.0):
            self.overrun += 1
            return self._no("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403)
        return None

    async def _elsewhere(self, request: web.Request) -> web.Response:
        self.strayed += 1
        return web.json_response({"processQueryKey": "astray"})

    async def _half(self, request: web.Request, plain: dict[str, Any]) -> web.Response:
        """The answer, unless it is to be lost."""
        return web.Response() if self._is_lost(request) else web.json_response(plain)

    async def _give_token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if set(body) != {"appKey", "appSecret"} or body["appKey"] != CLIENT_ID:
            return self._no("invalidClientIdOrSecret", 400)
        if body["appSecret"] != self.secret:
            return self._no("invalidClientIdOrSecret", 400)
        # Repeated within its life the same one comes back.
        if not self._token:
            self._fresh_token()
        return web.json_response({"accessToken": self._token, "expireIn": self.life})

    # ---- messages

    def _checked(self, raw: bytes, more: str) -> tuple[dict[str, Any], dict[str, Any]]:
        body = json.loads(raw)
        known = {"robotCode", "msgKey", "msgParam", more}
        _need(set(body) == known, f"fields {set(body) ^ known}")
        _need(body["robotCode"] == ROBOT, "robotCode", "invalidParameter.robotCode.notExsit")
        file = _FILE_MESSAGES.get(body["msgKey"])
        fields = file[0] if file else _MESSAGES.get(body["msgKey"])
        if fields is None:
            raise Refused(body["msgKey"], "invalidParameter.msgKey.invalid")
        _need(isinstance(body["msgParam"], str), "msgParam", "invalidParameter.msgParam.invalid")
        _need(
            len(body["msgParam"].encode()) <= _MSG_PARAM_BYTES,
            "msgParam too long",
            "invalidParameter.msgParam.tooLong",
        )
        param = json.loads(body["msgParam"])
        _need(set(param) == fields, f"msgParam {set(param)}", "invalidParameter.msgParam.invalid")
        _need(
            all(isinstance(v, str) and v.strip() for v in param.values()),
            "empty msgParam",
            "invalidParameter.msgParam.invalid",
        )
        if file:
            return body, {**self._file_shown(param, *file[1:]), "msg_key": body["msgKey"]}
        text = param.get("content") or param["text"]
        shown = {"text": text, "title": param.get("title", ""), "card": None}
        return body, {**shown, "msg_key": body["msgKey"], "at": [], "via": "api"}

    def _file_shown(self, param: dict[str, str], kind: str, field: str) -> dict[str, Any]:
        """A message that shows what was brought before."""
        known = self.brought.get(param[field])
        _need(known is not None and known[0] == kind, f"{kind} {param[field]}")
        name = param.get("fileName", "")
        _need(kind == "image" or param["fileType"] in _FILE_TYPES, f"fileType of {name}")
        _need(kind == "image" or _ending(name) == param["fileType"], f"fileType of {name}")
        shown = {"text": name, "title": "", "card": None, "at": [], "via": "api"}
        return shown | {"media": param[field]}

    def _is_over(self, shown: dict[str, Any]) -> bool:
        return shown.get("media") in self.over

    def _take(self, receiver: str, shown: dict[str, Any]) -> str:
        key = f"pqk{len(self.messages) + 1:05d}="
        self.messages.append({"key": key, "to": receiver, "track": "", **shown})
        return key

    async def _group(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        try:
            body, shown = self._checked(await request.read(), "openConversationId")
            chat = body["openConversationId"]
            _need(chat.startswith("cid"), f"group {chat}", "invalid.openConversationId")
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        if chat in self.refusals:
            return self._no(self.refusals[chat])
        if self._is_over(shown):
            return self._no("invalidParameter.msgParam.invalid")
        return await self._half(request, {"processQueryKey": self._take(chat, shown)})

    async def _single(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        try:
            body, shown = self._checked(await request.read(), "userIds")
            users = body["userIds"]
            _need(
                isinstance(users, list) and 1 <= len(users) <= 20 and len(set(users)) == len(users),
                "userIds",
                "invalidParameter.userIds.overMax",
            )
            _need(
                all(re.fullmatch(r"[0-9A-Za-z_.@-]+", u) for u in users),
                "userIds",
                "staffId.notExisted",
            )
        except (KeyError, ValueError, TypeError, Refused) as error:
            return self._wrong(error)
        if users[0] in self.refusals:
            return self._no(self.refusals[users[0]])
        if self._is_over(shown):
            return self._no("invalidParameter.msgParam.invalid")
        answer: dict[str, Any] = {
            "invalidStaffIdList": [],
            "flowControlledStaffIdList": [],
            "filteredStaffIdList": [],
        }
        key = ""
        for user in users:
            if name := self.lists.get(user):
                answer[name].append(user)
            else:
                key = self._take(user, shown)
        return await self._half(request, answer | {"processQueryKey": key or "pqk-nobody="})

    async def _recall_group(self, request: web.Request) -> web.StreamResponse:
        return await self._recall(request, {"robotCode", "processQueryKeys", "openConversationId"})

    async def _recall_single(self, request: web.Request) -> web.StreamResponse:
        return await self._recall(request, {"robotCode", "processQueryKeys"})

    async def _recall(self, request: web.Request, known: set[str]) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        keys = body.get("processQueryKeys")
        try:
            _need(set(body) == known and isinstance(keys, list), f"fields {set(body)}")
            _need(1 <= len(keys) <= 20 and all(keys), "processQueryKeys")
            _need(body["robotCode"] == ROBOT, "robotCode", "invalidParameter.robotCode.notExsit")
        except Refused as error:
            return self._wrong(error)
        chat = body.get("openConversationId", "")
        stand = {
            m["key"]
            for m in self.messages
            # What went by a reply address has no key that anybody was told.
            if m["via"] != "session" and (m["to"] == chat if chat else m["to"][:3] != "cid")
        }
        fine = [k for k in keys if k in stand - self.settled - set(self.recalled)]
        self.recalled += fine
        failed = {k: "recallFailed" for k in keys if k not in fine}
        said = {} if self.vague else {"successResult": fine, "failedResult": failed}
        return await self._half(request, said)

    async def _query(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        known = _words("robotCode openConversationId processQueryKey maxResults")
        if set(body) != known or body["robotCode"] != ROBOT or not 1 <= body["maxResults"] <= 200:
            return self._wrong(Refused("query"))
        key = body["processQueryKey"]
        if all(m["key"] != key for m in self.to(body["openConversationId"])):
            return self._no("invalid.processQueryKey")
        status = "RECALLED" if key in self.recalled else "SUCCESS"
        return web.json_response({"sendStatus": status, "readUserIds": [], "hasMore": False})

    async def _ding(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        try:
            _need(
                set(body) == {"robotCode", "remindType", "receiverUserIdList", "content"},
                f"fields {set(body)}",
            )
            _need(body["remindType"] in (1, 2, 3), "remindType")
            _need(1 <= len(body["receiverUserIdList"]) <= 200, "receivers")
            _need(bool(body["content"].strip()), "content")
        except Refused as error:
            return self._wrong(error)
        await asyncio.sleep(self.ding_wait)
        if self.ding_code:
            status = 403 if self.ding_code.startswith("Forbidden") else 400
            return self._no(self.ding_code, status)
        self.dings.append(body)
        return web.json_response({"openDingId": f"ding{len(self.dings)}", "failedList": {}})

    # ---- cards

    def _check_create(self, body: dict[str, Any]) -> str:
        group = body.get("openSpaceId", "").startswith("dtv1.card//IM_GROUP.cid")
        part = "imGroup" if group else "imRobot"
        known = _words("cardTemplateId outTrackId callbackType userIdType cardData openSpaceId")
        known |= {f"{part}OpenSpaceModel", f"{part}OpenDeliverModel"}
        if body.get("callbackType") == "HTTP":
            known |= {"callbackRouteKey"}
            _need(body.get("callbackRouteKey") == ROUTE, "route")
        _need(set(body) == known, f"fields {set(body) ^ known}")
        _need(body["callbackType"] in ("HTTP", "STREAM"), "callbackType")
        _need(body["userIdType"] in (1, 2), "userIdType")
        _need(
            group
            or re.fullmatch(r"dtv1\.card//IM_ROBOT\.[\w.@-]+", body["openSpaceId"]) is not None,
            body["openSpaceId"],
            "param.openSpaceIdInvalid",
        )
        track = body["outTrackId"]
        _need(re.fullmatch(r"[\w-]{1,64}", track) is not None, f"outTrackId {track}")
        space, deliver = body[f"{part}OpenSpaceModel"], body[f"{part}OpenDeliverModel"]
        _need(not set(space) - _SPACE_MODEL, "space", "param.openSpaceModelInvalid")
        _need(isinstance(space["supportForward"], bool), "supportForward")
        _need(set(space["lastMessageI18n"]) <= _words("ZH_CN ZH_TW EN_US JA_JP"), "language")
        allowed = {"robotCode", "atUserIds", "recipients"} if group else {"robotCode", "spaceType"}
        _need(not set(deliver) - allowed, "deliver", "param.openDeliverModelError")
        _need(deliver["robotCode"] == ROBOT, "robotCode", "param.openDeliverModelError")
        _need(group or deliver["spaceType"] == "IM_ROBOT", "spaceType")
        for user, name in deliver.get("atUserIds", {}).items():
            _need(user != "@ALL" and isinstance(name, str), "everybody is called")
        check_variables(body["cardData"]["cardParamMap"], body["cardTemplateId"])
        return str(body["openSpaceId"].partition(".card//")[2].partition(".")[2])

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        try:
            receiver = self._check_create(body)
        except (KeyError, ValueError, TypeError, Refused) as error:
            return self._wrong(error)
        if body["cardTemplateId"] not in self.templates:
            return self._no("param.templateUnpublished")
        refused = self.card_refusals.get(receiver) or self.refusals.get(receiver)
        if refused:
            return self._no(refused)
        track = body["outTrackId"]
        if any(m["track"] == track for m in self.messages):
            self.repeats += 1
            return self._no("param.cardAlreadyExist")
        space = "IM_GROUP" if "imGroupOpenSpaceModel" in body else "IM_ROBOT"
        result: dict[str, Any] = {"spaceType": space, "spaceId": receiver, "success": True}
        # To whom no message is given no card is either.
        if self.not_delivered or receiver in self.lists:
            result |= {"success": False, "errorMsg": "SYSTEM_ERROR"}
        else:
            deliver = body.get("imGroupOpenDeliverModel", {})
            shown = {
                "text": "",
                "title": "",
                "card": dict(body["cardData"]["cardParamMap"]),
                "msg_key": "card",
                "at": list(deliver.get("atUserIds", {})),
                "via": "card",
            }
            result["carrierId"] = self._take(receiver, shown)
            self.messages[-1]["track"] = track
        await asyncio.sleep(self.card_wait)
        answer = {"success": True, "result": {"outTrackId": track, "deliverResults": [result]}}
        return await self._half(request, answer)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        track = body.get("outTrackId")
        if track in self.gone:
            return self._no("param.cardNotExist")
        card = next((m for m in self.messages if m["track"] == track and m["track"]), None)
        try:
            _need(
                set(body) == _words("outTrackId cardData cardUpdateOptions userIdType"),
                f"fields {set(body)}",
            )
            _need(
                set(body["cardUpdateOptions"])
                == _words("updateCardDataByKey updatePrivateDataByKey"),
                "options",
            )
            if card is None:
                raise Refused(f"update of {track}", "param.cardNotExist")
            values = body["cardData"]["cardParamMap"]
            vendor = "sys_full_json_obj" in card["card"]
            check_variables(values, VENDOR_TEMPLATE if vendor else TEMPLATE)
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        card["card"] = dict(values)
        self.updates.append({"track": track, "card": dict(values)})
        return await self._half(request, self.update_answer)

    async def _register(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        if set(body) != _words("callbackRouteKey callbackUrl apiSecret forceUpdate"):
            return self._wrong(Refused("register"))
        self.registered.append(body)
        return web.json_response({"result": {"apiSecret": body["apiSecret"]}, "success": True})

    # ---- the old interface: reply addresses and custom robots

    def _check_old(self, body: dict[str, Any]) -> dict[str, Any]:
        kind = body["msgtype"]
        _need(kind in _OLD_MESSAGES and set(body) == {"msgtype", kind, "at"}, f"fields {set(body)}")
        _need(set(body[kind]) == _OLD_MESSAGES[kind], "message")
        _need(all(v.strip() for v in body[kind].values()), "empty")
        _need(len(json.dumps(body, ensure_ascii=False).encode()) <= 20_000, "too long")
        text = body[kind].get("content") or body[kind]["text"]
        at = body["at"]
        _need(set(at) <= _words("atUserIds atMobiles isAtAll"), "at")
        _need(at.get("isAtAll") is False, "everybody is called")
        for user in at["atUserIds"]:
            _need(f"@{user}" in text, f"@{user} is not in the text")
        return {
            "text": text,
            "title": body[kind].get("title", ""),
            "card": None,
            "msg_key": kind,
            "at": at["atUserIds"],
        }

    async def _session(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults and self.faults[0] == "too_fast" else ""
        chat = self.sessions.get(request.query.get("session", ""))
        if fault:
            return web.json_response({"errcode": 130101, "errmsg": "send too fast"})
        used = sum(m["via"] == "session" for m in self.messages) >= self.session_most
        if chat is None or used or self.session_code:
            return web.json_response({"errcode": self.session_code or 300001, "errmsg": "no"})
        try:
            shown = self._check_old(await request.json())
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        self._take(chat, shown | {"via": "session"})
        return await self._half(request, {"errcode": 0, "errmsg": "ok"})

    async def _robot(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("access_token", "")
        timestamp, sign = request.query.get("timestamp", ""), request.query.get("sign", "")
        if not token.startswith("canary-robot-"):
            return web.json_response({"errcode": 300001, "errmsg": "token is not exist"})
        if sign != robot_sign(ROBOT_SECRET, timestamp) or (
            abs(time.time() - int(timestamp) / 1000) > 3600
        ):
            return web.json_response({"errcode": 310000, "errmsg": "sign not match"})
        if self.robot_code:
            return web.json_response({"errcode": self.robot_code, "errmsg": "no"})
        if time.monotonic() < self.silent_until or self._is_too_fast(token, 20, 60.0):
            self.overrun += 1
            self.silent_until = time.monotonic() + 600.0
            plain = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}
            return web.json_response(plain | {"errcode": 130101, "errmsg": "send too fast"})
        try:
            shown = self._check_old(await request.json())
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        self.robot_said.append(shown)
        return await self._half(request, {"errcode": 0, "errmsg": "ok"})

    # ---- files

    async def _brought(self, request: web.Request) -> web.StreamResponse:
        """Somebody brings a file; read whole, so that a refusal finds its way back."""
        form = await request.post()
        if self.bring_faults and self.bring_faults[0].isdigit():
            self.calls += 1
            return self._old_no(self.bring_faults.popleft())
        if self.bring_faults:
            self.faults.appendleft(self.bring_faults.popleft())
        if (fault := await self._before(request)) is not None:
            return fault
        kind, media = request.query.get("type", ""), form.get("media")
        try:
            _need(set(request.query) == {"access_token", "type"}, "query", "40035")
            if not isinstance(media, FileField) or set(form) != {"media"}:
                raise Refused(f"fields {set(form)}", "43008")
            body = media.file.read()
            check_file(kind, media.filename, body)
        except Refused as error:
            self.refused.append(str(error))
            return self._old_no(error.code)
        media_id = f"@media{len(self.brought) + 1:04d}"
        self.brought[media_id] = kind, media.filename, body
        await asyncio.sleep(self.bring_wait)
        told = {"type": kind, "media_id": media_id, "created_at": int(time.time() * 1000)}
        if self.unnamed:
            del told["media_id"]
        return await self._half(request, {"errcode": 0, "errmsg": "ok", **told})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body = await request.json()
        if set(body) != {"downloadCode", "robotCode"} or body["robotCode"] != ROBOT:
            return self._wrong(Refused("download"))
        if body["downloadCode"] not in self.files:
            return self._no("invalidParameter.downloadCode")
        url = self.download_url or f"{self.base}/files/{body['downloadCode']}"
        return web.json_response({"downloadUrl": url})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        assert "x-acs-dingtalk-access-token" not in request.headers
        data = self.files.get(request.match_info["code"])
        return web.Response(status=403) if data is None else web.Response(body=data)
