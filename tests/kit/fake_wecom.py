"""A strict WeCom on loopback: it checks what we send against the reference and keeps it."""

import asyncio
import base64
import hashlib
import json
import re
import time
from collections import deque
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.kit.strict import Vendor

_MEGABYTE = 1024 * 1024
_FILE = re.compile(
    rb"--[^\r\n]+\r\n(?P<head>(?:[^\r\n]+\r\n)+)\r\n(?P<body>.*)\r\n--[^\r\n]+--\r\n", re.S
)
_NAMED = re.compile(rb'Content-Disposition: form-data; name="media"; filename="([^"]+)"')
_TASK = re.compile(r"^[0-9A-Za-z_@-]{1,128}$")


KF = "wkKx3TDgAAinvented"
INSIDE = "https://open.weixin.qq.com/connect/oauth2/authorize"
OUTSIDE = "https://login.work.weixin.qq.com/wwlogin/sso/login"


ENDLESS, HELD = "no end", "held"


def seal(body: bytes, aes_key: str) -> bytes:
    """As WeCom lays a file down for a bot: AES-256-CBC, padded to 32."""
    key = base64.b64decode(aes_key + "=" * (-len(aes_key) % 4))
    pad = 32 - len(body) % 32
    sealing = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return sealing.update(body + bytes([pad]) * pad) + sealing.finalize()


class Refused(AssertionError):
    """A request that the real WeCom would not take."""


def check_card(card: dict[str, Any], interactive: bool) -> None:
    """The limits of a template card; raises Refused."""
    kinds = {"text_notice", "button_interaction"}
    if card.get("card_type") not in kinds:
        raise Refused(f"card_type {card.get('card_type')}")
    if not _TASK.match(card.get("task_id", "")):
        raise Refused(f"task_id {card.get('task_id')}")
    title = card["main_title"]["title"]
    if not title or len(title) > 36 or len(card["main_title"].get("desc", "")) > 44:
        raise Refused("title")
    if len(card.get("sub_title_text", "")) > 160 or len(card["source"]["desc"]) > 20:
        raise Refused("texts")
    rows = card.get("horizontal_content_list", [])
    if len(rows) > 6 or any(len(r["keyname"]) > 5 or len(r["value"]) > 26 for r in rows):
        raise Refused("rows")
    if card["card_type"] == "text_notice":
        if card.get("card_action", {}).get("type") not in (1, 2):
            raise Refused("42045 card_action")
        return
    buttons = card.get("button_list", [])
    if not 1 <= len(buttons) <= 6 or not interactive:
        raise Refused("buttons")
    for button in buttons:
        if len(button["text"]) > 10 or button["style"] not in (1, 2, 3, 4):
            raise Refused("button")
        if "url" not in button and not 1 <= len(button["key"].encode()) <= 1024:
            raise Refused("button key")


def check_file(kind: str, name: str, body: bytes, image_megabytes: int) -> None:
    """What is taken as a picture or a file; raises Refused."""
    most = {"image": image_megabytes, "file": 20}.get(kind)
    if most is None or not 5 < len(body) <= most * _MEGABYTE:
        raise Refused(f"{kind} of {len(body)} bytes")
    if not name or "%" in name:
        raise Refused(f"name {name}")
    if kind == "image" and not body.startswith((b"\x89PNG", b"\xff\xd8\xff")):
        raise Refused("a picture is JPG or PNG")


async def file_in(request: web.Request) -> tuple[str, bytes]:
    """Name and bytes of the one part `media`, told as WeCom reads them; raises Refused."""
    raw = await request.read()
    form = _FILE.fullmatch(raw)
    named = None if form is None else _NAMED.search(form["head"])
    if form is None or named is None or b"filename*" in form["head"]:
        raise Refused(f"no file: {raw[:200]!r}")
    return named.group(1).decode(), form["body"]


class FakeWeCom(Vendor):
    """Faults: expired, throttled, foreign (an address not on the list), busy, a code, broken."""

    def __init__(self) -> None:
        super().__init__("app-secret", 32)
        self.app_messages: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.robot_messages: list[tuple[str, dict[str, Any]]] = []
        self.late: list[tuple[str, dict[str, Any]]] = []
        self.codes: dict[str, bool] = {}
        self.invalid: set[str] = set()
        # Who is not reached although it says 0, and the field that tells it.
        self.unreached: dict[str, str] = {}
        self.members: dict[str, str] = {}
        self.asked_members = 0
        # Who allowed a login, by the code that stands for it; each works once.
        self.logins: dict[str, dict[str, str]] = {}
        # 微信客服: what came, what was said, and how much each customer may still be told.
        self.kf_came: list[dict[str, Any]] = []
        self.kf_said: list[dict[str, Any]] = []
        self.kf_greeted: list[dict[str, Any]] = []
        self.kf_left: dict[str, int] = {}
        self.kf_page = 2
        # What people sent the aibot, sealed, by its name there; what they sent the app, by its id.
        self.sealed: dict[str, bytes] = {}
        self.stored: dict[str, tuple[str, bytes]] = {}
        # What asking for a sealed file meets instead: a status, an address elsewhere, no end, or no
        # answer until `let_go`.
        self.instead: dict[str, int | str] = {}
        self.file_names: dict[str, str] = {}
        self.asked_files: list[str] = []
        self.let_go = asyncio.Event()
        # Tokens of notices that are over.
        self.kf_over: set[str] = set()
        self.kf_asked = 0
        # What was brought to the app and to robots by its media_id: for whom, kind, name, bytes.
        self.brought: dict[str, tuple[str, str, str, bytes]] = {}
        # Faults of bringing alone, and media_ids that are over.
        self.bring_faults: deque[str] = deque()
        self.over: set[str] = set()
        self.app.router.add_post("/cgi-bin/media/upload", self._brought)
        self.app.router.add_post("/cgi-bin/webhook/upload_media", self._robot_brought)
        self.app.router.add_get("/cgi-bin/gettoken", self._gettoken)
        self.app.router.add_get("/cgi-bin/agent/get", self._agent)
        self.app.router.add_get("/cgi-bin/auth/getuserinfo", self._who)
        self.app.router.add_post("/cgi-bin/message/send", self._send)
        self.app.router.add_post("/cgi-bin/message/update_template_card", self._update)
        self.app.router.add_post("/cgi-bin/message/recall", self._recall)
        self.app.router.add_post("/cgi-bin/webhook/send", self._robot)
        self.app.router.add_post("/cgi-bin/aibot/response", self._response)
        self.app.router.add_post("/cgi-bin/batch/openuserid_to_userid", self._members)
        self.app.router.add_post("/cgi-bin/kf/sync_msg", self._kf_sync)
        self.app.router.add_post("/cgi-bin/kf/send_msg", self._kf_send)
        self.app.router.add_post("/cgi-bin/kf/send_msg_on_event", self._kf_greet)
        self.app.router.add_post("/cgi-bin/kf/account/list", self._kf_accounts)
        self.app.router.add_post("/cgi-bin/kf/add_contact_way", self._kf_way)
        self.app.router.add_get("/cgi-bin/media/get", self._media)
        self.app.router.add_get("/aibot/{name}", self._sealed)

    async def __aexit__(self, *_: object) -> None:
        self.let_go.set()
        await super().__aexit__(*_)

    def _before(self, request: web.Request) -> web.Response | None:
        """The fault that is due, then the token."""
        ends = bool(self.faults) and self.faults[0] == "expired"
        if (fault := self._fault()) is not None:
            return fault
        if not self._token or request.query.get("access_token") != self._token:
            code, why = (42001, "expired") if ends else (40014, "invalid")
            return web.json_response({"errcode": code, "errmsg": f"access_token {why}"})
        return None

    def _fault(self) -> web.Response | None:
        fault = self._next_fault()
        if not fault:
            return None
        if fault == "throttled":
            return web.json_response({"errcode": 45009, "errmsg": "api freq out of limit"})
        if fault == "foreign":
            told = (
                "not allow to access from your ip, hint: [17953], from ip: 203.0.113.7, more info"
            )
            return web.json_response({"errcode": 60020, "errmsg": told})
        if fault == "busy":
            return web.json_response({"errcode": -1, "errmsg": "system busy"})
        if fault.isdigit():
            return web.json_response({"errcode": int(fault), "errmsg": "…"})
        return web.Response(status=502, text="bad gateway")

    def _refuse(self, error: Exception) -> web.Response:
        self.refused.append(str(error))
        return web.json_response({"errcode": 40058, "errmsg": str(error)})

    async def _gettoken(self, request: web.Request) -> web.Response:
        if request.query.get("corpsecret") != self.secret or not request.query.get("corpid"):
            return web.json_response({"errcode": 40001, "errmsg": "invalid secret"})
        told = {"access_token": self._fresh_token(), "expires_in": self.life}
        return web.json_response({"errcode": 0, **told})

    async def _agent(self, request: web.Request) -> web.Response:
        if (fault := self._before(request)) is not None:
            return fault
        return web.json_response({"errcode": 0, "agentid": int(request.query["agentid"])})

    async def _who(self, request: web.Request) -> web.Response:
        if (fault := self._before(request)) is not None:
            return fault
        if set(request.query) != {"access_token", "code"}:
            return self._refuse(Refused("getuserinfo"))
        who = self.logins.pop(request.query["code"], None)
        if who is None:
            return web.json_response({"errcode": 40029, "errmsg": "invalid code"})
        return web.json_response({"errcode": 0, "errmsg": "ok", **who})

    def allows(self, address: str, **who: str) -> dict[str, str]:
        """Somebody allows what a browser was sent here for; the query it comes back with.

        Raises Refused for an address that the real WeCom would not take.
        """
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query, strict_parsing=True))
        known = {"appid", "redirect_uri", "state", "agentid"}
        if f"{parts.scheme}://{parts.netloc}{parts.path}" == INSIDE:
            known |= {"response_type", "scope"}
            right = asked["response_type"] == "code" and asked["scope"] == "snsapi_base"
            right = right and parts.fragment == "wechat_redirect"
        else:
            known |= {"login_type", "lang"}
            right = f"{parts.scheme}://{parts.netloc}{parts.path}" == OUTSIDE
            right = right and asked["login_type"] == "CorpApp" and not parts.fragment
        if set(asked) != known or not right or not asked["agentid"].isdigit():
            raise Refused(address)
        if not re.fullmatch(r"[0-9a-zA-Z]{1,128}", asked["state"]):
            raise Refused("state")
        code = f"code{len(self.logins)}{asked['state']}"
        self.logins[code] = who
        return {"code": code, "state": asked["state"]}

    async def _send(self, request: web.Request) -> web.Response:
        if (fault := self._before(request)) is not None:
            return fault
        body = await request.json()
        try:
            if not isinstance(body["agentid"], int) or not body["touser"]:
                raise Refused("agentid or touser")
            if body["enable_duplicate_check"] != 1:
                raise Refused("not safe to repeat")
            if not 1800 <= body["duplicate_check_interval"] <= 4 * 3600:
                raise Refused("duplicate_check_interval")
            if body["msgtype"] == "template_card":
                check_card(body["template_card"], interactive=True)
            elif body["msgtype"] == "text":
                if not 1 <= len(body["text"]["content"].encode()) <= 2048:
                    raise Refused("text size")
            elif body["msgtype"] in ("image", "file"):
                if not self._is_there(body, "app", body["msgtype"]):
                    return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
            else:
                raise Refused(body["msgtype"])
        except (KeyError, Refused) as error:
            return self._refuse(error)
        if body["touser"] in self.invalid:
            return web.json_response({"errcode": 0, "invaliduser": body["touser"].lower()})
        if body["touser"] in self.unreached:
            field = self.unreached[body["touser"]]
            return web.json_response({"errcode": 0, field: body["touser"].lower()})
        if json.dumps(body, sort_keys=True) not in {
            json.dumps(m, sort_keys=True) for m in self.app_messages
        }:
            self.app_messages.append(body)
        code = f"code-{len(self.app_messages)}"
        self.codes[code] = True
        return web.json_response(
            {"errcode": 0, "msgid": f"m{len(self.app_messages)}", "response_code": code}
        )

    async def _update(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is not None:
            return fault
        try:
            if not isinstance(body["userids"], list):
                raise Refused("userids is an array here")
            check_card(body["template_card"], interactive=True)
        except (KeyError, Refused) as error:
            return self._refuse(error)
        if not self.codes.pop(body["response_code"], False):
            return web.json_response({"errcode": 40068, "errmsg": "response_code used"})
        self.updates.append(body)
        return web.json_response({"errcode": 0})

    async def _recall(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is not None:
            return fault
        known = {f"m{number}" for number in range(1, len(self.app_messages) + 1)}
        if set(body) != {"msgid"} or body["msgid"] not in known:
            return self._refuse(Refused(f"recall of {body}"))
        if body["msgid"] in self.settled | set(self.recalled):
            return web.json_response({"errcode": 40058, "errmsg": "cannot be recalled"})
        self.recalled.append(body["msgid"])
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _robot(self, request: web.Request) -> web.Response:
        if (fault := self._fault()) is not None:
            return fault
        key = request.query.get("key", "")
        body = await request.json()
        try:
            if body["msgtype"] == "file":
                if not self._is_there(body, key, "file"):
                    return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
            elif body["msgtype"] == "image":
                picture = base64.b64decode(body["image"]["base64"], validate=True)
                check_file("image", "image", picture, 2)
                if body["image"]["md5"] != hashlib.md5(picture).hexdigest():
                    raise Refused("md5")
            elif not 1 <= len(body[body["msgtype"]]["content"].encode()) <= {
                "text": 2048, "markdown": 4096,
            }[body["msgtype"]]:  # fmt: skip
                raise Refused("robot text size")
        except (KeyError, Refused) as error:
            return self._refuse(error)
        if self._is_too_fast(f"robot:{key}", 20, 60.0):
            self.refused.append("more than 20 in a minute")
            return web.json_response({"errcode": 45009, "errmsg": "freq"})
        self.robot_messages.append((key, body))
        return web.json_response({"errcode": 0})

    # ---- files that we bring

    def _is_there(self, message: dict[str, Any], whose: str, kind: str) -> bool:
        """Raises Refused for what this sender was never given."""
        if set(message[kind]) != {"media_id"}:
            raise Refused(f"{kind} {message[kind]}")
        media_id = message[kind]["media_id"]
        if self.brought[media_id][:2] != (whose, kind):
            raise Refused(f"{kind} of somebody else")
        return media_id not in self.over

    async def _brought(self, request: web.Request) -> web.Response:
        if self.bring_faults:
            self.faults.appendleft(self.bring_faults.popleft())
        if (fault := self._before(request)) is not None:
            return fault
        return await self._taken_in(request, "app", request.query.get("type", ""))

    async def _robot_brought(self, request: web.Request) -> web.Response:
        if set(request.query) != {"key", "type"} or request.query["type"] != "file":
            return self._refuse(Refused("upload_media"))
        return await self._taken_in(request, request.query["key"], "file")

    async def _taken_in(self, request: web.Request, whose: str, kind: str) -> web.Response:
        try:
            name, body = await file_in(request)
            check_file(kind, name, body, 5)
        except Refused as error:
            return self._refuse(error)
        media_id = f"MEDIA{len(self.brought) + 1}"
        self.brought[media_id] = whose, kind, name, body
        told = {"type": kind, "media_id": media_id, "created_at": str(int(time.time()))}
        return web.json_response({"errcode": 0, "errmsg": "ok", **told})

    async def _response(self, request: web.Request) -> web.Response:
        code = request.query.get("response_code", "")
        body = await request.json()
        if any(code == used for used, _ in self.late):
            return web.json_response({"errcode": 40008, "errmsg": "used"})
        self.late.append((code, body))
        return web.json_response({"errcode": 0})

    def press(self, code: str) -> str:
        """The one more response code that every click brings."""
        extra = f"{code}-click"
        self.codes[extra] = True
        return extra

    # ---- what people sent along

    def lies(self, name: str, body: bytes, aes_key: str, called: str = "") -> str:
        """Somebody sent a file to the aibot; its address."""
        self.sealed[name] = seal(body, aes_key)
        self.file_names[name] = called
        return f"{self.base}/aibot/{name}?sign=q-sign-time%3D1"

    async def _sealed(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked_files.append(name)
        instead = self.instead.get(name)
        if isinstance(instead, int):
            return web.Response(status=instead, text="<Error>AccessDenied</Error>")
        if instead == ENDLESS:
            response = web.StreamResponse()
            await response.prepare(request)
            try:
                for _ in range(30):
                    await response.write(bytes(1024 * 1024))
            except ConnectionError:
                pass
            return response
        if instead == HELD:
            await self.let_go.wait()
        elif instead is not None:
            raise web.HTTPFound(instead)
        if name not in self.sealed:
            return web.Response(status=404)
        called = self.file_names[name]
        told = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(called)}"}
        return web.Response(body=self.sealed[name], headers=told if called else {})

    async def _media(self, request: web.Request) -> web.Response:
        if (fault := self._before(request)) is not None:
            return fault
        media_id = request.query.get("media_id", "")
        self.asked_files.append(media_id)
        if media_id not in self.stored:
            return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
        called, body = self.stored[media_id]
        told = {"Content-Disposition": f'attachment; filename="{called}"'}
        return web.Response(body=body, headers=told if called else {})

    # ---- members and customers

    async def _called(self, request: web.Request) -> tuple[dict[str, Any], web.Response | None]:
        fault = self._before(request)
        return await request.json(), fault

    async def _members(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is not None:
            return fault
        self.asked_members += 1
        asked = body["open_userid_list"]
        known = [{"open_userid": o, "userid": self.members[o]} for o in asked if o in self.members]
        return web.json_response(
            {
                "errcode": 0,
                "userid_list": known,
                "invalid_open_userid_list": [o for o in asked if o not in self.members],
            }
        )

    def customer(self, external: str, kind: str = "text", **part: Any) -> None:
        """A customer writes, or comes in with kind `event`."""
        number = len(self.kf_came) + 1
        row: dict[str, Any] = {
            "msgid": f"kfm-{number}",
            "open_kfid": KF,
            "send_time": int(time.time()),
            "origin": 4 if kind == "event" else 3,
            "msgtype": kind,
        }
        if kind == "event":
            row["event"] = {
                "event_type": "enter_session",
                "open_kfid": KF,
                "external_userid": external,
                **part,
            }
        else:
            row["external_userid"] = external
            row[kind] = part
            self.kf_left[external] = 5
        self.kf_came.append(row)

    async def _kf_sync(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is not None:
            return fault
        self.kf_asked += 1
        if body.get("token") in self.kf_over:
            return web.json_response({"errcode": 95007, "errmsg": "invalid token"})
        start = int(body.get("cursor") or 0)
        if body["open_kfid"] != KF or not 1 <= body["limit"] <= 1000:
            return self._refuse(Refused("sync_msg"))
        page = self.kf_came[start : start + self.kf_page]
        end = start + len(page)
        return web.json_response(
            {
                "errcode": 0,
                "next_cursor": str(end),
                "has_more": int(end < len(self.kf_came)),
                "msg_list": page,
            }
        )

    async def _kf_send(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is not None:
            return fault
        try:
            if body["open_kfid"] != KF or not 1 <= len(body["msgid"]) <= 32:
                raise Refused("open_kfid or msgid")
            if body["msgtype"] == "text":
                if not 1 <= len(body["text"]["content"].encode()) <= 2048:
                    raise Refused("kf text size")
            elif body["msgtype"] == "msgmenu":
                items = body["msgmenu"]["list"]
                if not 1 <= len(items) <= 10:
                    raise Refused("menu items")
                for item in items:
                    inner = item[item["type"]]
                    if len(inner["content"].encode()) > 128 or len(inner.get("id", "")) > 128:
                        raise Refused("menu item")
            else:
                raise Refused(body["msgtype"])
        except (KeyError, Refused) as error:
            return self._refuse(error)
        if self.kf_left.get(body["touser"], 0) <= 0:
            self.refused.append("a sixth message to a customer")
            return web.json_response({"errcode": 95001, "errmsg": "limit"})
        self.kf_left[body["touser"]] -= 1
        self.kf_said.append(body)
        return web.json_response({"errcode": 0, "msgid": body["msgid"]})

    async def _kf_greet(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is not None:
            return fault
        self.kf_greeted.append(body)
        return web.json_response({"errcode": 0})

    async def _kf_accounts(self, request: web.Request) -> web.Response:
        _, fault = await self._called(request)
        return fault or web.json_response(
            {"errcode": 0, "account_list": [{"open_kfid": KF, "name": "老洪港企业服务"}]}
        )

    async def _kf_way(self, request: web.Request) -> web.Response:
        body, fault = await self._called(request)
        if fault is None and (body["open_kfid"] != KF or len(body["scene"]) > 32):
            return self._refuse(Refused("scene"))
        return fault or web.json_response(
            {"errcode": 0, "url": "https://work.weixin.qq.com/kf/kfcinvented?enc_scene=x"}
        )
