"""A receiver as an ASGI application: served by itself, or a route of Starlette's and FastAPI's applications.

The event loop never waits: the pipeline and the handlers run in threads of the application's own, for asyncio
has few (a handful on a small machine) and the rest of the program needs them. Imports no framework.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import (
    Any,
    AsyncContextManager,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    List,
    Mapping,
    MutableMapping,
    Tuple,
)

from hookvitals.event import Event
from hookvitals.integrations import Body, Mounted, path_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS = 40
"""Requests handled at once; as many as Starlette gives its own blocking endpoints. More wait their turn."""
_LOOP_LOOK_S = 1.0


class Application:
    """The ASGI callable. An instance, not a function: that is how Starlette's routes know one."""

    def __init__(self, receiver: Mounted, threads: int = THREADS) -> None:
        self._receiver = receiver
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hookvitals-asgi")
        receiver.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._respond(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        body = await _body(receive, self._receiver.settings.max_body_bytes)
        call = partial(
            self._receiver.handle,
            scope["method"],
            _url(scope, headers),
            headers,
            body.data,
            (scope.get("client") or (None,))[0],
            arrived_ns=time.perf_counter_ns(),  # from now on the sender waits for us, for a thread at first
            cut_off=body.cut_off,
        )
        running = asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, call)
        status, answer_headers, answer = await running
        if status != 204:
            answer_headers = [*answer_headers, ("Content-Length", str(len(answer)))]
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer_headers]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Only of an application that is served by itself: a framework keeps these to its own."""
        async with lifespan(self._receiver)(self):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def application(receiver: Mounted, threads: int = THREADS) -> Application:
    """The ASGI callable that answers every request with `receiver.handle`, `threads` at once."""
    return Application(receiver, threads)


def mount(receiver: Mounted, app: Any, path: str, threads: int = THREADS) -> None:
    """Adds the receiver to a Starlette or FastAPI application, or to a router, at exactly `path`.

    `app.mount(path, application(receiver))` answers below `path/` alone: a sender without the slash would be
    redirected, and senders follow no redirect.
    """
    app.add_route(path, Application(receiver, threads), include_in_schema=False)


def before(
    app: Any, receivers: Mapping[str, Mounted], threads: int = THREADS
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application that answers each of these paths by its receiver, and passes all else on to `app`.

    For frameworks that read a whole body before they ask anybody, as Django does.
    """
    own = {path: Application(receiver, threads) for path, receiver in receivers.items()}

    async def first(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        root = scope.get("root_path", "")
        await own.get(path[len(root) :] if path.startswith(root) else path, app)(scope, receive, send)

    return first


def lifespan(*receivers: Mounted) -> Callable[[Any], AsyncContextManager[None]]:
    """For `FastAPI(lifespan=…)` and `Starlette(lifespan=…)`: starts the receivers with the application and
    closes them with it, after the events in hand and with what waits shipped."""

    @asynccontextmanager
    async def living(app: Any) -> AsyncIterator[None]:
        for receiver in receivers:
            receiver.start()
        try:
            yield
        finally:
            for receiver in receivers:
                await asyncio.to_thread(receiver.close)

    return living


def on_this_loop(handler: Callable[[Event], Coroutine[Any, Any, Any]]) -> Callable[[Event], Any]:
    """An async handler as one that `Receiver.on` takes. Call it where the loop runs, as in a lifespan.

    The thread that handles the event, a request's or the inbox's, waits until the loop has run the handler:
    answers, attempts and their times are those of any other handler. Raises what the handler raises, and
    RuntimeError where the loop is not to be had any more, so that the event is tried again.
    """
    loop = asyncio.get_running_loop()

    def handle(event: Event) -> Any:
        if loop.is_closed() or asyncio._get_running_loop() is loop:
            raise RuntimeError("an async handler needs its event loop, running in another thread")
        running = asyncio.run_coroutine_threadsafe(handler(event), loop)
        while not wait_for([running], timeout=_LOOP_LOOK_S).done:
            if loop.is_closed():
                raise RuntimeError("the event loop ended while it ran a handler")
        return running.result()

    return handle


def headers_of(scope: Scope) -> List[Tuple[str, str]]:
    """(name, value) in the order they came in, duplicates kept."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


def written_path(scope: Scope) -> str:
    """The path as it came, still quoted; "" where the server does not tell."""
    written: bytes = scope.get("raw_path") or b""
    return written.decode("latin-1")


def _url(scope: Scope, headers: List[Tuple[str, str]]) -> str:
    path = path_of(written_path(scope), scope["path"].encode("utf-8", "replace"))
    query = scope.get("query_string", b"").decode("latin-1")
    host = dict(headers).get("host") or (scope.get("server") or ("",))[0]
    return f"{scope.get('scheme', 'http')}://{host}{path}" + (f"?{query}" if query else "")


async def _body(receive: Receive, max_bytes: int) -> Body:
    """The body, or one byte more than allowed."""
    parts: List[bytes] = []
    read = 0
    more = True
    while more and read <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Body(b"".join(parts), cut_off=True)
        parts.append(message.get("body", b""))
        read += len(parts[-1])
        more = message.get("more_body", False)
    return Body(b"".join(parts)[: max_bytes + 1])
