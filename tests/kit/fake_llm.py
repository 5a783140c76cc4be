"""An OpenAI-compatible service on the loopback that answers well, badly, late or not at all."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "sk-fake-0123456789abcdef"
MODEL = "fake-model"


def good(
    title: str = "连铸车间缺操作工", category: str = "LAB", *problems: str, **more: Any
) -> dict[str, Any]:
    """An answer of the form."""
    return {"title": title, "category": category, "problems": list(problems) or [title], **more}


class FakeLlm:
    """`mood` is how it behaves; `says` is what it answers when it is well."""

    def __init__(self) -> None:
        self.mood = "well"
        self.says: Any = good()
        # What it takes an order in the message for.
        self.obeys: Callable[[str], Any] | None = None
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self.server = TestServer(app)

    async def __aenter__(self) -> "FakeLlm":
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.let.set()
        await self.server.close()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "LHG_LLM_BASE_URL": str(self.server.make_url("/v1")),
            "LHG_LLM_API_KEY": KEY,
            "LHG_LLM_MODEL": MODEL,
        }

    @property
    def text(self) -> str:
        """Everything that arrived here, as a person would read it."""
        read = [json.loads(body) for body in self.bodies]
        whole = [json.dumps(body, ensure_ascii=False) for body in read]
        return "\n".join([*whole, *(q["text"] for q in self.questions)])

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What the user's messages held."""
        found = [json.loads(body)["messages"][1]["content"] for body in self.bodies]
        return [json.loads(content) for content in found]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.paths.append(request.path)
        self.bodies.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        self.asked.set()
        return await self._answer(request, body)

    async def _answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        says = self.says
        if self.obeys is not None:
            says = self.obeys(json.loads(body)["messages"][1]["content"])
        words = says if isinstance(says, str) else json.dumps(says, ensure_ascii=False)
        envelope = {"id": "x", "choices": [{"message": {"role": "assistant", "content": words}}]}
        match self.mood:
            case "stalls":
                await self.let.wait()
            case "drips":
                return await self._drip(request)
            case "429" | "500" | "404":
                return web.json_response(
                    {"error": f"no, {request.headers.get('Authorization')}"}, status=int(self.mood)
                )
            case "redirects":
                return web.Response(status=307, headers={"Location": "/elsewhere"})
            case "closes":
                assert request.transport is not None
                request.transport.close()
            case "huge":
                return web.Response(body=b"[" * 5_000_000, content_type="application/json")
            case "no envelope":
                return web.json_response({"action": "close_all"})
            case "no json":
                return web.Response(text="<html>busy</html>")
            case "packed":
                return web.Response(body=b"\x1f\x8b" * 50, headers={"Content-Encoding": "gzip"})
        return web.json_response(envelope)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        """A byte now and then, so that no single wait is long."""
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(100):
                await response.write(b" ")
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        return response
