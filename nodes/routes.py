"""Server routes under `/negopt/v1`, on ComfyUI's own server and behind its own origin rules. Errors are JSON.

Work runs in four threads of our own, for policies, for downloads and files, for learning, and for all else, so that
neither the server's loop nor the sampler's thread waits for it; what would wait too long is refused.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ..negopt_core.errors import NegOptError
from . import api_policies, learn
from .api_answers import PageSuggestions, card_answer, guidance_table, inspect, keep_like, list_offered
from .api_read import (
    MAX_ARCHIVE_BYTES,
    MAX_BODY_BYTES,
    Body,
    RequestError,
    read_body,
    read_inspect,
    read_like,
    read_name,
    read_suggest,
)
from .host import page_server
from .writing import embedding_names

log = logging.getLogger("negopt")

PREFIX = "/negopt/v1"
_MOST_WAITING = 8

Answer = TypeVar("Answer")


class Queue:
    """One thread and a short queue."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do `work` in the thread; refuse if too much is waiting already."""
        if self._waiting >= _MOST_WAITING:
            raise RequestError(429, "busy", "too many requests are waiting; try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


class Routes:
    """The handlers; each reads a request, works in a thread and answers JSON."""

    def __init__(self) -> None:
        self._suggestions = PageSuggestions()
        self._policies = Queue("negopt-policy")
        self._light = Queue("negopt-light")
        self._files = Queue("negopt-files")
        self._learn = Queue("negopt-learn")
        self._runs = learn.LearnRuns()

    async def suggest(self, request: Any) -> Any:
        body = await _body(request)
        return await self._policies.run(lambda: self._suggestions.suggest(read_suggest(body)))

    async def why(self, request: Any) -> Any:
        body = await _body(request)
        return await self._policies.run(lambda: self._suggestions.why(read_suggest(body)))

    async def inspect(self, request: Any) -> Any:
        body = await _body(request)
        return await self._light.run(lambda: inspect(read_inspect(body, embedding_names())))

    async def policies(self, request: Any) -> Any:
        return await self._light.run(list_offered)

    async def guidance(self, request: Any) -> Any:
        return await self._light.run(guidance_table)

    async def card(self, request: Any) -> Any:
        name = read_name(request.query.get("name"))
        return await self._light.run(lambda: card_answer(name))

    async def pull(self, request: Any) -> Any:
        name = read_name((await _body(request)).get("name"))
        return await self._files.run(lambda: api_policies.pull(name))

    async def delete(self, request: Any) -> Any:
        name = read_name((await _body(request)).get("name"))
        return await self._files.run(lambda: api_policies.delete(name))

    async def bring_in(self, request: Any) -> Any:
        name = read_name(request.query.get("name"))
        if request.content_type != "application/zip":
            raise RequestError(415, "not-zip", "send the ZIP with Content-Type: application/zip")
        with tempfile.TemporaryDirectory(prefix="negopt.") as folder:
            archive = Path(folder) / "policy.zip"
            await _receive(request, archive)
            return await self._files.run(lambda: api_policies.bring_in(archive, name))

    async def like(self, request: Any) -> Any:
        body = await _body(request)
        return await self._light.run(lambda: keep_like(read_like(body), _user_folder()))

    async def runs(self, request: Any) -> Any:
        return await self._light.run(self._runs.listed)

    async def judges(self, request: Any) -> Any:
        return await self._light.run(lambda: learn.judges(request.query.get("family")))

    async def own_prompts(self, request: Any) -> Any:
        return await self._files.run(lambda: learn.own_prompts(request.query.get("notation")))

    async def begin(self, request: Any) -> Any:
        body = await _body(request)
        return await self._learn.run(lambda: self._runs.begin(body))

    async def run_state(self, request: Any) -> Any:
        return await self._learn.run(lambda: self._runs.state(request.query.get("run")))

    async def tell(self, request: Any) -> Any:
        body = await _body(request)
        return await self._learn.run(lambda: self._runs.tell(body))

    async def click(self, request: Any) -> Any:
        body = await _body(request)
        return await self._learn.run(lambda: self._runs.click(body))

    async def run_picture(self, request: Any) -> Any:
        from aiohttp import web

        asked = request.query.get("run"), request.query.get("id")
        path = await asyncio.get_running_loop().run_in_executor(None, lambda: learn.small_picture(*asked))
        return web.FileResponse(path)


def register_routes() -> bool:
    """Add the routes to ComfyUI's server; returns whether there is a server that did not have them yet."""
    server = page_server()
    if server is None:
        return False
    if any(str(getattr(route, "path", "")).startswith(PREFIX) for route in server.routes):
        log.warning("negopt: another copy of this pack answers the page already; remove one of the two")
        return False
    routes = Routes()
    for method, path, handler in (
        ("POST", "/suggest", routes.suggest),
        ("POST", "/why", routes.why),
        ("POST", "/inspect", routes.inspect),
        ("GET", "/policies", routes.policies),
        ("GET", "/policies/card", routes.card),
        ("GET", "/guidance", routes.guidance),
        ("POST", "/policies/pull", routes.pull),
        ("POST", "/policies/delete", routes.delete),
        ("POST", "/policies/import", routes.bring_in),
        ("POST", "/likes", routes.like),
        ("GET", "/learn/runs", routes.runs),
        ("GET", "/learn/judges", routes.judges),
        ("GET", "/learn/prompts", routes.own_prompts),
        ("POST", "/learn/start", routes.begin),
        ("GET", "/learn/state", routes.run_state),
        ("POST", "/learn/told", routes.tell),
        ("POST", "/learn/click", routes.click),
        ("GET", "/learn/picture", routes.run_picture),
    ):
        server.routes.route(method, PREFIX + path)(_answering(handler))
    return True


def _answering(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Turn what a handler returns or raises into an answer."""
    from aiohttp import web

    async def answer(request: Any) -> Any:
        try:
            found = await handler(request)
            return found if isinstance(found, web.StreamResponse) else web.json_response(found)
        except RequestError as error:
            return web.json_response(_fault(error.code, str(error)), status=error.status)
        except NegOptError as error:
            return web.json_response(_fault(type(error).__name__, str(error)), status=422)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("negopt: a request of the page failed")
            return web.json_response(_fault("internal", "negopt failed; ComfyUI's log has the reason"), status=500)

    return answer


def _fault(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


async def _body(request: Any) -> Body:
    """The JSON of a request. Its type must say JSON: a form of another site cannot send that unasked."""
    if request.content_type != "application/json":
        raise RequestError(415, "not-json", "send Content-Type: application/json")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    raw = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise _too_large()
    return read_body(bytes(raw))


async def _receive(request: Any, path: Path) -> None:
    """Write an upload to a file, in pieces; the loop only ever waits for the network."""
    left, loop = MAX_ARCHIVE_BYTES, asyncio.get_running_loop()
    with path.open("wb") as file:
        async for chunk in request.content.iter_chunked(1 << 20):
            left -= len(chunk)
            if left < 0:
                raise RequestError(413, "too-long", f"a ZIP may have {MAX_ARCHIVE_BYTES:,} bytes")
            await loop.run_in_executor(None, file.write, chunk)


def _too_large() -> RequestError:
    return RequestError(413, "too-long", f"a request may have {MAX_BODY_BYTES:,} bytes; shorten the texts")


def _user_folder() -> Path:
    import folder_paths

    return Path(folder_paths.get_user_directory()) / "negopt"
