"""A strict Feishu on loopback: it checks what we send against the reference and keeps it."""

import json
import re
import time
from typing import Any

from aiohttp import web

from tests.kit.strict import Vendor

APP_ID, SECRET, BOT = "cli_a1f00dfeedbead01", "canary-app-secret", "ou_bot"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEMPLATES = _words(
    "blue wathet turquoise green yellow orange red carmine violet purple indigo grey default"
)
_TAG_COLOURS = _words(
    "neutral blue turquoise lime orange violet indigo wathet green yellow red purple carmine"
)
_BUTTON_TYPES = _words(
    "default primary danger text primary_text danger_text primary_filled danger_filled laser"
)
# Unknown properties are errors: what each component may hold.
_ALLOWED: dict[str, frozenset[str]] = {
    "plain_text": _words("tag content text_size text_color text_align lines"),
    "div": _words("tag element_id margin width text icon"),
    "markdown": _words("tag element_id margin content text_size text_align icon"),
    "column_set": _words(
        "tag element_id margin flex_mode horizontal_spacing horizontal_align background_style "
        "columns action"
    ),
    "column": _words(
        "tag element_id width weight elements vertical_align vertical_spacing padding margin "
        "background_style direction horizontal_spacing horizontal_align action"
    ),
    "button": _words(
        "tag element_id margin type size width text icon hover_tips disabled disabled_tips confirm "
        "behaviors name form_action_type"
    ),
    "form": _words(
        "tag element_id direction margin padding horizontal_spacing vertical_spacing "
        "horizontal_align vertical_align name elements"
    ),
    "select_static": _words(
        "tag element_id margin type name required disabled initial_option initial_index placeholder "
        "width behaviors options confirm"
    ),
    "multi_select_static": _words(
        "tag element_id margin type name required disabled selected_values placeholder width "
        "behaviors options confirm"
    ),
    "text_tag": _words("tag element_id text color"),
}
_CONFIG = _words(
    "streaming_mode streaming_config summary locales enable_forward update_multi width_mode "
    "use_custom_translation enable_forward_interaction style"
)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_AT_ALL = re.compile(r"<at[^>]*(?:id|user_id)\s*=\s*[\"']?all", re.I)


class Refused(AssertionError):
    """A request that the real Feishu would not take; `code` is what it answers."""

    def __init__(self, why: str, code: int = 230001) -> None:
        super().__init__(why)
        self.code = code


def check_card(card: dict[str, Any]) -> None:
    """A card in JSON 2.0 with the platform's limits; raises Refused."""
    if len(json.dumps(card, ensure_ascii=False).encode()) > 30 * 1024:
        raise Refused("card over 30 KB", 230025)
    if card.get("schema") != "2.0":
        raise Refused("schema")
    if set(card) - {"schema", "config", "card_link", "header", "body"}:
        raise Refused(f"unknown part {set(card)}")
    config = card["config"]
    if set(config) - _CONFIG or config.get("update_multi") is not True:
        raise Refused("config")
    if "card_link" in card and not card["card_link"]["url"].startswith("http"):
        raise Refused("card_link")
    _check_header(card["header"])
    names: set[str] = set()
    elements = card["body"]["elements"]
    count = _count(card["header"]) + sum(_check(e, names, root=True, form=False) for e in elements)
    if not elements or count > 200:
        raise Refused(f"{count} elements")


def _check_header(header: dict[str, Any]) -> None:
    if set(header) - {"title", "subtitle", "text_tag_list", "template", "icon", "padding"}:
        raise Refused("header")
    if header["template"] not in _TEMPLATES or not header["title"]["content"]:
        raise Refused("template or title")
    tags = header.get("text_tag_list", [])
    if len(tags) > 3:
        raise Refused("tags")
    for tag in tags:
        if set(tag) - _ALLOWED["text_tag"] or tag["color"] not in _TAG_COLOURS:
            raise Refused("tag")


def _count(node: Any) -> int:
    if isinstance(node, dict):
        return ("tag" in node) + sum(_count(v) for v in node.values())
    return sum(_count(one) for one in node) if isinstance(node, list) else 0


def _check(element: dict[str, Any], names: set[str], *, root: bool, form: bool) -> int:
    """Look at one component and what is in it; how many they are."""
    tag = element.get("tag", "")
    if tag not in _ALLOWED:
        raise Refused(f"tag {tag}")
    if unknown := set(element) - _ALLOWED[tag]:
        raise Refused(f"unknown property of {tag}: {unknown}")
    if "element_id" in element and not re.fullmatch(r"[A-Za-z]\w{0,19}", element["element_id"]):
        raise Refused("element_id")
    if tag in ("button", "select_static", "multi_select_static") and form:
        name = element.get("name", "")
        if not name or name in names:
            raise Refused(f"name {name!r} in a form")
        names.add(name)
    if tag == "div":
        if set(element["text"]) - _ALLOWED["plain_text"] or element["text"]["tag"] != "plain_text":
            raise Refused("text of div")
        return 2
    if tag == "markdown":
        if _AT_ALL.search(element["content"]):
            raise Refused("everybody is called")
        return 1
    if tag == "button":
        _check_button(element, form=form)
        return 2
    if tag in ("select_static", "multi_select_static"):
        values = [o["value"] for o in element["options"]]
        if not values or len(set(values)) != len(values):
            raise Refused("options")
        return 1 + len(values)
    if tag == "form":
        if not root or not element.get("name"):
            raise Refused("a form stands at the root and has a name")
        inside = [_check(e, names, root=False, form=True) for e in element["elements"]]
        if '"form_action_type": "submit"' not in json.dumps(element):
            raise Refused("a form without a submit button")
        return 1 + sum(inside)
    if tag == "column_set":
        return 1 + sum(_check(c, names, root=False, form=form) for c in element["columns"])
    return 1 + sum(_check(e, names, root=False, form=form) for e in element["elements"])


def _check_button(button: dict[str, Any], *, form: bool) -> None:
    if button["type"] not in _BUTTON_TYPES or not 1 <= len(button["text"]["content"]) <= 100:
        raise Refused("button")
    if not form and "form_action_type" in button:
        raise Refused("submit outside a form")
    if not button["behaviors"]:
        raise Refused("a button that does nothing")
    for behaviour in button["behaviors"]:
        if behaviour["type"] == "callback":
            if not isinstance(behaviour["value"], dict):
                raise Refused("value is an object")
        elif behaviour["type"] != "open_url" or not behaviour["default_url"].startswith("http"):
            raise Refused("behaviour")
    if "confirm" in button and not (
        button["confirm"]["title"]["content"] and button["confirm"]["text"]["content"]
    ):
        raise Refused("confirm without title")


def said(message: dict[str, Any]) -> str:
    """The words of a message as it was taken."""
    found: list[str] = []

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if "tag" in node and isinstance(node.get("content"), str):
                found.append(node["content"])
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for one in node:
                look(one)

    look(message["card"])
    return message["text"] or "\n".join(found)


class FakeFeishu(Vendor):
    """`faults` name what the next calls meet; `refusals` what every call for a receiver meets.

    expired, throttled, throttled_old, busy, broken, lie (HTTP 200 with a code), half (taken, but
    the connection breaks before the answer).
    """

    def __init__(self, per_second: int = 5) -> None:
        super().__init__(SECRET, 40)
        self.messages: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.urged: list[tuple[str, list[str]]] = []
        self.robot_said: list[dict[str, Any]] = []
        self.robot_code = 0
        self.uploads: list[tuple[str, str, int]] = []
        # What was brought, by its key.
        self.brought: dict[str, bytes] = {}
        self.resources: dict[tuple[str, str, str], bytes] = {}
        self.refusals: dict[str, int] = {}
        self.gone: set[str] = set()
        # In which chat a message stands that people wrote, so that a reply to it finds its way.
        self.chats: dict[str, str] = {}
        self.urgent_code = 0
        self.repeats = 0
        self._per_second = per_second
        self._by_uuid: dict[str, tuple[float, str]] = {}
        base = "/open-apis"
        self.app.router.add_post(f"{base}/auth/v3/tenant_access_token/internal", self._give_token)
        self.app.router.add_get(f"{base}/bot/v3/info", self._info)
        self.app.router.add_post(f"{base}/im/v1/messages", self._create)
        self.app.router.add_post(f"{base}/im/v1/messages/{{id}}/reply", self._reply)
        self.app.router.add_patch(f"{base}/im/v1/messages/{{id}}", self._update)
        self.app.router.add_delete(f"{base}/im/v1/messages/{{id}}", self._recall)
        self.app.router.add_patch(f"{base}/im/v1/messages/{{id}}/urgent_app", self._urge)
        self.app.router.add_get(f"{base}/im/v1/messages/{{id}}/resources/{{key}}", self._resource)
        self.app.router.add_post(f"{base}/im/v1/images", self._image)
        self.app.router.add_post(f"{base}/im/v1/files", self._file)
        self.app.router.add_post(f"{base}/bot/v2/hook/{{id}}", self._robot)

    # ---- what was taken

    def to(self, receiver: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["receive_id"] == receiver]

    def words(self, receiver: str = "") -> list[str]:
        """What every message says, in order; of a card all its words."""
        return [said(one) for one in (self.to(receiver) if receiver else self.messages)]

    # ---- answers

    def _fine(self, **data: Any) -> web.Response:
        return web.json_response({"code": 0, "msg": "success", "data": data})

    def _no(self, code: int, status: int = 400, **headers: str) -> web.Response:
        return web.json_response({"code": code, "msg": "no"}, status=status, headers=headers)

    def _wrong(self, error: Exception) -> web.Response:
        self.refused.append(f"{type(error).__name__}: {error}")
        return self._no(error.code if isinstance(error, Refused) else 230001)

    async def _before(self, request: web.Request) -> web.Response | None:
        """The fault that is due, then the token."""
        fault = self._next_fault()
        if fault == "throttled":
            return self._no(99991400, 429, **{"x-ogw-ratelimit-reset": "0.1"})
        elif fault == "throttled_old":
            return self._no(99991400, 400, **{"x-ogw-ratelimit-reset": "0.1"})
        elif fault == "busy":
            return self._no(230020, 400)
        elif fault == "broken":
            return web.Response(status=502, text="<html>bad gateway</html>")
        elif fault == "lie":
            return self._no(230099, 200)
        elif fault.isdigit():
            return self._no(int(fault), 400)
        elif fault:
            raise AssertionError(fault)
        if not self._token or request.headers.get("Authorization") != f"Bearer {self._token}":
            return self._no(99991663, 400)
        return None

    async def _give_token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if set(body) != {"app_id", "app_secret"} or body["app_id"] != APP_ID:
            return self._no(10003, 200)
        if body["app_secret"] != self.secret:
            return self._no(10014, 200)
        told = {"tenant_access_token": self._fresh_token(), "expire": self.life}
        return web.json_response({"code": 0, "msg": "ok", **told})

    async def _info(self, request: web.Request) -> web.Response:
        if (fault := await self._before(request)) is not None:
            return fault
        return web.json_response(
            {"code": 0, "msg": "ok", "bot": {"open_id": BOT, "app_name": "小港"}}
        )

    # ---- messages

    def _checked(self, raw: bytes, known: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A message's body, and what is shown of it; raises Refused."""
        body = json.loads(raw)
        if set(body) != known:
            raise Refused(f"fields {set(body)}")
        if not 1 <= len(body["uuid"]) <= 50:
            raise Refused("uuid")
        content = json.loads(body["content"])
        if body["msg_type"] == "text":
            if set(content) != {"text"} or not content["text"].strip() or len(raw) > 150 * 1000:
                raise Refused("text", 230025)
            if _AT_ALL.search(content["text"]):
                raise Refused("everybody is called")
            return body, {"text": content["text"], "card": None}
        if body["msg_type"] in ("image", "file"):
            name = f"{body['msg_type']}_key"
            if set(content) != {name} or not content[name].startswith(f"{body['msg_type']}_v3_"):
                raise Refused(body["msg_type"])
            if content[name] not in self.brought:
                raise Refused("a key that was never given")
            return body, {"text": "", "card": None, "key": content[name]}
        if body["msg_type"] == "interactive":
            if len(raw) > 30 * 1000:
                raise Refused("request over 30 KB", 230025)
            check_card(content)
            return body, {"text": "", "card": content}
        raise Refused(body["msg_type"])

    async def _take(
        self, request: web.Request, receiver: str, shown: dict[str, Any], uuid: str, **more: str
    ) -> web.StreamResponse:
        if receiver in self.refusals:
            return self._no(self.refusals[receiver])
        if self._is_too_fast(receiver, self._per_second) or self._is_too_fast("app", 50):
            self.overrun += 1
            return self._no(230020, 400)
        known = self._by_uuid.get(uuid)
        if known is not None and known[0] > time.monotonic() - 3600:
            self.repeats += 1
            message_id = known[1]
        else:
            message_id = f"om_out{len(self.messages) + 1:05d}"
            self._by_uuid[uuid] = (time.monotonic(), message_id)
            self.messages.append(
                {"message_id": message_id, "receive_id": receiver, **shown, **more}
            )
        if self._is_lost(request):
            return web.Response()
        return self._fine(message_id=message_id, chat_id=receiver)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        raw = await request.read()
        try:
            known = {"receive_id", "msg_type", "content", "uuid"}
            body, shown = self._checked(raw, known)
            kind = request.query["receive_id_type"]
            prefix = {"chat_id": "oc_", "open_id": "ou_"}[kind]
            if not body["receive_id"].startswith(prefix):
                raise Refused(f"{kind} {body['receive_id']}", 230034)
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        return await self._take(request, body["receive_id"], shown, body["uuid"])

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        raw, asked = await request.read(), request.match_info["id"]
        if asked in self.gone:
            return self._no(230011)
        try:
            body, shown = self._checked(raw, {"msg_type", "content", "uuid"})
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        return await self._take(
            request, self.chats.get(asked, asked), shown, body["uuid"], to=asked
        )

    async def _recall(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        message_id = request.match_info["id"]
        known = any(m["message_id"] == message_id for m in self.messages)
        if not known or await request.read():
            return self._wrong(Refused(f"recall of {message_id}"))
        if message_id in self.gone:
            return self._no(230011)
        if message_id in self.settled:
            return self._no(230026)
        self.gone.add(message_id)
        self.recalled.append(message_id)
        return self._fine()

    async def _update(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        raw, message_id = await request.read(), request.match_info["id"]
        body = json.loads(raw)
        if message_id in self.gone:
            return self._no(230031)
        known = next((m for m in self.messages if m["message_id"] == message_id), None)
        try:
            if known is None or known["card"] is None:
                raise Refused(f"update of {message_id}")
            if set(body) != {"content"} or len(raw) > 30 * 1000:
                raise Refused("fields or size of an update")
            card = json.loads(body["content"])
            check_card(card)
            if self._is_too_fast(f"update:{message_id}", 5):
                raise Refused("more than 5 updates a second")
        except (KeyError, ValueError, Refused) as error:
            return self._wrong(error)
        known["card"] = card
        self.updates.append({"message_id": message_id, "card": card})
        return self._fine()

    async def _urge(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        body, message_id = await request.json(), request.match_info["id"]
        if self.urgent_code:
            return self._no(self.urgent_code)
        if (
            request.query.get("user_id_type") != "open_id"
            or not 1 <= len(body["user_id_list"]) <= 200
        ):
            return self._wrong(Refused("urgent"))
        self.urged.append((message_id, body["user_id_list"]))
        return self._fine(invalid_user_id_list=[])

    async def _robot(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body.get("msg_type") != "text" or len(json.dumps(body).encode()) > 20 * 1024:
            return self._wrong(Refused("robot"))
        if self.robot_code:
            return web.json_response({"code": self.robot_code, "msg": "no"})
        self.robot_said.append(body)
        return web.json_response({"code": 0, "msg": "success", "data": {}})

    # ---- media

    async def _resource(self, request: web.Request) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        key = (request.query.get("type", ""), request.match_info["id"], request.match_info["key"])
        if key not in self.resources:
            return self._no(234003, 400)
        return web.Response(body=self.resources[key])

    async def _image(self, request: web.Request) -> web.StreamResponse:
        return await self._upload(request, "image_type", {"message"}, "image", 10)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        kinds = {"opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"}
        return await self._upload(request, "file_type", kinds, "file", 30)

    async def _upload(
        self, request: web.Request, kind: str, kinds: set[str], part: str, megabytes: int
    ) -> web.StreamResponse:
        if (fault := await self._before(request)) is not None:
            return fault
        form = await request.post()
        data, name = form.get(part), str(form.get("file_name", ""))
        if str(form.get(kind)) not in kinds or not isinstance(data, web.FileField):
            return self._wrong(Refused(f"upload of {part}"))
        if set(form) != {kind, part} | ({"file_name"} if part == "file" else set()):
            return self._wrong(Refused(f"fields {set(form)}"))
        if part == "file" and ("%" in name or not name):
            return self._wrong(Refused(f"name {name}"))
        content = data.file.read()
        if not 0 < len(content) <= megabytes * 1024 * 1024:
            return self._wrong(Refused("size"))
        if part == "image" and not content.startswith(_PICTURES):
            return self._no(234011, 400)
        self.uploads.append((part, name, len(content)))
        key = f"{part}_v3_{len(self.uploads)}"
        self.brought[key] = content
        return self._fine(**{f"{part}_key": key})
